import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { gateResultSchema, hashSchema, modelSizeSchema } from '../../workflows/contracts/architecture.ts';
import { dataManifestSchema } from '../../workflows/contracts/data.ts';
import { baselineNameSchema } from '../../workflows/contracts/genome.ts';
import { rungSchema } from '../../workflows/contracts/rung.ts';
import { type Score, scoreSchema } from '../../workflows/contracts/score.ts';
import { finalTensors } from './final-tensors.ts';
import { InvalidSafetensorsError, writeTensors } from './safetensors.ts';
import { type BundleProblem, hashFile } from './verify-bundle.ts';

export const programName = 'mixer.py';
export const weightsName = 'weights.safetensors';
/** Every snapshot that was scored; weights.safetensors holds the last of them under the names that load.py wants. */
export const checkpointName = 'checkpoint.safetensors';

/** The parts of recipe.json that say how to run gates and scoring again. */
const recipeSchema = z.looseObject({
  experimentId: z.string(),
  programHash: hashSchema,
  rung: rungSchema,
  sizes: z.array(modelSizeSchema),
  seeds: z.looseObject({ exported: z.looseObject({ seed: z.int().min(0), trialId: z.string() }) }),
  exportedTrial: z.looseObject({ checkpointHash: hashSchema }),
  check: z.strictObject({ reference: baselineNameSchema, seed: z.int().min(0), flopsLimit: z.number().positive() }),
  data: dataManifestSchema.omit({ folder: true }).loose(),
  versions: z.record(z.string(), z.string()),
});
const scoresSchema = z.looseObject({ experiment: z.looseObject({ id: z.string(), scores: z.array(scoreSchema) }) });
const gatesSchema = z.looseObject({ gates: z.array(gateResultSchema) });

/** What a bundle says of itself and what can be run again. */
export interface BundleClaims {
  readonly recipe: z.infer<typeof recipeSchema>;
  /** Of every trial of the experiment. */
  readonly scores: readonly Score[];
  readonly gates: z.infer<typeof gatesSchema>['gates'];
}
export type ReadClaims =
  | { readonly ok: true; readonly claims: BundleClaims }
  | { readonly ok: false; readonly problem: BundleProblem };

/** Reads the claims of a bundle whose files are those of its manifest. */
export const readClaims = async (folder: string): Promise<ReadClaims> => {
  const [recipe, scores, gates] = await Promise.all([
    readPart(folder, 'recipe.json', recipeSchema),
    readPart(folder, 'scores.json', scoresSchema),
    readPart(folder, 'gates.json', gatesSchema),
  ]);
  if (!recipe.ok) return recipe;
  if (!scores.ok) return scores;
  if (!gates.ok) return gates;
  return {
    ok: true,
    claims: { recipe: recipe.value, scores: scores.value.experiment.scores, gates: gates.value.gates },
  };
};

/** Whether program, checkpoint, weights and rows speak of the same thing. The manifest alone cannot tell: who altered one file may have written it anew. */
export const findContradictions = async (
  folder: string,
  { recipe, scores }: BundleClaims,
  scratch: string,
): Promise<readonly BundleProblem[]> => {
  const contradiction = (file: string, detail: string): BundleProblem => ({ file, problem: 'altered', detail });
  const programHash = await hashFile(join(folder, programName));
  const checkpointHash = await hashFile(join(folder, checkpointName));
  const problems: BundleProblem[] = [];
  if (programHash !== recipe.programHash)
    problems.push(contradiction(programName, `its SHA-256 is ${programHash}; recipe.json trained ${recipe.programHash}`));
  if (checkpointHash !== recipe.exportedTrial.checkpointHash)
    problems.push(
      contradiction(checkpointName, `its SHA-256 is ${checkpointHash}; recipe.json says ${recipe.exportedTrial.checkpointHash}`),
    );
  for (const row of scores) {
    if (row.programHash !== recipe.programHash)
      problems.push(contradiction('scores.json', `the ${row.metric} row of ${row.trialId} is about program ${row.programHash}`));
    if (row.trialId === recipe.seeds.exported.trialId && row.checkpointHash !== recipe.exportedTrial.checkpointHash)
      problems.push(
        contradiction('scores.json', `the ${row.metric} row of ${row.trialId} is about checkpoint ${row.checkpointHash}`),
      );
  }
  const weights = await weightsProblem(
    folder,
    recipe.rung.tasks.map(({ kind }) => kind),
    scratch,
  );
  return weights === null ? problems : [...problems, weights];
};

const weightsProblem = async (folder: string, tasks: readonly string[], scratch: string): Promise<BundleProblem | null> => {
  const again = join(scratch, 'weights-again.safetensors');
  try {
    const { tensors, missing } = await finalTensors(join(folder, checkpointName), tasks);
    if (missing.length > 0)
      return { file: checkpointName, problem: 'altered', detail: `it holds no weights of task ${missing.join(', ')}` };
    await writeTensors({ from: join(folder, checkpointName), to: again, tensors });
    if ((await hashFile(again)) === (await hashFile(join(folder, weightsName)))) return null;
    return { file: weightsName, problem: 'altered', detail: `they are not the last snapshots of ${checkpointName}` };
  } catch (error) {
    if (!(error instanceof InvalidSafetensorsError)) throw error;
    return { file: checkpointName, problem: 'unreadable', detail: error.message };
  } finally {
    await rm(again, { force: true });
  }
};

const readPart = async <T>(
  folder: string,
  file: string,
  schema: z.ZodType<T>,
): Promise<{ readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: BundleProblem }> => {
  const refuse = (problem: BundleProblem['problem'], detail: string) =>
    ({ ok: false, problem: { file, problem, detail } }) as const;
  let text: string;
  try {
    text = await readFile(join(folder, file), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return refuse('missing', 'verification reads it, but the bundle does not hold it');
    throw error;
  }
  try {
    return { ok: true, value: schema.parse(JSON.parse(text)) };
  } catch (error) {
    if (error instanceof SyntaxError) return refuse('unreadable', `it is not JSON: ${error.message}`);
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    return refuse('unreadable', `${issue?.path.join('.')}: ${issue?.message}; right would be a bundle of this version`);
  }
};
