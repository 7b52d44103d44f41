import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Archive } from '../../services/archive/archive.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import type { TrialDispatcher } from '../../services/dispatch/dispatcher.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { rungOf } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { Failure } from '../../workflows/contracts/failure.ts';
import { flopsLimits } from '../../workflows/contracts/gate-limits.ts';
import { type CheckRequest, type CheckResult, checkResultSchema } from '../../workflows/contracts/trial.ts';
import { infra, withHeartbeat } from './heartbeat.ts';
import type { MachineDependencies } from './read-machine.ts';
import { removeWorkdir } from './workdir.ts';

export interface CheckDependencies extends MachineDependencies {
  readonly archive: Archive;
  readonly artifacts: Artifacts;
  readonly dispatcher: TrialDispatcher;
  readonly workFolder: string;
  /** The gates report no progress, so that this limit on their time is the one on their silence too. */
  readonly wallSeconds: number;
  readonly now: () => Date;
  /** Folder of the control programs. */
  readonly controlsFolder: string;
}

const limits = { memoryBytes: 3 * 1024 ** 3, logBytes: 1024 * 1024 } as const;

/** One run of the gates. */
export interface GatesRun {
  readonly campaign: Campaign;
  readonly hash: string;
  readonly jobId: string;
  readonly cuts: number;
  /** Whose limits hold. */
  readonly kind: Experiment['kind'];
  readonly workdir: string;
}

export const runGates = async (
  dependencies: CheckDependencies,
  { jobId, campaign, hash, cuts, kind, workdir }: GatesRun,
): Promise<{ readonly refusal: Failure | null; readonly report: CheckResult | null }> => {
  const { artifacts, dispatcher, workFolder, wallSeconds } = dependencies;
  await mkdir(workdir, { recursive: true });
  const request: CheckRequest = {
    ...(await placePrograms(dependencies, { campaign, hash, workdir })),
    rung: rungOf(campaign),
    seed: campaign.settings.seed,
    cuts,
    flopsLimit: flopsLimits[kind],
  };
  const end = await withHeartbeat((beat, signal) =>
    dispatcher.run(
      {
        id: jobId,
        command: 'check',
        request,
        workdir,
        ...(kind === 'baseline' ? {} : { suspect: jobId }),
        limits: { ...limits, wallSeconds, idleSeconds: wallSeconds },
      },
      {
        signal,
        events: { onQueued: (position) => beat({ waitingBehind: position }), onStarted: () => beat({ started: true }) },
      },
    ),
  );
  // Also where it is tried again: the programs are placed anew.
  await removeWorkdir(workFolder, workdir);
  if (!end.ok && end.label === 'cancelled') await Context.current().cancelled;
  if (!end.ok && (end.label === 'infra' || end.label === 'cancelled')) throw infra(end.detail);
  const logArtifact = end.logTail === '' ? null : await artifacts.put(end.logTail);
  const result = end.ok ? checkResultSchema.safeParse(end.result) : null;
  return {
    refusal: refusalOf(end.ok ? null : end, result, logArtifact),
    report: result?.success === true ? result.data : null,
  };
};

/** Writes the program and the reference's into the work folder. */
const placePrograms = async (
  { artifacts, baselineProgram }: CheckDependencies,
  { campaign, hash, workdir }: { readonly campaign: Campaign; readonly hash: string; readonly workdir: string },
): Promise<Pick<CheckRequest, 'programPath' | 'referencePath'>> => {
  const programPath = join(workdir, 'mixer.py');
  const referencePath = join(workdir, 'reference.py');
  if (!(await artifacts.getFile(hash, programPath))) throw infra(`program ${hash} is not among the artifacts`);
  const reference = campaign.settings.baselines[0];
  if (reference === undefined) throw infra('the campaign has no baselines');
  await artifacts.getFile(await artifacts.put(await baselineProgram(reference)), referencePath);
  return { programPath, referencePath };
};

const refusalOf = (
  ended: { readonly label: Failure['label']; readonly detail: string } | null,
  result: ReturnType<typeof checkResultSchema.safeParse> | null,
  logArtifact: string | null,
): Failure | null => {
  const failure = (label: Failure['label'], detail: string): Failure => ({
    label,
    detail: detail.slice(0, 4000),
    stage: 'check',
    logArtifact,
  });
  if (ended !== null) return failure(ended.label, ended.detail);
  if (result?.success !== true)
    return failure('bad_result', `result.json of the check does not fit its schema: ${result?.error.issues[0]?.message ?? ''}`);
  if (result.data.status === 'pass' && result.data.sizes !== null) return null;
  return failure(result.data.label ?? 'gate', result.data.detail);
};
