import { type Campaign, isCampaignOver, rungOfTrial, settingsInForce } from '../../workflows/contracts/campaign.ts';
import { isTerminal } from '../../workflows/contracts/experiment.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { type CampaignSnapshot, minutesUsed, stateOf } from './snapshot.ts';

export interface Progress {
  /** 0 to 1. */
  readonly share: number;
  /** null until two trials have ended. */
  readonly msLeft: number | null;
}

/** Baselines that a finalist is confirmed against, at most. */
const comparedBaselines = 2;

/** How far the campaign is, counted in trials; the minutes' cap shortens what is left of the exploration. */
export const progressOf = (snapshot: CampaignSnapshot): Progress => {
  const { campaign, status } = snapshot;
  const state = stateOf(snapshot);
  if (campaign === null || state === null) return { share: 0, msLeft: null };
  if (isCampaignOver(state)) return { share: 1, msLeft: 0 };
  const settings = settingsInForce(campaign);
  const cap = status?.budget?.experiments.cap ?? settings.experiments;
  const verifying = state === 'verifying';
  const done = { explore: exploredTrials(snapshot), confirm: confirmedTrials(snapshot) };
  const allExplore = (settings.baselines.length + settings.starts.length + cap) * settings.exploreSeeds;
  const compared = Math.min(comparedBaselines, settings.baselines.length);
  const started = snapshot.activeTrials.filter(({ purpose }) => purpose === 'confirm').length;
  const allConfirm = Math.max((settings.finalists + compared) * settings.confirmSeeds, started);
  const left = {
    explore: verifying ? 0 : Math.max(0, allExplore - done.explore),
    confirm: Math.max(0, allConfirm - done.confirm),
  };
  const ended = done.explore + done.confirm;
  const countedShare = ended / Math.max(1, ended + left.explore + left.confirm);
  // Parts of trials say little: the first ones begin together, and Python is still starting.
  if (endedTrials(snapshot) < 2) return { share: countedShare, msLeft: null };
  const elapsedMs = Math.max(1, snapshot.nowMs - Date.parse(campaign.createdAt));
  const msPerTrial = elapsedMs / ended;
  const minutesCap = status?.budget?.minutes.cap ?? settings.minutes;
  const exploreMs = Math.min(left.explore * msPerTrial, Math.max(0, (minutesCap - minutesUsed(snapshot)) * 60_000));
  const msLeft = exploreMs + left.confirm * msPerTrial;
  return { share: elapsedMs / (elapsedMs + msLeft), msLeft };
};

/** Whole trials that are over. */
const endedTrials = ({ campaign, experiments, activeTrials }: CampaignSnapshot): number => {
  const overIds = new Set(experiments.filter(({ state }) => isTerminal(state)).map(({ id }) => id));
  const others = activeTrials.filter(
    (trial) => !overIds.has(trial.experimentId) && trialShare(campaign, trial) === 1 && trial.state !== 'running',
  );
  return overIds.size * (campaign?.settings.exploreSeeds ?? 1) + others.length;
};

const exploredTrials = ({ campaign, experiments, activeTrials }: CampaignSnapshot): number => {
  const seeds = campaign?.settings.exploreSeeds ?? 1;
  const over = experiments.filter(({ state }) => isTerminal(state));
  const overIds = new Set(over.map(({ id }) => id));
  const running = activeTrials.filter(({ purpose, experimentId }) => purpose === 'explore' && !overIds.has(experimentId));
  return over.length * seeds + running.reduce((sum, trial) => sum + trialShare(campaign, trial), 0);
};

const confirmedTrials = ({ campaign, activeTrials }: CampaignSnapshot): number =>
  activeTrials.filter(({ purpose }) => purpose === 'confirm').reduce((sum, trial) => sum + trialShare(campaign, trial), 0);

/** Part of a trial's steps that is done, 0 to 1. */
export const trialShare = (campaign: Campaign | null, trial: Trial): number => {
  if (trial.state === 'scored' || trial.state === 'failed' || trial.state === 'cancelled') return 1;
  const tasks = tasksOf(campaign, trial);
  const all = tasks.reduce((sum, { steps }) => sum + steps, 0);
  if (all === 0) return 0;
  const done = tasks.reduce((sum, { kind }) => sum + lastStep(trial, kind), 0);
  return Math.min(1, done / all);
};

/** Tasks of the trial with their steps; empty without a campaign. */
export const tasksOf = (campaign: Campaign | null, trial: Trial): readonly { readonly kind: string; readonly steps: number }[] =>
  campaign === null ? [] : rungOfTrial(campaign, trial).tasks;

const lastStep = (trial: Trial, task: string): number =>
  trial.curve.reduce((last, point) => (point.task === task ? Math.max(last, point.step) : last), 0);
