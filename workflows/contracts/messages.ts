import type { Effect } from './analysis.ts';
import type { CampaignState, Conclusion } from './campaign.ts';
import type { Failure } from './failure.ts';

/** Names that the Temporal Web UI, the command line and the workflows share. */
export const workflowTypes = {
  campaign: 'discoverArchitectures',
  experiment: 'runExperiment',
  verification: 'verifyArchitecture',
} as const;
export const taskQueues = { discovery: 'discovery', agents: 'agents', checks: 'checks', training: 'training' } as const;
export const updateNames = {
  pause: 'pause',
  resume: 'resume',
  stop: 'stopAfterCurrent',
  hint: 'addHint',
  budget: 'setBudget',
} as const;
/** Stages of a campaign that trains nothing yet. */
export const openingStage = 'checking the settings, preparing the data and starting Python';
export const waitingStage = 'waiting for a sandbox; cancel ends the campaign';
export const statusQuery = 'status';
/** Custom search attributes, registered when the server starts. */
export const searchAttributes = {
  AsiCampaign: 'Keyword',
  AsiStage: 'Keyword',
  AsiPreset: 'Keyword',
  AsiKind: 'Keyword',
  AsiOutcome: 'Keyword',
  AsiBestGain: 'Double',
  AsiExperiments: 'Int',
} as const;

/** New caps of a running campaign; at least one. */
export interface BudgetChange {
  readonly experiments?: number;
  readonly minutes?: number;
  readonly trialSeconds?: number;
}

/** One row of the table of best, small enough for a query reply and a details text. */
export interface BestRow {
  readonly experimentId: string;
  readonly name: string;
  readonly kind: 'baseline' | 'start' | 'candidate';
  readonly fitness: number | null;
  /** Gain over the reference in bits per byte, positive is better; null for the reference itself and where none was measured. */
  readonly gain: Effect | null;
  readonly isReference?: boolean;
  readonly changed: string;
  readonly verdict: string | null;
  /** Set where a row of it was made without a sandbox. */
  readonly isUnwalled?: boolean;
}

/** Answer of the status query. */
export interface CampaignStatus {
  readonly campaignId: string;
  readonly state: CampaignState;
  /** One sentence: what is happening now. */
  readonly stage: string;
  /** What a person should know of this machine: it waits for a sandbox, or has fewer slots than were asked for. */
  readonly notices: readonly string[];
  readonly inFlight: readonly string[];
  readonly finished: {
    readonly recorded: number;
    readonly rejected: number;
    readonly failed: number;
    readonly cancelled: number;
  };
  /** null while the settings are not read, or were refused. */
  readonly budget: {
    readonly experiments: { readonly used: number; readonly cap: number };
    readonly minutes: { readonly used: number; readonly cap: number };
    /** `used` is what ended trials took, and never falls; `reserved` is held for those that run. */
    readonly trialSeconds: { readonly used: number; readonly reserved: number; readonly cap: number };
  } | null;
  readonly best: readonly BestRow[];
  readonly lastFailures: readonly (Pick<Failure, 'label' | 'detail'> & { readonly experimentId: string })[];
  readonly hints: readonly string[];
  readonly conclusion: Conclusion | null;
}
