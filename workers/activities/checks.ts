import { join } from 'node:path';
import type { CheckActivities, StepResult } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';
import type { Failure } from '../../workflows/contracts/failure.ts';
import { checkCuts, flopsLimits } from '../../workflows/contracts/gate-limits.ts';
import type { CheckResult } from '../../workflows/contracts/trial.ts';
import { sizeDoubt } from '../../workflows/rules/model-size.ts';
import { referenceId } from './calibrate.ts';
import { runControls } from './controls.ts';
import { changeExperiment, requireCampaign, requireExperiment } from './experiment-record.ts';
import { infra } from './heartbeat.ts';
import { readMachine } from './read-machine.ts';
import { type CheckDependencies, type GatesRun, runGates } from './run-gates.ts';
import { admitProgram, requireSandbox } from './sandbox-tier.ts';
import { checkFolder } from './workdir.ts';

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
  async runControls({ campaignId }) {
    await runControls(dependencies, await requireCampaign(dependencies.archive, campaignId));
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
  const { refusal: gatesRefusal, report } = await runGates(dependencies, gatesOf(dependencies, { ...subject, cuts: checkCuts }));
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
  const { refusal, report } = await runGates(dependencies, gatesOf(dependencies, subject));
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

const gatesOf = (
  { workFolder }: CheckDependencies,
  { experiment, campaign, hash, cuts }: Subject & { readonly cuts: number },
): GatesRun => ({
  jobId: `${experiment.id}#check-${hash.slice(0, 12)}-${cuts}`,
  campaign,
  hash,
  cuts,
  kind: experiment.kind,
  workdir: join(checkFolder(workFolder), ...experiment.id.split('/'), `${hash.slice(0, 12)}-${cuts}`),
});
