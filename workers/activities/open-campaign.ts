import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ApplicationFailure } from '@temporalio/activity';
import type { Archive } from '../../services/archive/archive.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import { type CampaignPlan, failureTypes } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { DataManifest } from '../../workflows/contracts/data.ts';
import { parseSettings } from '../../workflows/contracts/describe-problems.ts';
import { baselineNames } from '../../workflows/contracts/genome.ts';
import { type Rung, rungs } from '../../workflows/contracts/rung.ts';
import { type CampaignSettings, leastTrialSeconds, resolveSettings } from '../../workflows/contracts/settings.ts';
import { type PrepareRequest, prepareResultSchema } from '../../workflows/contracts/trial.ts';
import { calibrationSeeds, confirmSeeds, exploreSeeds } from '../../workflows/rules/trial-seeds.ts';

export interface OpenDependencies {
  readonly archive: Archive;
  readonly artifacts: Artifacts;
  readonly python: string;
  readonly dataFolder: string;
  /** The judge's folder: held-out text goes there and nowhere else. */
  readonly judgeFolder: string;
  /** Why a program is not stored; null for one that may be. */
  readonly credentialProblem: (program: string) => string | null;
  readonly versions: Readonly<Record<string, string>>;
  readonly now: () => Date;
}

export interface OpenRequest {
  readonly campaignId: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly input: unknown;
}

const packageFolder = fileURLToPath(new URL('../../kernels', import.meta.url));
const maxMixerFileBytes = 1024 * 1024;
const prepareLimitMs = 15 * 60_000;

/**
 * Checks what the person sent, prepares the data, writes the campaign record. A retry of the same run finds its own. Throws the signal's reason
 * where it comes before the record is there.
 */
export const openCampaign = async (
  dependencies: OpenDependencies,
  request: OpenRequest,
  signal: AbortSignal,
): Promise<CampaignPlan> => {
  const { archive, now } = dependencies;
  const existing = await archive.getCampaign(request.campaignId);
  if (existing !== null) return planOf(sameCampaign(existing, request));
  const settings = readSettings(request.input);
  await Promise.all(settings.starts.map((start) => checkStart(start, dependencies)));
  const data = await prepareData(dependencies, settings, signal);
  signal.throwIfAborted();
  const at = now().toISOString();
  const { value } = await archive.createCampaign({
    id: request.campaignId,
    workflowId: request.workflowId,
    runId: request.runId,
    state: 'calibrating',
    epoch: 0,
    settings,
    rung: rungs[settings.rung],
    data,
    noise: [],
    conclusion: null,
    reason: null,
    versions: { ...dependencies.versions },
    createdAt: at,
    updatedAt: at,
    finishedAt: null,
  });
  return planOf(sameCampaign(value, request));
};

export const planOf = (campaign: Campaign): CampaignPlan => ({
  campaignId: campaign.id,
  settings: campaign.settings,
  exploreSeeds: exploreSeeds(campaign.settings),
  calibrationSeeds: calibrationSeeds(campaign.settings),
  confirmSeeds: confirmSeeds(campaign.settings),
  leastTrialSeconds: leastTrialSeconds(campaign.settings),
});

const sameCampaign = (campaign: Campaign, request: OpenRequest): Campaign => {
  if (campaign.runId === request.runId) return campaign;
  throw ApplicationFailure.nonRetryable(
    `Workflow ID "${request.workflowId}" stands for campaign ${campaign.id}, which exists already (${campaign.state}, started ${campaign.createdAt}). Start again with another workflow ID.`,
    failureTypes.campaignExists,
  );
};

const refuse = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, failureTypes.invalidInput);

const readSettings = (input: unknown): CampaignSettings => {
  const parsed = parseSettings(input);
  if (parsed.ok) return resolveSettings(parsed.input);
  throw refuse(`The campaign settings are not usable. ${parsed.problems.join(' ')}`);
};

/** A start is a baseline's name or a readable text file of modest size. */
const checkStart = async (start: string, { credentialProblem }: OpenDependencies): Promise<void> => {
  if ((baselineNames as readonly string[]).includes(start)) return;
  if (!isAbsolute(start))
    throw refuse(`starts: "${start}" is neither a baseline (${baselineNames.join(', ')}) nor an absolute path of a mixer file.`);
  const facts = await stat(start).catch(() => null);
  if (facts === null)
    throw refuse(`starts: "${start}" is neither a baseline (${baselineNames.join(', ')}) nor a file that exists.`);
  if (!facts.isFile()) throw refuse(`starts: "${start}" is not a plain file; give the path of a Python file with class Mixer.`);
  if (facts.size > maxMixerFileBytes)
    throw refuse(`starts: "${start}" has ${facts.size} bytes; a mixer file may have ${maxMixerFileBytes}.`);
  // One that cannot be read is told when its turn comes, with the reason.
  const problem = credentialProblem(await readFile(start, 'utf8').catch(() => ''));
  if (problem !== null) throw refuse(`starts: "${start}": ${problem}.`);
};

/** Bytes below which a run would see the same text over and over: every training byte at most eight times. */
const minimumBytes = (rung: Rung): { readonly train: number; readonly heldOut: number } => {
  const task = rung.tasks.find((candidate) => candidate.kind === 'bytes');
  if (task === undefined) return { train: 0, heldOut: 0 };
  return {
    train: Math.ceil((task.steps * task.batch * task.length) / 8),
    heldOut: (task.length + 1) * Math.min(task.evalSequences, 32),
  };
};

/** Splits the text for a rung: training text into `dataFolder`, held-out shards into the judge's. Finds its own earlier work. */
export const prepareData = async (
  { python, dataFolder, judgeFolder }: Pick<OpenDependencies, 'python' | 'dataFolder' | 'judgeFolder'>,
  settings: Pick<CampaignSettings, 'data' | 'rung'>,
  signal?: AbortSignal,
): Promise<DataManifest> => {
  const minimum = minimumBytes(rungs[settings.rung]);
  const request: PrepareRequest = {
    source: settings.data,
    cacheFolder: dataFolder,
    judgeFolder,
    minimumTrainBytes: minimum.train,
    minimumHeldOutBytes: minimum.heldOut,
  };
  await sweepPreparations(dataFolder);
  const workdir = join(dataFolder, `prepare-${process.pid}-${Date.now()}`);
  await mkdir(workdir, { recursive: true });
  try {
    const requestPath = join(workdir, 'request.json');
    await writeFile(requestPath, JSON.stringify(request));
    await runPrepare(python, ['--request', requestPath, '--workdir', workdir], signal);
    return manifestOf(JSON.parse(await readFile(join(workdir, 'result.json'), 'utf8')));
  } finally {
    await rm(workdir, { recursive: true, force: true });
  }
};

/** Of processes that were killed before they could remove their own. */
const sweepPreparations = async (dataFolder: string): Promise<void> => {
  const names = await readdir(dataFolder).catch(() => []);
  for (const name of names) {
    const pid = /^prepare-(\d+)-\d+$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(dataFolder, name), { recursive: true, force: true });
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process may not be signalled, and lives.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

const manifestOf = (result: unknown): DataManifest => {
  const parsed = prepareResultSchema.parse(result);
  if (parsed.status === 'ok') return parsed.manifest;
  throw ApplicationFailure.nonRetryable(`data.${parsed.field}: ${parsed.message}`, failureTypes.dataRefused);
};

/** Reading text needs no candidate and no torch: when it ends badly, the Python environment is broken and no retry mends it. */
const runPrepare = async (python: string, parameters: readonly string[], signal?: AbortSignal): Promise<void> => {
  try {
    await promisify(execFile)(python, ['-m', 'asi_kernels', 'prepare', ...parameters], {
      cwd: packageFolder,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', PYTHONPATH: packageFolder, PYTHONDONTWRITEBYTECODE: '1', LANG: 'C.UTF-8' },
      maxBuffer: 16 * 1024 * 1024,
      timeout: prepareLimitMs,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : undefined;
    const why = stderr === undefined || stderr === '' ? (error instanceof Error ? error.message : String(error)) : stderr;
    throw ApplicationFailure.nonRetryable(
      `Python could not prepare the training text: ${why}. Look at "npx asi doctor"; "npm run setup" mends a broken environment (${python}).`,
      failureTypes.brokenPython,
    );
  }
};
