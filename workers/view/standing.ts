import type { Effect } from '../../workflows/contracts/analysis.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
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

/** Gain in recall loss over the reference on the exploring seeds, nats; null where it was not measured. */
const recallGain = ({ experiment, isReference }: Standing): number | null =>
  isReference ? 0 : (experiment.fitness?.effects.find(({ metric }) => metric === 'recall-auc')?.mean ?? null);

/** Those that no other one beats in both loss and recall, on the exploring seeds. The two are never averaged. */
export const frontOf = (standings: readonly Standing[]): ReadonlySet<Standing> => {
  const measuredIn = (standing: Standing): readonly number[] => [
    standing.isReference ? 0 : (standing.explored?.mean ?? Number.NaN),
    recallGain(standing) ?? Number.NaN,
  ];
  const costed = standings.map((standing) => ({ standing, costs: measuredIn(standing).map((gain) => -gain) }));
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
    ...(anyRecall ? [{ title: 'recall', cell: recallText }] : []),
    { title: 'verdict', cell: verdictText },
  ];
  const legend = 'recall: gain in nats of recall loss while exploring; * no other row is better in both';
  return [...table(look, columns, standings), ...(anyRecall ? wrap(legend, look.width) : [])];
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
