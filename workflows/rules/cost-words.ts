import type { ModelSize } from '../contracts/architecture.ts';
import type { Trial } from '../contracts/trial.ts';
import { median } from './statistics.ts';

export interface CostInput {
  /** Name of the reference. */
  readonly against: string;
  /** CPU seconds of training by seed, as the supervisor measured them. */
  readonly candidate: ReadonlyMap<number, number>;
  readonly reference: ReadonlyMap<number, number>;
  readonly sizes: readonly ModelSize[];
}

/** Up to this a comparison at equal steps passes for one at equal cost. */
const equalCost = 1.25;

/**
 * What a finalist's training cost beside the reference's, to stand beside its gain: the median ratio of CPU seconds over common seeds, and
 * the largest ratio of FLOPs a token over the tasks. Empty where no seed has both.
 */
export const costWords = ({ against, candidate, reference, sizes }: CostInput): string => {
  const ratios = [...candidate].flatMap(([seed, seconds]) => {
    const other = reference.get(seed) ?? 0;
    return other > 0 ? [seconds / other] : [];
  });
  if (ratios.length === 0) return '';
  const times = median(ratios);
  const flops = sizes.reduce((most, size) => Math.max(most, size.flopsPerToken / size.referenceFlopsPerToken), 0);
  const said = ` Its training used ${times.toFixed(2)} times the CPU of ${against}${flops > 0 ? ` at ${flops.toFixed(2)} times the FLOPs a token` : ''}.`;
  return times <= equalCost
    ? said
    : `${said} The comparison is at equal steps, not at equal CPU: with as much CPU ${against} would have trained for longer.`;
};

/** CPU seconds of the trainings on fresh seeds that were scored, by seed. */
export const confirmingSeconds = (
  trials: readonly Pick<Trial, 'purpose' | 'state' | 'seed' | 'usage'>[],
): ReadonlyMap<number, number> =>
  new Map(
    trials.flatMap(({ purpose, state, seed, usage }) =>
      purpose === 'confirm' && state === 'scored' && usage !== undefined ? [[seed, usage.trainSeconds] as const] : [],
    ),
  );
