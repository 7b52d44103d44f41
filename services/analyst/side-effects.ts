import type { Comparison } from '../../workflows/contracts/analysis.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { nameOf, sizeOf } from './compare.ts';
import { effectOn, type Standing, standingOf } from './effect-words.ts';

/** Ratios nearer to one than this are within what timing on a shared machine does by itself. */
const telling = 0.1;
const tellingWidth = 0.05;

/** What the change did besides its main effect, where the measurements can tell: recall against loss, speed, size. */
export const sideEffects = ({
  experiment,
  comparison,
  other,
}: {
  readonly experiment: Experiment;
  readonly comparison: Comparison | null;
  /** The experiment behind the comparison. */
  readonly other: Experiment | null;
}): readonly string[] => {
  if (comparison === null || other === null) return [];
  return [...tradeOf(comparison), ...speedOf(comparison), ...sizeChange(experiment, other)];
};

const tradeOf = (comparison: Comparison): readonly string[] => {
  const loss = standing(comparison, 'bits-per-byte');
  const recall = standing(comparison, 'recall-auc');
  if (loss === 'gained' && recall === 'lost') return ['The gain in bits per byte was paid for in recall.'];
  if (loss === 'lost' && recall === 'gained') return ['Recall was bought with bits per byte.'];
  if (loss === 'gained' && recall === 'gained') return ['Bits per byte and recall gained together.'];
  if (loss === 'lost' && recall === 'lost') return ['Bits per byte and recall suffered together.'];
  return [];
};

const standing = (comparison: Comparison, metric: 'bits-per-byte' | 'recall-auc'): Standing => {
  const effect = effectOn(comparison, metric);
  return effect === null ? 'untold' : standingOf(effect);
};

const speedOf = ({ timeRatio, name }: Comparison): readonly string[] => {
  if (timeRatio === null || Math.abs(timeRatio - 1) < telling) return [];
  return [
    `A trained token took ${timeRatio.toFixed(2)} times the CPU time of ${name} (median over trials, without an interval).`,
  ];
};

/** Parameters are matched by the MLP, so a dearer mixer shows as a narrower MLP. */
const sizeChange = (experiment: Experiment, other: Experiment): readonly string[] => {
  const [own, before] = [sizeOf(experiment), sizeOf(other)];
  if (own === null || before === null || own.task !== before.task) return [];
  const width = own.mlpHidden / before.mlpHidden;
  if (Math.abs(width - 1) < tellingWidth) return [];
  const mixer =
    before.mixerParameters > 0
      ? `, for ${(own.mixerParameters / before.mixerParameters).toFixed(2)} times the mixer parameters`
      : '';
  return [`To keep the model's size its MLP is ${width.toFixed(2)} times as wide as that of ${nameOf(other)}${mixer}.`];
};
