import type { Archive } from '../../services/archive/archive.ts';
import type { CampaignDigest, ExperimentOutcome } from '../../workflows/contracts/activities.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { BestRow } from '../../workflows/contracts/messages.ts';
import type { Outage } from '../../workflows/contracts/outage.ts';
import { countOutages } from '../../workflows/rules/outage-words.ts';
import { referenceId } from './calibrate.ts';

const bestShown = 8;
const failuresShown = 5;
const failuresRead = 50;

export interface DigestDependencies {
  readonly archive: Archive;
  /** Breaks of Python processes on this machine since an instant; none where nobody writes them down. */
  readonly outages?: (since: string) => readonly Outage[];
}

/** What a status query and the Web UI's details need, from the archive: a few rows, whatever the campaign's size. */
export const readDigest = async ({ archive, outages }: DigestDependencies, campaignId: string): Promise<CampaignDigest> => {
  const [campaign, counts, leaders, failures, totals] = await Promise.all([
    archive.getCampaign(campaignId),
    archive.countExperiments(campaignId),
    archive.leaderboard(campaignId, bestShown),
    // The newest by number: those that ended last are among them, since few are in flight at once.
    archive.listExperiments(campaignId, { states: ['failed', 'rejected'], latest: failuresRead }),
    archive.ledgerTotals(campaignId),
  ]);
  const leading = await Promise.all(leaders.map((node) => archive.getExperiment(node.id)));
  return {
    finished: { recorded: counts.recorded, rejected: counts.rejected, failed: counts.failed, cancelled: counts.cancelled },
    best: leading.filter((experiment) => experiment !== null).map(bestRow),
    lastFailures: failures
      .toSorted((a, b) => (b.finishedAt ?? '').localeCompare(a.finishedAt ?? ''))
      .slice(0, failuresShown)
      .flatMap(({ id, failure }) =>
        failure === null ? [] : [{ experimentId: id, label: failure.label, detail: failure.detail.slice(0, 300) }],
      ),
    trialSeconds: totals['trial-seconds'].settled,
    trialSecondsReserved: totals['trial-seconds'].open,
    outages: campaign === null ? [] : countOutages(outages?.(campaign.createdAt) ?? []),
  };
};

export const bestRow = (experiment: Experiment): BestRow => ({
  experimentId: experiment.id,
  name: nameOf(experiment),
  kind: experiment.kind,
  fitness: experiment.fitness?.value ?? null,
  ...(experiment.id === referenceId(experiment.campaignId)
    ? { gain: null, isReference: true }
    : { gain: lossEffect(experiment) }),
  changed: changedText(experiment),
  verdict: experiment.verdict === null ? null : experiment.verdict.verdict,
  ...((experiment.verdict?.sandboxTier ?? experiment.fitness?.sandboxTier) === 'none' ? { isUnwalled: true } : {}),
});

/** Gain in bits per byte over the reference on the exploring seeds. */
export const lossEffect = (experiment: Experiment): BestRow['gain'] =>
  experiment.fitness?.effects.find((effect) => effect.metric === 'bits-per-byte') ?? null;

export const nameOf = (experiment: Experiment): string => experiment.proposal?.name ?? `experiment ${experiment.number}`;

export const changedText = (experiment: Experiment): string =>
  (experiment.proposal?.changes ?? []).map((change) => `${change.gene}: ${change.from} → ${change.to}`).join('; ');

export const outcomeOf = (experiment: Experiment): ExperimentOutcome => ({
  experimentId: experiment.id,
  number: experiment.number,
  name: nameOf(experiment),
  state:
    experiment.state === 'rejected' || experiment.state === 'failed' || experiment.state === 'cancelled'
      ? experiment.state
      : 'recorded',
  label: experiment.failure?.label ?? null,
  detail: (experiment.failure?.detail ?? experiment.analysis?.summary ?? '').slice(0, 1500),
  fitness: experiment.fitness?.value ?? null,
  gain: experiment.kind === 'baseline' ? null : (lossEffect(experiment)?.mean ?? null),
});
