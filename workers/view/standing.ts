import type { Effect } from '../../workflows/contracts/analysis.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { effectText, shortId } from './figures.ts';
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
}

/** What the verdict says, in the words of the closing table. */
export const verdictText = ({ experiment, isReference }: Standing): string => {
  if (isReference) return 'reference';
  if (experiment.kind === 'baseline') return 'baseline';
  const { verdict } = experiment;
  if (verdict === null) return 'not confirmed';
  if (verdict.verdict === 'better') return 'better';
  return verdict.verdict === 'worse' ? `worse than ${verdict.against}` : `not distinguishable from ${verdict.against}`;
};

/** Confirmed gains before explored ones, each best first; the reference stands at zero among the best known. */
export const rankStandings = (standings: readonly Standing[]): readonly Standing[] => {
  const anyConfirmed = standings.some(({ confirmed }) => confirmed !== null);
  const tier = ({ confirmed, isReference }: Standing): number => (confirmed !== null || (isReference && anyConfirmed) ? 0 : 1);
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

export const standingsTable = (look: Look, standings: readonly Standing[]): readonly string[] => {
  const anyConfirmed = standings.some(({ confirmed }) => confirmed !== null);
  const columns: Column<Standing>[] = [
    { title: 'id', cell: ({ experiment }) => shortId(experiment.id) },
    { title: 'name', cell: ({ experiment }) => nameOf(experiment), shrink: 1, least: 12 },
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
    { title: 'verdict', cell: verdictText },
  ];
  return table(look, columns, standings);
};

/** `e0007 name: decay.kind none → vector-data`, a line each. */
export const changeLines = (look: Look, standings: readonly Standing[]): readonly string[] =>
  standings.map(
    ({ experiment }) => `  ${tint(look, 'bold', shortId(experiment.id))} ${nameOf(experiment)}: ${changeText(experiment)}`,
  );

/** An experiment's place in the ranking. */
export const standingOf = (
  experiment: Experiment,
  facts: { readonly isReference: boolean; readonly confirmed: Effect | null },
): Standing => ({ experiment, explored: exploredGain(experiment), ...facts });
