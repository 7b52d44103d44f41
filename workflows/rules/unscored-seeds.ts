import type { Trial } from '../contracts/trial.ts';

/** Longer details are cut: the whole of it stands in the trial. */
const mostCharacters = 240;

/** How the trainings on fresh seeds that have no score ended, by label and in the order of the seeds; empty where none failed. */
export const unscoredWords = (trials: readonly Pick<Trial, 'seed' | 'purpose' | 'failure'>[]): string =>
  [
    ...Map.groupBy(
      trials
        .flatMap(({ seed, purpose, failure }) => (purpose === 'confirm' && failure !== null ? [{ seed, ...failure }] : []))
        .toSorted((a, b) => a.seed - b.seed),
      ({ label }) => label,
    ).values(),
  ]
    .map(groupWords)
    .join('');

/** The first stands for all of a label: a program that fails tends to fail each time in the same way. */
const groupWords = (group: readonly { readonly seed: number; readonly label: string; readonly detail: string }[]): string => {
  const [first, ...others] = group;
  if (first === undefined) return '';
  const { seed, label, detail } = first;
  if (others.length === 0) return ` Seed ${seed} ended with ${label}: ${shortened(detail)}`;
  return ` Seeds ${group.map((one) => one.seed).join(', ')} ended with ${label}, seed ${seed} with: ${shortened(detail)}`;
};

/** One line that ends like a sentence. */
const shortened = (detail: string): string => {
  const line = detail.replaceAll(/\s+/g, ' ').trim();
  if (line.length > mostCharacters) return `${line.slice(0, mostCharacters).trimEnd()}...`;
  return /[.!?]$/.test(line) ? line : `${line}.`;
};
