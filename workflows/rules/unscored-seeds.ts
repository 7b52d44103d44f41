import type { Trial } from '../contracts/trial.ts';

/** Longer details are cut: the whole of it stands in the trial. */
const mostCharacters = 240;

/** How the trainings on fresh seeds that have no score ended, in the order of the seeds; empty where none failed. */
export const unscoredWords = (trials: readonly Pick<Trial, 'seed' | 'purpose' | 'failure'>[]): string =>
  trials
    .flatMap(({ seed, purpose, failure }) => (purpose === 'confirm' && failure !== null ? [{ seed, ...failure }] : []))
    .toSorted((a, b) => a.seed - b.seed)
    .map(({ seed, label, detail }) => ` Seed ${seed} ended with ${label}: ${shortened(detail)}`)
    .join('');

/** One line that ends like a sentence. */
const shortened = (detail: string): string => {
  const line = detail.replaceAll(/\s+/g, ' ').trim();
  if (line.length > mostCharacters) return `${line.slice(0, mostCharacters).trimEnd()}...`;
  return /[.!?]$/.test(line) ? line : `${line}.`;
};
