import type { Archive } from '../../services/archive/archive.ts';
import { rungOfTrial } from '../../workflows/contracts/campaign.ts';
import type { Score } from '../../workflows/contracts/score.ts';
import type { Trial, TrialUsage } from '../../workflows/contracts/trial.ts';
import { aheadOfTraining, beyondBaselines } from '../../workflows/rules/ahead-of-training.ts';
import { type Pull, timesPull } from '../../workflows/rules/pull.ts';
import { median } from '../../workflows/rules/statistics.ts';
import { type Effort, type EffortVerdict, judgeEffort } from '../../workflows/rules/training-effort.ts';
import { referenceId } from './calibrate.ts';
import type { TrialContext } from './trial-record.ts';

interface JudgedEffort {
  readonly verdict: EffortVerdict;
  readonly usage: TrialUsage;
}

/**
 * What a trial used, against the campaign's baselines. Only exploring trials are compared in answering, since other sets ask for more: of
 * a confirming one its program's exploring trials speak. Null where the supervisor's figures are missing: a record of an older version.
 */
export const effortOf = async (
  archive: Archive,
  { campaign, experiment }: TrialContext,
  { trial, answerSeconds, rows }: { readonly trial: Trial; readonly answerSeconds: number; readonly rows: readonly Score[] },
): Promise<JudgedEffort | null> => {
  if (trial.usage === undefined) return null;
  const { trainSeconds, pull = null, pullOfOne = null } = trial.usage;
  const own: Effort = {
    sizes: experiment.architecture?.sizes ?? [],
    trainSeconds,
    answerSeconds:
      trial.purpose === 'explore'
        ? answerSeconds
        : medianOf(exploring(await archive.listTrials({ experimentId: experiment.id })).map((one) => one.usage.answerSeconds)),
  };
  const baselines = await baselineEfforts(archive, campaign.id);
  const reference = medianOf(
    baselines.filter(({ experimentId }) => experimentId === referenceId(campaign.id)).map((one) => one.effort.trainSeconds),
  );
  const ahead = aheadOfTraining(trial.curve, rows);
  // A baseline is the measure.
  const verdict = judgeEffort({
    rung: rungOfTrial(campaign, trial),
    own,
    baselines: experiment.kind === 'baseline' ? [] : baselines.map(({ effort }) => effort),
  });
  return {
    verdict,
    usage: {
      trainSeconds,
      pull,
      pullOfOne,
      timesPull: timesPull({ pull, pullOfOne }, baselines),
      aheadOfTraining: ahead,
      aheadOfBaselines: beyondBaselines(
        ahead,
        baselines.map((one) => one.ahead),
      ),
      answerSeconds,
      timesExpected: verdict.timesExpected,
      timesReference: reference === null || reference === 0 ? null : trainSeconds / reference,
      mark: verdict.kind === 'marked' ? verdict.detail : null,
    },
  };
};

const baselineEfforts = async (
  archive: Archive,
  campaignId: string,
): Promise<readonly (Pull & { readonly experimentId: string; readonly effort: Effort; readonly ahead: number | null })[]> => {
  const baselines = await archive.listExperiments(campaignId, { kinds: ['baseline'] });
  const efforts = await Promise.all(
    baselines.map(async ({ id, architecture }) =>
      exploring(await archive.listTrials({ experimentId: id })).map(
        ({ usage: { trainSeconds, answerSeconds, pull = null, pullOfOne = null, aheadOfTraining: ahead = null } }) => ({
          experimentId: id,
          effort: { sizes: architecture?.sizes ?? [], trainSeconds, answerSeconds },
          pull,
          pullOfOne,
          ahead,
        }),
      ),
    ),
  );
  return efforts.flat();
};

/** Exploring trials that were scored, with their figures. */
const exploring = (trials: readonly Trial[]): readonly (Trial & { readonly usage: TrialUsage })[] =>
  trials.flatMap((trial) =>
    trial.purpose === 'explore' && trial.state === 'scored' && trial.usage !== undefined
      ? [{ ...trial, usage: trial.usage }]
      : [],
  );

const medianOf = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
};
