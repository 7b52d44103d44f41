import type { Effect } from '../../workflows/contracts/analysis.ts';
import type { Campaign, CampaignState } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { CampaignStatus } from '../../workflows/contracts/messages.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { plain } from './cells.ts';

/** What is known of a campaign at one moment: the record, and the workflow's own word where it answers. */
export interface CampaignSnapshot {
  readonly campaignId: string;
  /** null before the campaign's record is written. */
  readonly campaign: Campaign | null;
  /** null when no worker answered. */
  readonly status: CampaignStatus | null;
  /** By number. */
  readonly experiments: readonly Experiment[];
  /** Trials of experiments that are not over and, while verifying, of those that are confirmed. */
  readonly activeTrials: readonly Trial[];
  /** What is wrong on this machine now, a full disk for example. */
  readonly trouble?: string | null;
  readonly nowMs: number;
}

export const stateOf = (snapshot: CampaignSnapshot): CampaignState | null =>
  snapshot.status?.state ?? snapshot.campaign?.state ?? null;

/** Minutes since the start. The workflow's own figure stands still between its events, so the clock speaks until it is over. */
export const minutesUsed = ({ campaign, status, nowMs }: CampaignSnapshot): number => {
  const told = status?.budget?.minutes.used ?? 0;
  if (campaign === null) return told;
  const endMs = campaign.finishedAt === null ? nowMs : Date.parse(campaign.finishedAt);
  return Math.max(told, (endMs - Date.parse(campaign.createdAt)) / 60_000);
};

export const nameOf = (experiment: Experiment): string =>
  experiment.proposal === null ? 'not proposed yet' : plain(experiment.proposal.name);

/** What was changed against the parent, in gene words. */
export const changeText = (experiment: Experiment): string => {
  const changes = experiment.proposal?.changes ?? [];
  if (changes.length > 0) return changes.map(({ gene, from, to }) => `${plain(gene)} ${plain(from)} → ${plain(to)}`).join(', ');
  if (experiment.proposal === null) return '';
  if (experiment.kind === 'baseline') return 'baseline';
  return experiment.kind === 'start' ? 'given program' : 'nothing named';
};

/** Why each program before the present one was refused; the present one came of mending it. */
export const repairsOf = ({ attempts, architecture }: Experiment): readonly string[] =>
  attempts.filter(({ hash }) => hash !== architecture?.hash).map(({ failure }) => `${failure.label} ${plain(failure.detail)}`);

/** Gain over the reference in bits per byte from the exploring seeds. */
export const exploredGain = (experiment: Experiment): Effect | null =>
  experiment.fitness?.effects.find(({ metric }) => metric === 'bits-per-byte') ?? null;

/** The architecture that every gain is measured against. */
export const referenceName = (snapshot: CampaignSnapshot): string => snapshot.campaign?.settings.baselines[0] ?? 'the reference';

/** Whether this is the experiment that every gain is measured against. */
export const isReference = (snapshot: Pick<CampaignSnapshot, 'campaign'>, { kind, proposal }: Experiment): boolean =>
  kind === 'baseline' && proposal !== null && proposal.name === snapshot.campaign?.settings.baselines[0];
