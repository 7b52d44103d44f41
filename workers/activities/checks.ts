import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Archive } from '../../services/archive/archive.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import type { TrialDispatcher } from '../../services/dispatch/dispatcher.ts';
import type { CheckActivities, StepResult } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';
import type { Failure } from '../../workflows/contracts/failure.ts';
import { checkCuts, flopsLimits } from '../../workflows/contracts/gate-limits.ts';
import { rungs } from '../../workflows/contracts/rung.ts';
import { type CheckRequest, type CheckResult, checkResultSchema } from '../../workflows/contracts/trial.ts';
import { sizeDoubt } from '../../workflows/rules/model-size.ts';
import { referenceId } from './calibrate.ts';
import { changeExperiment, requireCampaign, requireExperiment } from './experiment-record.ts';
import { infra, withHeartbeat } from './heartbeat.ts';
import { type MachineDependencies, readMachine } from './read-machine.ts';
import { admitProgram, requireSandbox } from './sandbox-tier.ts';
import { removeWorkdir } from './trial-record.ts';

export interface CheckDependencies extends MachineDependencies {
  readonly archive: Archive;
  readonly artifacts: Artifacts;
  readonly dispatcher: TrialDispatcher;
  readonly workFolder: string;
  /** The gates report no progress, so that this limit on their time is the one on their silence too. */
  readonly wallSeconds: number;
  readonly now: () => Date;
}

const limits = { memoryBytes: 3 * 1024 ** 3, logBytes: 1024 * 1024 } as const;

/** The gates. A refused program is a value with its evidence in the experiment; outages are thrown. */
export const createCheckActivities = (dependencies: CheckDependencies): CheckActivities => ({
  async readMachine({ campaignId, waitMs }) {
    const campaign = await requireCampaign(dependencies.archive, campaignId);
    return await readMachine(dependencies, { campaign, waitMs });
  },
  async checkArchitecture({ experimentId }) {
    const experiment = await requireExperiment(dependencies.archive, experimentId);
    if (experiment.architecture === null) throw infra(`experiment ${experimentId} has no program to check`);
    if (experiment.architecture.sizes !== null || isTerminal(experiment.state)) return { ok: true };
    const campaign = await requireCampaign(dependencies.archive, experiment.campaignId);
    const refusal = lastRefusal(experiment);
    if (refusal !== null) return { ok: false, label: refusal.label, detail: refusal.detail };
    const unadmitted = await admitProgram(dependencies, { campaign, experiment });
    if (unadmitted !== null) return unadmitted;
    return await check(dependencies, { experiment, campaign, hash: experiment.architecture.hash });
  },
  async auditArchitecture({ experimentId, cuts: numCuts }) {
    const { archive } = dependencies;
    const stored = (await archive.listAudits(experimentId)).find((one) => one.cuts === numCuts);
    if (stored !== undefined)
      return stored.passed ? { ok: true } : { ok: false, label: stored.label ?? 'gate', detail: stored.detail };
    const experiment = await requireExperiment(archive, experimentId);
    if (experiment.architecture === null) throw infra(`experiment ${experimentId} has no program to audit`);
    const campaign = await requireCampaign(archive, experiment.campaignId);
    await requireSandbox(dependencies, { campaign, experiment });
    return await audit(dependencies, { experiment, campaign, hash: experiment.architecture.hash, cuts: numCuts });
  },
});

/** A retry after the record was written must not run the gates again. */
const lastRefusal = (experiment: Experiment): Failure | null =>
  experiment.attempts.find((attempt) => attempt.hash === experiment.architecture?.hash)?.failure ?? null;

interface Subject {
  readonly experiment: Experiment;
  readonly campaign: Campaign;
  readonly hash: string;
}

const check = async (dependencies: CheckDependencies, subject: Subject): Promise<StepResult> => {
  const { experiment, hash } = subject;
  const { refusal: gatesRefusal, report } = await runGates(dependencies, { ...subject, cuts: checkCuts });
  const refusal = gatesRefusal ?? (await forgedSizes(dependencies, subject, report));
  await changeExperiment(dependencies.archive, experiment.id, (current) => {
    const gates = report?.gates ?? [];
    if (refusal !== null)
      return { gates, attempts: [...current.attempts, { hash, proposal: current.proposal, failure: refusal }] };
    if (current.architecture === null || report === null) return null;
    return { gates, state: 'checked', architecture: { ...current.architecture, sizes: report.sizes } };
  });
  return refusal === null ? { ok: true } : { ok: false, label: refusal.label, detail: refusal.detail };
};

/** A program may change what counts it: sizes are held against those of the reference, which another process counted. */
const forgedSizes = async (
  { archive }: CheckDependencies,
  { experiment, campaign }: Subject,
  report: CheckResult | null,
): Promise<Failure | null> => {
  if (experiment.kind === 'baseline' || report?.sizes == null) return null;
  const reference = await archive.getExperiment(referenceId(campaign.id));
  const doubt = sizeDoubt({
    sizes: report.sizes,
    reference: reference?.architecture?.sizes ?? null,
    flopsLimit: flopsLimits.candidate,
  });
  return doubt === null ? null : { label: 'integrity', detail: doubt, stage: 'check', logArtifact: null };
};

const audit = async (dependencies: CheckDependencies, subject: Subject & { readonly cuts: number }): Promise<StepResult> => {
  const { archive, hostFacts, now } = dependencies;
  const { experiment, hash } = subject;
  const { refusal, report } = await runGates(dependencies, subject);
  await archive.appendAudit({
    experimentId: experiment.id,
    programHash: hash,
    cuts: subject.cuts,
    passed: refusal === null,
    label: refusal?.label ?? null,
    detail: refusal?.detail ?? report?.detail ?? '',
    gates: report?.gates ?? [],
    sandboxTier: (await hostFacts()).sandbox.tier,
    cpuSeconds: report?.cpuSeconds ?? 0,
    at: now().toISOString(),
  });
  return refusal === null ? { ok: true } : { ok: false, label: refusal.label, detail: refusal.detail };
};

const runGates = async (
  dependencies: CheckDependencies,
  { experiment, campaign, hash, cuts }: Subject & { readonly cuts: number },
): Promise<{ readonly refusal: Failure | null; readonly report: CheckResult | null }> => {
  const { artifacts, dispatcher, workFolder, wallSeconds } = dependencies;
  const workdir = join(workFolder, 'check', ...experiment.id.split('/'), `${hash.slice(0, 12)}-${cuts}`);
  await mkdir(workdir, { recursive: true });
  const request: CheckRequest = {
    ...(await placePrograms(dependencies, { campaign, hash, workdir })),
    rung: rungs[campaign.settings.rung],
    seed: campaign.settings.seed,
    cuts,
    flopsLimit: flopsLimits[experiment.kind],
  };
  const end = await withHeartbeat((beat, signal) =>
    dispatcher.run(
      {
        id: `${experiment.id}#check-${hash.slice(0, 12)}-${cuts}`,
        command: 'check',
        request,
        workdir,
        limits: { ...limits, wallSeconds, idleSeconds: wallSeconds },
      },
      {
        signal,
        events: { onQueued: (position) => beat({ waitingBehind: position }), onStarted: () => beat({ started: true }) },
      },
    ),
  );
  if (!end.ok && end.label === 'cancelled') await Context.current().cancelled;
  if (!end.ok && (end.label === 'infra' || end.label === 'cancelled')) throw infra(end.detail);
  const logArtifact = end.logTail === '' ? null : await artifacts.put(end.logTail);
  const result = end.ok ? checkResultSchema.safeParse(end.result) : null;
  await removeWorkdir(workFolder, workdir);
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
