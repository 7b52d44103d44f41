import type { Effect } from '../../workflows/contracts/analysis.ts';
import type { Experiment, Verdict } from '../../workflows/contracts/experiment.ts';
import { paretoFront } from '../../workflows/rules/pareto.ts';
import { wrap } from './cells.ts';
import { effectText, shortId, signed } from './figures.ts';
import { type Look, type Tone, tint } from './look.ts';
import { changeText, exploredGain, nameOf } from './snapshot.ts';
import { type Column, table } from './table.ts';

/** One architecture of a ranking with what was measured of it. */
export interface Standing {
  readonly experiment: Experiment;
  /** Gain over the reference in bits per byte on the exploring seeds; null for the reference itself and where none was measured. */
  readonly explored: Effect | null;
  /** The same on the confirming seeds; null for what was not confirmed. */
  readonly confirmed: Effect | null;
  readonly isReference: boolean;
  /** A row of it was made without a wall: a mark for good. */
  readonly isUnwalled: boolean;
  /** False where that row may be the program's own making; it then has no rank. */
  readonly isRanked: boolean;
}

/** What the verdict says, in the words of the closing table. */
export const verdictText = ({ experiment, isReference, isRanked }: Standing): string => {
  if (isReference) return isRanked ? 'reference' : 'reference, not ranked';
  if (!isRanked) return verdictWords.unsandboxed('');
  if (experiment.kind === 'baseline') return 'baseline';
  const { verdict } = experiment;
  return verdict === null ? 'not confirmed' : verdictWords[verdict.verdict](verdict.against);
};

const verdictWords: Readonly<Record<Verdict['verdict'], (against: string) => string>> = {
  better: () => 'better',
  worse: (against) => `worse than ${against}`,
  'not-distinguishable': (against) => `not distinguishable from ${against}`,
  'known-baseline': (against) => `is the baseline ${against}`,
  unsandboxed: () => 'not ranked: no safe sandbox',
};

/** Confirmed gains before explored ones, each best first; the reference stands at zero among the best known; what has no rank comes last. */
export const rankStandings = (standings: readonly Standing[]): readonly Standing[] => {
  const anyConfirmed = standings.some(({ confirmed, isRanked }) => confirmed !== null && isRanked);
  const tier = ({ confirmed, isReference, isRanked }: Standing): number => {
    if (!isRanked) return 2;
    return confirmed !== null || (isReference && anyConfirmed) ? 0 : 1;
  };
  return standings.toSorted((a, b) => tier(a) - tier(b) || gainOf(b) - gainOf(a) || a.experiment.number - b.experiment.number);
};

const gainOf = ({ confirmed, explored, isReference }: Standing): number =>
  isReference ? 0 : (confirmed?.mean ?? explored?.mean ?? Number.NEGATIVE_INFINITY);

const measured = (effect: Effect | null, isReference: boolean): string => (isReference ? '0 (reference)' : effectText(effect));

const toneOf = (effect: Effect | null): Tone | null => {
  if (effect === null) return null;
  if (effect.low > 0) return 'green';
  return effect.high < 0 ? 'red' : null;
};

/** Gain in recall loss over the reference on the exploring seeds, nats; null where it was not measured. */
const recallGain = ({ experiment, isReference }: Standing): number | null =>
  isReference ? 0 : (experiment.fitness?.effects.find(({ metric }) => metric === 'recall-auc')?.mean ?? null);

/** Those that no other one beats in both loss and recall, on the exploring seeds. The two are never averaged. */
export const frontOf = (standings: readonly Standing[]): ReadonlySet<Standing> => {
  const measuredIn = (standing: Standing): readonly number[] => [
    standing.isReference ? 0 : (standing.explored?.mean ?? Number.NaN),
    recallGain(standing) ?? Number.NaN,
  ];
  const costed = standings
    .filter(({ isRanked }) => isRanked)
    .map((standing) => ({ standing, costs: measuredIn(standing).map((gain) => -gain) }));
  return new Set(paretoFront(costed).map(({ standing }) => standing));
};

/** Ranked by bits per byte, with the gain in recall beside it. */
export const standingsTable = (look: Look, standings: readonly Standing[]): readonly string[] => {
  const anyConfirmed = standings.some(({ confirmed }) => confirmed !== null);
  const anyRecall = standings.some((standing) => !standing.isReference && recallGain(standing) !== null);
  const front = frontOf(standings);
  const recallText = (standing: Standing): string => {
    const gain = recallGain(standing);
    return gain === null ? '–' : `${signed(gain, 3)}${front.has(standing) ? ' *' : ''}`;
  };
  const columns: Column<Standing>[] = [
    { title: 'id', cell: ({ experiment }) => shortId(experiment.id) },
    {
      title: 'name',
      cell: ({ experiment, isUnwalled }) => `${nameOf(experiment)}${isUnwalled ? ' †' : ''}`,
      shrink: 1,
      least: 12,
    },
    {
      title: 'explored',
      cell: ({ explored, isReference }) => measured(explored, isReference),
      tone: ({ explored }) => (anyConfirmed ? 'dim' : toneOf(explored)),
      ...(anyConfirmed ? { shrink: 3, least: 28 } : {}),
    },
    ...(anyConfirmed
      ? [
          {
            title: 'confirmed',
            cell: ({ confirmed, isReference }: Standing) => measured(confirmed, isReference),
            tone: ({ confirmed }: Standing) => toneOf(confirmed),
          },
        ]
      : []),
    ...(anyRecall ? [{ title: 'recall', cell: recallText }] : []),
    { title: 'verdict', cell: verdictText },
  ];
  const legend = 'recall: gain in nats of recall loss while exploring; * no other row is better in both';
  return [
    ...table(look, columns, standings),
    ...(anyRecall ? wrap(legend, look.width) : []),
    ...(standings.some(({ isUnwalled }) => isUnwalled) ? wrap(unwalledText(standings), look.width) : []),
    ...(standings.some(({ isUnwalled, isRanked }) => !isUnwalled && !isRanked) ? wrap(readableText, look.width) : []),
  ];
};

const readableText =
  'not ranked: scored where held-out text of the standard library could be read (as at tier S0P), in a campaign with programs that asi-arch did not write';

const unwalledText = (standings: readonly Standing[]): string =>
  standings.every(({ isRanked }) => isRanked)
    ? '† scored without a sandbox (tier none): every program of this campaign was written by asi-arch itself'
    : '† scored without a sandbox (tier none) in a campaign with programs that asi-arch did not write: such a program can write any score, so none of these is ranked or called better';

/** `e0007 name: decay.kind none → vector-data`, a line each. */
export const changeLines = (look: Look, standings: readonly Standing[]): readonly string[] =>
  standings.map(
    ({ experiment }) => `  ${tint(look, 'bold', shortId(experiment.id))} ${nameOf(experiment)}: ${changeText(experiment)}`,
  );

/** An experiment's place in the ranking. */
export const standingOf = (
  experiment: Experiment,
  facts: Pick<Standing, 'isReference' | 'confirmed'> & Partial<Pick<Standing, 'isUnwalled' | 'isRanked'>>,
): Standing => ({ experiment, explored: exploredGain(experiment), isUnwalled: false, isRanked: true, ...facts });
