import { normalTail, normalUpper } from './normal.ts';

export interface Looks {
  /** Seeds at each look, rising. */
  readonly looks: readonly number[];
  /** Chance of an error over all looks, one-sided. */
  readonly error: number;
}

/**
 * Error spent up to a share of the seeds: the type of O'Brien and Fleming, 2 - 2 Φ(z(error / 2) / √share) (K. Lan and D. DeMets,
 * Biometrika 70, 1983). It keeps most for the last look. The first look has more than half of the seeds here, so that what is left
 * for it is still of use; Pocock's type spends more there and finds less in all (`npm run bench -- nulls` on real trials: 32 % of
 * gains of one deviation with 3 to 4 seeds, this one 40 %).
 */
export const spentError = ({ share, error }: { readonly share: number; readonly error: number }): number =>
  2 * normalTail(normalUpper(error / 2) / Math.sqrt(Math.min(1, share)));

/**
 * One-sided level of the test at each look, so that together they err with chance `error`: the exit probabilities of a Brownian
 * motion by recursive integration (P. Armitage, C. McPherson and B. Rowe, J. R. Statist. Soc. A 132, 1969). The levels are used
 * with t's quantiles, whose variance is estimated at each look (C. Jennison and B. Turnbull, "Group Sequential Methods", 2000,
 * section 11.4): near exact, and simulated by the tests and by `npm run bench -- nulls`.
 */
export const nominalErrors = ({ looks, error }: Looks): readonly number[] => {
  if (!(error > 0 && error < 0.5)) throw new RangeError(`error ${error}; right would be between 0 and 0.5`);
  const last = looks.at(-1) ?? 0;
  const levels: number[] = [];
  let path: Path | null = null;
  let before = 0;
  for (const [index, seeds] of looks.entries()) {
    if (!(seeds > (looks[index - 1] ?? 0))) throw new RangeError(`looks ${looks.join(', ')}; right would be rising seeds`);
    const share = seeds / last;
    const spent = spentError({ share, error });
    const step = share - (looks[index - 1] ?? 0) / last;
    const boundary: number =
      path === null ? normalUpper(spent) * Math.sqrt(share) : exitAt(path, { step, chance: spent - before });
    levels.push(normalTail(boundary / Math.sqrt(share)));
    path = onwards(path, { step, boundary, share });
    before = spent;
  }
  return levels;
};

/** Density of the motion where it has not crossed yet, times the weight of Simpson's rule at each place. */
interface Path {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}
interface Step {
  readonly step: number;
  readonly boundary: number;
  readonly share: number;
}

const numPlaces = 401;
const reach = 8;

const onwards = (path: Path | null, { step, boundary, share }: Step): Path => {
  const from = -reach * Math.sqrt(share);
  const width = (boundary - from) / (numPlaces - 1);
  const places = Array.from({ length: numPlaces }, (_, index) => from + index * width);
  const weights = places.map((place, index) => {
    const simpson = index === 0 || index === numPlaces - 1 ? 1 : index % 2 === 1 ? 4 : 2;
    const density =
      path === null
        ? gauss(place, step)
        : path.places.reduce((sum, earlier, at) => sum + (path.weights[at] ?? 0) * gauss(place - earlier, step), 0);
    return (simpson * width * density) / 3;
  });
  return { places, weights };
};

const gauss = (distance: number, variance: number): number =>
  Math.exp((-0.5 * distance * distance) / variance) / Math.sqrt(2 * Math.PI * variance);

/** The boundary that the motion crosses in its next step with this chance, not having crossed before. */
const exitAt = (path: Path, { step, chance }: { readonly step: number; readonly chance: number }): number => {
  const crossing = (boundary: number): number =>
    path.places.reduce((sum, place, at) => sum + (path.weights[at] ?? 0) * normalTail((boundary - place) / Math.sqrt(step)), 0);
  let low = -reach;
  let high = reach;
  for (let halving = 0; halving < 60; halving++) {
    const middle = (low + high) / 2;
    if (crossing(middle) > chance) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};
