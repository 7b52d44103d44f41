import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { bundleTexts } from './bundle-files.ts';
import { bundleRecordSchema, canonicalJson, recordName } from './bundle-record.ts';
import { type BundleSource, sourceOf } from './bundle-source.ts';
import { finalTensors } from './final-tensors.ts';
import {
  type BundleProblem,
  checkpointName,
  firstDifference,
  hashFile,
  kernelName,
  type Manifest,
  manifestName,
  programName,
  weightsName,
} from './manifest.ts';
import { rowProblems } from './row-problems.ts';
import { InvalidSafetensorsError, writeTensors } from './safetensors.ts';

export type Claims =
  | { readonly ok: true; readonly source: BundleSource }
  | { readonly ok: false; readonly problems: readonly BundleProblem[] };

/**
 * Makes every file of a bundle once more from its record, its program and its checkpoint, and compares. `manifest` is that of `verifyBundle`.
 * Says that the files speak of one thing; whether the record is true is for gates, seals, archive and judge to say.
 */
export const checkClaims = async (folder: string, manifest: Manifest, scratch: string): Promise<Claims> => {
  const read = await readSource(folder);
  if (!read.ok) return read;
  const { source } = read;
  const problems = [
    ...manifestProblems(manifest, source),
    ...(await hashProblems(folder, source)),
    ...(await textProblems(folder, source)),
    ...rowProblems(source.record),
    ...(await weightsProblems(folder, source, scratch)),
  ];
  return problems.length === 0 ? read : { ok: false, problems };
};

const readSource = async (folder: string): Promise<Claims> => {
  const refuse = (problem: BundleProblem['problem'], detail: string): Claims => ({
    ok: false,
    problems: [{ file: recordName, problem, detail }],
  });
  const text = await readFile(join(folder, recordName), 'utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refuse('unreadable', `it is not JSON: ${error.message}`);
  }
  const record = bundleRecordSchema.safeParse(parsed);
  if (!record.success) return refuse('unreadable', z.prettifyError(record.error));
  if (canonicalJson(record.data) !== text) return refuse('altered', 'it is not written as asi-arch writes it');
  const source = sourceOf(record.data);
  if (source === null) return refuse('altered', 'none of its trials has both a checkpoint and a score');
  return { ok: true, source };
};

const altered = (file: string, detail: string): BundleProblem => ({ file, problem: 'altered', detail });

const manifestProblems = (manifest: Manifest, { record: { experiment } }: BundleSource): readonly BundleProblem[] => {
  const kernels = new Set(experiment.architecture.kernels.map(kernelName));
  const listed = Object.keys(manifest.files).filter((name) => name.startsWith('kernels/'));
  return [
    ...(manifest.experimentId === experiment.id
      ? []
      : [altered(manifestName, `it is about ${manifest.experimentId}; ${recordName} is about ${experiment.id}`)]),
    ...(manifest.name === experiment.proposal.name
      ? []
      : [altered(manifestName, `its name is "${manifest.name}"; in ${recordName} it is "${experiment.proposal.name}"`)]),
    ...listed
      .filter((name) => !kernels.has(name))
      .map((file): BundleProblem => ({ file, problem: 'unexpected', detail: `${recordName} knows no such kernel` })),
    ...[...kernels]
      .filter((name) => !listed.includes(name))
      .map((file): BundleProblem => ({ file, problem: 'missing', detail: `${recordName} names this kernel` })),
  ];
};

const hashProblems = async (folder: string, { record, chosen }: BundleSource): Promise<readonly BundleProblem[]> => {
  const { architecture } = record.experiment;
  const wanted: readonly (readonly [file: string, hash: string])[] = [
    [programName, architecture.hash],
    [checkpointName, chosen.checkpointArtifact],
    ...architecture.kernels.map((hash) => [kernelName(hash), hash] as const),
  ];
  const problems: BundleProblem[] = [];
  for (const [file, hash] of wanted) {
    const found = await hashFile(join(folder, file));
    if (found !== hash) problems.push(altered(file, `its SHA-256 is ${found}; ${recordName} says ${hash}`));
  }
  return problems;
};

const textProblems = async (folder: string, source: BundleSource): Promise<readonly BundleProblem[]> => {
  const problems: BundleProblem[] = [];
  for (const [file, text] of bundleTexts(source)) {
    const wanted = Buffer.from(text);
    const found = await readFile(join(folder, file));
    if (!found.equals(wanted))
      problems.push(
        altered(
          file,
          `${recordName} and this version of asi-arch give another text, from byte ${firstDifference(found, wanted)} on`,
        ),
      );
  }
  return problems;
};

const weightsProblems = async (folder: string, { rung }: BundleSource, scratch: string): Promise<readonly BundleProblem[]> => {
  const again = join(scratch, 'weights-again.safetensors');
  try {
    const tasks = rung.tasks.map(({ kind }) => kind);
    const { tensors, missing } = await finalTensors(join(folder, checkpointName), tasks);
    if (missing.length > 0) return [altered(checkpointName, `it holds no weights of task ${missing.join(', ')}`)];
    await writeTensors({ from: join(folder, checkpointName), to: again, tensors });
    if ((await hashFile(again)) === (await hashFile(join(folder, weightsName)))) return [];
    return [altered(weightsName, `they are not the last snapshots of ${checkpointName}`)];
  } catch (error) {
    if (!(error instanceof InvalidSafetensorsError)) throw error;
    return [{ file: checkpointName, problem: 'unreadable', detail: error.message }];
  } finally {
    await rm(again, { force: true });
  }
};
