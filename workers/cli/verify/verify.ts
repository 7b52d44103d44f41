import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Archive } from '../../../services/archive/archive.ts';
import { type BundleClaims, findContradictions, programName, readClaims } from '../../../services/export/bundle-claims.ts';
import { type BundleProblem, verifyBundle } from '../../../services/export/verify-bundle.ts';
import type { Judge } from '../../../services/judge/judge.ts';
import { PythonProcessError } from '../../../services/python/line-process.ts';
import type { Score } from '../../../workflows/contracts/score.ts';
import type { Config } from '../../config.ts';
import { openJudge } from '../../roles/judge.ts';
import type { Rescored, VerifyReport, VerifyStep } from '../../view/verify-lines.ts';
import { checkProgramOn, type OpenHost, openHost } from '../gate/check-program.ts';
import { outages } from '../gate/program-refusal.ts';
import { findHeldOutData } from './held-out-data.ts';
import { type RescoreTools, rescore } from './rescore.ts';

/** Deeper than the search went: a leak on 3 % of cuts is found with 95 %. */
const cuts = 100;

export interface VerifyRequest {
  readonly folder: string;
  /** Of our own, empty; for what is written on the way. */
  readonly scratch: string;
  /** Where a user's own text lies on this machine, if a person said so. */
  readonly dataFolder: string | null;
  readonly onStep: (what: string) => void;
}

/** Does again what can be done again of a bundle, a step each. `archive` null: this home has none. */
export const verify = async (
  { config, archive }: { readonly config: Config; readonly archive: Archive | null },
  request: VerifyRequest,
): Promise<VerifyReport> => {
  const { folder, scratch, onStep } = request;
  const files = await verifyBundle(folder);
  if (!files.ok) return { subject: folder, steps: [problemStep('files', files.problems)], scores: [] };
  const { manifest } = files;
  const subject = `${manifest.experimentId} ${manifest.name}  ${folder}`;
  const steps: VerifyStep[] = [verified('files', `${Object.keys(manifest.files).length} files, each as the manifest says`)];
  const read = await readClaims(folder);
  const contradictions = read.ok ? await findContradictions(folder, read.claims, scratch) : [read.problem];
  if (!read.ok || contradictions.length > 0)
    return { subject, steps: [...steps, problemStep('claims', contradictions)], scores: [] };
  const { claims } = read;
  steps.push(verified('claims', 'program, checkpoint, weights and rows speak of the same trial'));
  const judge = openJudge(config);
  // One host for the gates and the scoring: starting one and trying its wall takes longer than most jobs.
  const opened = openHost(config, { slots: 2, read: [resolve(folder)] });
  try {
    onStep('running the gates again');
    steps.push(await gateStep({ config, opened }, folder, claims));
    const seals = await checkSeals(config, judge, claims);
    const record = archive === null ? null : await recordStep(archive, claims, seals);
    steps.push(seals.step, ...(record === null ? [] : [record]));
    onStep('scoring again');
    const scored = await scoreStep({ config, archive, judge, opened }, { ...request, claims, isSameJudge: seals.genuine > 0 });
    return { subject, steps: [...steps, scored.step], scores: scored.scores };
  } finally {
    await Promise.all([judge.stop(), opened.dispatcher.close()]);
  }
};

const verified = (step: VerifyStep['step'], detail: string): VerifyStep => ({ step, state: 'verified', detail });

const problemStep = (step: VerifyStep['step'], problems: readonly BundleProblem[]): VerifyStep => ({
  step,
  state: 'mismatch',
  detail: problems.map(({ file, problem, detail }) => `${file} is ${problem}: ${detail}`).join('; '),
});

const gateStep = async (
  { config, opened }: { readonly config: Config; readonly opened: OpenHost },
  folder: string,
  { recipe, gates }: BundleClaims,
): Promise<VerifyStep> => {
  const checked = await checkProgramOn(opened, config, {
    text: readFileSync(join(folder, programName), 'utf8'),
    fileName: programName,
    rung: recipe.rung,
    cuts,
    ...recipe.check,
  });
  const where = `sandbox ${checked.sandbox.tier}`;
  if (!checked.ok) {
    const isOurs = outages.includes(checked.label);
    return {
      step: 'gates',
      state: isOurs ? 'not-repeated' : 'mismatch',
      detail: `${checked.label}: ${checked.detail}; ${where}`,
    };
  }
  const failed = checked.report.gates.filter(({ verdict }) => verdict === 'fail');
  if (failed.length > 0)
    return {
      step: 'gates',
      state: 'mismatch',
      detail: failed.map(({ gate, evidence }) => `${gate} fails: ${evidence}`).join('; '),
    };
  const ran = new Set<string>(checked.report.gates.map(({ gate }) => gate));
  const gone = gates.filter(({ gate }) => !ran.has(gate)).map(({ gate }) => gate);
  if (gone.length > 0) return { step: 'gates', state: 'not-repeated', detail: `this version has no gate ${gone.join(', ')}` };
  return verified('gates', `${ran.size} gates, none fails; ${cuts} cuts, ${where}`);
};

interface Seals {
  readonly step: VerifyStep;
  /** Rows that this home's judge sealed. */
  readonly genuine: number;
}

/** A home that did not measure the bundle cannot tell a genuine seal; one whose key fits some rows knows that the others are altered. */
const checkSeals = async (config: Config, judge: Judge, { scores }: BundleClaims): Promise<Seals> => {
  const without = (detail: string): Seals => ({ step: { step: 'seals', state: 'not-repeated', detail }, genuine: 0 });
  if (!existsSync(join(config.home, 'judge', 'key'))) return without('this home has no judge, whose key could tell genuine rows');
  try {
    const answers = await judge.checkSeals(scores);
    const genuine = answers.filter((isGenuine) => isGenuine).length;
    if (genuine === scores.length && genuine > 0)
      return { step: verified('seals', `${genuine} rows carry the seal of this home's judge`), genuine };
    if (genuine === 0) return without("no row carries the seal of this home's judge; only the home that measured them can tell");
    const forged = scores.filter((_, index) => answers[index] === false).map(rowName);
    return {
      step: { step: 'seals', state: 'mismatch', detail: `altered since the judge sealed them: ${forged.slice(0, 5).join(', ')}` },
      genuine,
    };
  } catch (error) {
    if (error instanceof PythonProcessError) return without(error.message);
    throw error;
  }
};

/** Where this home recorded the experiment itself, the bundle's rows must be the archive's. */
const recordStep = async (archive: Archive, { recipe, scores }: BundleClaims, seals: Seals): Promise<VerifyStep | null> => {
  const experiment = await archive.getExperiment(recipe.experimentId);
  if (experiment === null || experiment.architecture?.hash !== recipe.programHash) return null;
  const stored = new Map((await archive.listScores({ experimentId: experiment.id })).map((row) => [rowName(row), row]));
  const differ = scores.filter((row) => !isSame(stored.get(rowName(row)), row)).map(rowName);
  if (differ.length === 0) return verified('record', `${scores.length} rows are those of the archive of this home`);
  // Ids repeat from home to home; without a seal of ours the archive's experiment may be another one of the same name.
  if (seals.genuine === 0 && differ.length === scores.length) return null;
  return {
    step: 'record',
    state: 'mismatch',
    detail: `the archive of this home says otherwise about ${differ.slice(0, 5).join(', ')}`,
  };
};

const rowName = ({ trialId, metric, set }: Score): string => `${metric} of ${trialId} on set ${set}`;
const isSame = (stored: Score | undefined, row: Score): boolean =>
  stored !== undefined && stored.value === row.value && stored.seal === row.seal && stored.checkpointHash === row.checkpointHash;

const scoreStep = async (
  { config, archive, judge, opened }: RescoreTools & { readonly archive: Archive | null },
  request: VerifyRequest & { readonly claims: BundleClaims; readonly isSameJudge: boolean },
): Promise<{ readonly step: VerifyStep; readonly scores: readonly Rescored[] }> => {
  const { claims, folder, scratch, isSameJudge } = request;
  const dataFolder = request.dataFolder ?? (archive === null ? null : await folderOfData(archive, claims.recipe.data.hash));
  const held = await findHeldOutData(config, claims.recipe, dataFolder);
  if (!held.ok) return { step: { step: 'scores', state: 'not-repeated', detail: held.why }, scores: [] };
  return rescore({ config, judge, opened }, { folder, scratch, claims, data: held.data, isSameJudge });
};

/** Where the text of a campaign of this home lies; null where none had that text. */
const folderOfData = async (archive: Archive, hash: string): Promise<string | null> => {
  const campaign = (await archive.listCampaigns()).find(({ data }) => data.hash === hash);
  return campaign?.data.source.kind === 'folder' ? campaign.data.source.path : null;
};
