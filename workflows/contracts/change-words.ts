import type { Change } from './experiment.ts';

/** One change as everybody writes it: in lessons, motivations and views. Lessons are found again by it. */
export const changeWords = (change: Pick<Change, 'gene' | 'from' | 'to'>): string =>
  `${change.gene}: ${change.from} → ${change.to}`;
