import type { Experiment } from './experiment.ts';

/**
 * Model FLOPs a token that an experiment may cost, as a multiple of the reference's. Baselines are what is compared with, whatever they cost; the
 * cost stands beside them.
 */
export const flopsLimits: Readonly<Record<Experiment['kind'], number>> = { baseline: 4, start: 1.25, candidate: 1.25 };

/** Cuts of the first check. Finds a leak at 31 % of cuts with 95 %; rarer ones are looked for where a candidate is about to win something. */
export const checkCuts = 8;
