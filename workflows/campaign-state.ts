import { ApplicationFailure } from '@temporalio/workflow';
import type { CampaignDigest, CampaignPlan, ExperimentOutcome } from './contracts/activities.ts';
import type { CampaignState, Conclusion } from './contracts/campaign.ts';
import { type BudgetChange, type CampaignStatus, openingStage } from './contracts/messages.ts';
import { outageWords } from './rules/outage-words.ts';

/** What a campaign hands to its next run when it continues as new. Ids and numbers only; the archive holds the rest. */
export interface CampaignCarry {
  readonly plan: CampaignPlan;
  readonly startedAtMs: number;
  readonly nextNumber: number;
  readonly candidatesStarted: number;
  readonly startsDone: boolean;
  readonly finishedSincePool: number;
  readonly paused: boolean;
  readonly pausedMs: number;
  readonly pausedSinceMs: number | null;
  readonly budgetSpent: boolean;
  readonly outagesInRow: number;
  readonly stopRequested: boolean;
  readonly hints: readonly string[];
  /** Absent in campaigns of an earlier version. */
  readonly notices?: readonly string[];
  readonly budget: Required<BudgetChange>;
  readonly bestGain: number | null;
}

const emptyDigest: CampaignDigest = {
  finished: { recorded: 0, rejected: 0, failed: 0, cancelled: 0 },
  best: [],
  lastFailures: [],
  trialSeconds: 0,
};

/** The live state of one campaign run: messages change it, the workflow waits on it. */
export class CampaignRun {
  readonly campaignId: string;
  plan: CampaignPlan | null = null;
  startedAtMs: number;
  state: CampaignState = 'calibrating';
  stage: string = openingStage;
  nextNumber = 1;
  candidatesStarted = 0;
  startsDone = false;
  finishedSincePool = 0;
  paused = false;
  stopRequested = false;
  hints: string[] = [];
  notices: readonly string[] = [];
  /** Caps that a person sent before there was a plan. */
  sentBudget: BudgetChange = {};
  budget: Required<BudgetChange> = { experiments: 0, minutes: 0, trialSeconds: 0 };
  /** Caps as the archive has them. */
  recordedBudget: Required<BudgetChange> = this.budget;
  /** The pause as the archive has it. */
  recordedPaused = false;
  /** Time spent in pauses that are over; it does not count as minutes used. */
  pausedMs = 0;
  pausedSinceMs: number | null = null;
  /** A trial was refused for want of trial seconds: nothing more can be trained. */
  budgetSpent = false;
  bestGain: number | null = null;
  digest: CampaignDigest = emptyDigest;
  conclusion: Conclusion | null = null;
  readonly inFlight = new Map<number, string>();
  /** Rises with everything that a waiting loop may want to see. */
  changes = 0;
  handledChanges = 0;
  /** First error of a child that was not the candidate's doing. */
  fault: unknown = null;
  outagesInRow = 0;
  lastOutage = '';
  /** Search attributes as last written. */
  shown: { readonly state: CampaignState | null; readonly experiments: number; readonly bestGain: number | null } = {
    state: null,
    experiments: -1,
    bestGain: null,
  };

  constructor(campaignId: string, startedAtMs: number) {
    this.campaignId = campaignId;
    this.startedAtMs = startedAtMs;
  }

  begin(plan: CampaignPlan): void {
    this.plan = plan;
    const { experiments, minutes, trialSeconds, hints } = plan.settings;
    this.recordedBudget = { experiments, minutes, trialSeconds };
    const isChanged = Object.keys(this.sentBudget).length > 0;
    this.budget = isChanged ? { ...this.recordedBudget, ...this.sentBudget } : this.recordedBudget;
    this.hints = [...hints, ...this.hints];
  }

  changeBudget(change: BudgetChange): void {
    if (this.plan === null) this.sentBudget = { ...this.sentBudget, ...change };
    this.budget = { ...this.budget, ...change };
    this.touch();
  }

  restore(carry: CampaignCarry): void {
    this.plan = carry.plan;
    this.startedAtMs = carry.startedAtMs;
    this.state = 'exploring';
    this.nextNumber = carry.nextNumber;
    this.candidatesStarted = carry.candidatesStarted;
    this.startsDone = carry.startsDone;
    this.finishedSincePool = carry.finishedSincePool;
    this.paused = carry.paused;
    this.recordedPaused = carry.paused;
    this.pausedMs = carry.pausedMs;
    this.pausedSinceMs = carry.pausedSinceMs;
    this.budgetSpent = carry.budgetSpent;
    this.outagesInRow = carry.outagesInRow;
    this.stopRequested = carry.stopRequested;
    this.hints = [...carry.hints];
    this.notices = carry.notices ?? [];
    this.budget = carry.budget;
    this.recordedBudget = carry.budget;
    this.bestGain = carry.bestGain;
  }

  carry(): CampaignCarry {
    return {
      plan: this.requirePlan(),
      startedAtMs: this.startedAtMs,
      nextNumber: this.nextNumber,
      candidatesStarted: this.candidatesStarted,
      startsDone: this.startsDone,
      finishedSincePool: this.finishedSincePool,
      paused: this.paused,
      pausedMs: this.pausedMs,
      pausedSinceMs: this.pausedSinceMs,
      budgetSpent: this.budgetSpent,
      outagesInRow: this.outagesInRow,
      stopRequested: this.stopRequested,
      hints: this.hints,
      notices: this.notices,
      budget: this.budget,
      bestGain: this.bestGain,
    };
  }

  requirePlan(): CampaignPlan {
    if (this.plan === null) throw ApplicationFailure.nonRetryable('the campaign has no plan yet', 'Assertion');
    return this.plan;
  }

  finished(outcome: ExperimentOutcome): void {
    this.finishedSincePool += 1;
    if (outcome.label === 'budget') this.budgetSpent = true;
    // Three programs in a row that take the machine down are less likely than a machine that goes down.
    const isOutage = outcome.label === 'infra' || outcome.label === 'poison';
    this.outagesInRow = isOutage ? this.outagesInRow + 1 : 0;
    if (isOutage) this.lastOutage = outcome.detail;
    if (outcome.gain !== null && (this.bestGain === null || outcome.gain > this.bestGain)) this.bestGain = outcome.gain;
  }

  touch(): void {
    this.changes += 1;
  }

  minutesUsed(nowMs: number): number {
    const inPause = this.pausedSinceMs === null ? 0 : nowMs - this.pausedSinceMs;
    return (nowMs - this.startedAtMs - this.pausedMs - inPause) / 60_000;
  }

  pause(nowMs: number): void {
    this.paused = true;
    this.pausedSinceMs ??= nowMs;
    this.touch();
  }

  resume(nowMs: number): void {
    this.paused = false;
    if (this.pausedSinceMs !== null) this.pausedMs += nowMs - this.pausedSinceMs;
    this.pausedSinceMs = null;
    this.touch();
  }

  private budgetUse(nowMs: number): CampaignStatus['budget'] {
    const { trialSeconds, trialSecondsReserved = 0 } = this.digest;
    return {
      experiments: { used: this.candidatesStarted, cap: this.budget.experiments },
      minutes: { used: this.minutesUsed(nowMs), cap: this.budget.minutes },
      trialSeconds: { used: trialSeconds, reserved: trialSecondsReserved, cap: this.budget.trialSeconds },
    };
  }

  status(nowMs: number): CampaignStatus {
    return {
      campaignId: this.campaignId,
      state: this.paused && (this.state === 'exploring' || this.state === 'calibrating') ? 'paused' : this.state,
      stage: this.stage,
      notices: [...this.notices, ...(this.digest.outages ?? []).map(outageWords)],
      inFlight: [...this.inFlight.values()],
      finished: this.digest.finished,
      budget: this.plan === null ? null : this.budgetUse(nowMs),
      best: this.digest.best,
      lastFailures: this.digest.lastFailures,
      hints: this.hints,
      conclusion: this.conclusion,
    };
  }
}
