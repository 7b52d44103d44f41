import type { NoiseFloor } from './campaign.ts';
import type { FailureLabel } from './failure.ts';
import type { BaselineName } from './genome.ts';
import type { BudgetChange, CampaignStatus } from './messages.ts';
import type { OutageCount } from './outage.ts';
import type { OtherRate } from './rung.ts';
import type { CampaignSettings } from './settings.ts';
import type { TrialPurpose } from './trial.ts';

/** `ApplicationFailure.type` of failures that no retry can cure. */
export const failureTypes = {
  invalidInput: 'InvalidCampaignInput',
  campaignExists: 'CampaignExists',
  dataRefused: 'DataRefused',
  missingRecord: 'MissingRecord',
  unusableArchive: 'UnusableArchive',
  unjudgeable: 'Unjudgeable',
  brokenPython: 'BrokenPython',
} as const;

/** Name of the archive's error for a record that its schema refuses; it passes through activities as it is. */
export const unstorableType = 'InvalidRecordError';

/** Cuts of an audit by what is at stake: a leak at 3 % of positions is found by 100 with 95 %, one at 1 % by 300. */
export const auditCuts = { finalist: 100, champion: 300 } as const;

export interface CampaignPlan {
  readonly campaignId: string;
  readonly settings: CampaignSettings;
  readonly exploreSeeds: readonly number[];
  /** Seeds of the baselines: the exploring ones, at least two. */
  readonly calibrationSeeds: readonly number[];
  /** Least cap on trial seconds with which a trial can begin; absent in plans of the version before. */
  readonly leastTrialSeconds?: number;
  /** Fresh seeds of the first look; `planConfirmation` names those of later ones. */
  readonly confirmSeeds: readonly number[];
}

/** What an experiment starts from. */
export type ExperimentOrigin =
  | { readonly kind: 'baseline'; readonly baseline: BaselineName }
  /** A baseline's name or the path of a mixer file. */
  | { readonly kind: 'start'; readonly start: string }
  | { readonly kind: 'candidate' };

export interface ExperimentInput {
  readonly campaignId: string;
  readonly experimentId: string;
  readonly number: number;
  readonly origin: ExperimentOrigin;
  readonly seeds: readonly number[];
  readonly maxRepairs: number;
  readonly hints: readonly string[];
}

/** Answer of one experiment to its campaign: ids and a line of text, never a record. */
export interface ExperimentOutcome {
  readonly experimentId: string;
  readonly number: number;
  readonly name: string;
  readonly state: 'recorded' | 'rejected' | 'failed' | 'cancelled';
  readonly label: FailureLabel | null;
  readonly detail: string;
  readonly fitness: number | null;
  /** Gain over the reference in bits per byte; null for baselines before calibration ends and for failures. */
  readonly gain: number | null;
}

export interface TrialInput {
  readonly trialId: string;
  readonly experimentId: string;
  readonly seed: number;
  readonly purpose: TrialPurpose;
  /** With the purpose `rate` alone. */
  readonly rate?: OtherRate | undefined;
}
export type StepResult = { readonly ok: true } | { readonly ok: false; readonly label: FailureLabel; readonly detail: string };

/** Queue `discovery`: the record. */
export interface DiscoveryActivities {
  /** Checks the input, prepares data, writes the campaign record. Non-retryable: invalidInput, campaignExists, dataRefused. */
  openCampaign(request: {
    readonly campaignId: string;
    readonly workflowId: string;
    readonly runId: string;
    readonly input: unknown;
  }): Promise<CampaignPlan>;
  /** Computes and stores what seeds alone do. */
  calibrateNoise(request: {
    readonly campaignId: string;
  }): Promise<{ readonly noise: readonly NoiseFloor[]; readonly failedBaselines: readonly string[] }>;
  setCampaignState(request: {
    readonly campaignId: string;
    readonly state: 'calibrating' | 'exploring' | 'verifying' | 'paused';
  }): Promise<void>;
  setBudget(request: { readonly campaignId: string; readonly change: BudgetChange }): Promise<void>;
  rebuildPool(request: { readonly campaignId: string }): Promise<void>;
  /** The table of best, failures and budget use, from the archive. */
  readDigest(request: { readonly campaignId: string }): Promise<CampaignDigest>;
  /** Fitness from score rows; state judged. */
  judgeExperiment(request: { readonly experimentId: string }): Promise<{
    readonly fitness: number;
    readonly gain: number | null;
    /** Trials that the champion set is to be asked about first, where the result is too good to be taken at its word; else absent. */
    readonly doubtedTrials?: readonly string[];
  }>;
  /** What fresh data say of a result that was too good; not ok where it is not there. */
  settleDoubts(request: { readonly experimentId: string }): Promise<StepResult>;
  /** The one terminal record. The first writer wins; a retry gets what is stored. */
  finishExperiment(request: {
    readonly experimentId: string;
    readonly end:
      | { readonly state: 'recorded' }
      | {
          readonly state: 'rejected' | 'failed' | 'cancelled';
          readonly label: FailureLabel;
          readonly detail: string;
          readonly stage: 'propose' | 'novelty' | 'check' | 'train' | 'score' | 'analyse' | 'record';
        };
  }): Promise<ExperimentOutcome>;
  /** Candidates with the best fitness, and the baselines that they must beat, with the trials that confirm them. */
  chooseFinalists(request: {
    readonly campaignId: string;
  }): Promise<{ readonly finalists: readonly string[]; readonly baselines: readonly string[] }>;
  /**
   * After `numTried` fresh seeds were trained or tried: the seeds of the next look, and the finalists whose verdict they may still
   * change with the baselines that these are compared with. No seeds when every verdict stands; then the trials of the finalists that
   * are better so far, and of those baselines: "better" must hold on the champion set too.
   */
  planConfirmation(request: { readonly campaignId: string; readonly numTried: number }): Promise<ConfirmationPlan>;
  /** Verdicts on fresh seeds, conclusion, report and bundles; state finished. */
  concludeCampaign(request: { readonly campaignId: string }): Promise<NonNullable<CampaignStatus['conclusion']>>;
  /** Ends a campaign that will not conclude and records its open experiments as cancelled. */
  endCampaign(request: {
    readonly campaignId: string;
    readonly state: 'cancelled' | 'failed';
    readonly reason: string;
    /** Run id of the workflow that opened it, as far as it knows; a record of another run, or none, is left as it is. */
    readonly openedBy?: string;
  }): Promise<void>;
}

/** One baseline at one other rate, and the seeds to train it with. */
export interface RateTrials {
  readonly experimentId: string;
  readonly rate: OtherRate;
  readonly seeds: readonly number[];
}

export interface ConfirmationPlan {
  readonly seeds: readonly number[];
  readonly finalists: readonly string[];
  readonly baselines: readonly string[];
  /**
   * Baselines to train at another learning rate, on fresh seeds of what is better at the rung's own; absent in histories of older versions. What is
   * left of a finalist with such trainings open is no champion yet.
   */
  readonly rates?: readonly RateTrials[];
  /** Finalists that are better so far, at every rate; final when there are no seeds to train. */
  readonly champions: readonly string[];
  /** Trials that the champion set is to be asked about when there are no seeds to train. */
  readonly championTrials: readonly string[];
  /** One line for a person. */
  readonly reason: string;
}

export type CampaignDigest = Pick<CampaignStatus, 'finished' | 'best' | 'lastFailures'> & {
  /** What ended trials took. In histories of the version before, what running ones hold too. */
  readonly trialSeconds: number;
  /** Held for trials that run; absent in histories of the version before. */
  readonly trialSecondsReserved?: number;
  /** Python processes that broke since the campaign began; absent in histories of the version before. */
  readonly outages?: readonly OutageCount[];
};

/** Queue `agents`: researcher, engineer and analyst. */
export interface ResearchActivities {
  /** Writes the proposal and its program into the experiment. Idempotent: a stored proposal is kept. */
  proposeExperiment(input: ExperimentInput): Promise<ProposeResult>;
  /** After a failed check: a new program for the same experiment, or why there is none. */
  repairExperiment(request: {
    readonly experimentId: string;
    readonly attempt: number;
    readonly label: FailureLabel;
    readonly detail: string;
  }): Promise<ProposeResult>;
  analyseExperiment(request: { readonly experimentId: string }): Promise<void>;
}
export type ProposeResult =
  | { readonly ok: true; readonly name: string; readonly summary: string }
  | { readonly ok: false; readonly label: FailureLabel; readonly detail: string };

/** What the machine is, as a campaign needs it. */
export interface MachineFacts {
  /** Why none of the campaign's programs may run here, with the remedy; null when they may. */
  readonly waitsFor: string | null;
  /** Trials that run at the same time, of all campaigns together. */
  readonly slots: number;
}

/** Queue `checks`. */
export interface CheckActivities {
  /**
   * Starts Python and says whether the campaign's programs may run in its sandbox; waits up to `waitMs` until they may.
   * Non-retryable: brokenPython.
   */
  readMachine(request: { readonly campaignId: string; readonly waitMs: number }): Promise<MachineFacts>;
  /** Runs the gates on the experiment's program; stores sizes and evidence. */
  checkArchitecture(request: { readonly experimentId: string }): Promise<StepResult>;
  /** Runs the gates once more with so many cuts on what is about to win something; what they say is a record of its own. */
  auditArchitecture(request: { readonly experimentId: string; readonly cuts: number }): Promise<StepResult>;
  /** Sends an honest program and planted cheats through the gates of this campaign; how they ended stands in its record, once. */
  runControls(request: { readonly campaignId: string }): Promise<void>;
}

/** Queue `training`. */
export interface TrainingActivities {
  /** Train one trial on a slot. Re-attaches to its own running job; resumes from its checkpoint. */
  trainTrial(input: TrialInput): Promise<StepResult>;
  /** Has the judge score a trained trial on the set of its purpose: search for exploring, promotion for confirming. */
  scoreTrial(input: TrialInput): Promise<StepResult>;
  /** Has the judge score a scored trial once more, on the champion set. Its own record stays as it is. */
  scoreChampion(input: { readonly trialId: string }): Promise<StepResult>;
}
