/** Costs of one architecture, smaller is better on every axis: for example bits per byte, recall loss, CPU seconds a token. */
export interface Costed {
  readonly costs: readonly number[];
}

/**
 * Those that no other one dominates: none is at least as good on every axis and better on one (V. Pareto, 1906). Equal ones stay
 * together, in the order given. One with a cost that is not finite is never on the front, nor does it dominate.
 */
export const paretoFront = <T extends Costed>(all: readonly T[]): readonly T[] => {
  const measured = all.filter(({ costs }) => costs.every(Number.isFinite));
  return measured.filter((one) => !measured.some((other) => dominates(other, one)));
};

const dominates = (a: Costed, b: Costed): boolean =>
  a.costs.every((cost, axis) => cost <= (b.costs[axis] ?? Number.NaN)) &&
  a.costs.some((cost, axis) => cost < (b.costs[axis] ?? Number.NaN));
