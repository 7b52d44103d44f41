import type { GateResult } from '../../../workflows/contracts/architecture.ts';
import type { CheckResult } from '../../../workflows/contracts/trial.ts';

export const sizeDifferences = (stated: CheckResult['sizes'], found: CheckResult['sizes']): readonly string[] =>
  JSON.stringify(stated) === JSON.stringify(found) ? [] : [`sizes are ${JSON.stringify(found)}, not ${JSON.stringify(stated)}`];

/** Fields that follow from the program and the seed everywhere, and those whose last digits depend on device and PyTorch. */
const fixedFields = ['verdict', 'limit', 'seed'] as const;
const measuredFields = ['measured', 'evidence'] as const;

/** Gates whose probes are fewer where the program is slow, and how they say so (kernels/asi_kernels/gates/effort.py). */
const gatesOfEffort: readonly GateResult['gate'][] = ['finite', 'causality', 'length', 'precision'];
const effortNote =
  /; ((?:very )?slow program: cuts at chunk borders and at random, not everywhere(?:, one seed, long lengths in one mode a layer)?(?:, lengths \d+ and \d+ only)?(?:, cuts up to \d+, longest length \d+ instead of \d+)?)$/;

/** Evidence apart from the effort and from its numbers, of which another effort has others, and more or fewer in a list. */
const shapeOf = (evidence: string): string =>
  evidence.replace(effortNote, '').replace(/\d[\d.]*(?:e[+-]?\d+)?(?:, \d[\d.]*(?:e[+-]?\d+)?)*/g, '#');

/** What no effort explains: other words, and a pass beyond its limit. */
const otherThanEffort = (row: GateResult, again: GateResult): readonly string[] => [
  ...(shapeOf(row.evidence) === shapeOf(again.evidence)
    ? []
    : [`evidence of gate ${row.gate} is ${row.evidence}, run again ${again.evidence}`]),
  ...(row.verdict === 'pass' && row.measured !== null && row.limit !== null && row.measured > row.limit
    ? [`measured of gate ${row.gate} is ${row.measured}, and a pass measures at most ${row.limit}`]
    : []),
];

export interface GateComparison {
  readonly differences: readonly string[];
  /** Gates that probed with another effort then and now, so that what they measured is not compared. */
  readonly otherEffort: readonly string[];
}

/** Gates as they were told against what they say when they are run again. */
export const compareGates = (
  stated: readonly GateResult[],
  { found, isSameArithmetic }: { readonly found: readonly GateResult[]; readonly isSameArithmetic: boolean },
): GateComparison => {
  const names = (rows: readonly GateResult[]): string => rows.map(({ gate }) => gate).join(', ');
  if (names(stated) !== names(found))
    return { differences: [`its gates are ${names(stated)}; run again they are ${names(found)}`], otherEffort: [] };
  const pairs = stated.flatMap((row, index) => {
    const again = found[index];
    if (again === undefined) return [];
    const [before, now] = [row, again].map(({ evidence }) => effortNote.exec(evidence)?.[1] ?? '');
    return [{ row, again, isOtherEffort: before !== now && gatesOfEffort.includes(row.gate) }];
  });
  return {
    differences: pairs.flatMap(({ row, again, isOtherEffort }) => [
      ...(isSameArithmetic && isOtherEffort ? otherThanEffort(row, again) : []),
      ...(isSameArithmetic && !isOtherEffort ? [...fixedFields, ...measuredFields] : fixedFields)
        .filter((field) => row[field] !== again[field])
        .map((field) => `${field} of gate ${row.gate} is ${String(row[field])}, run again ${String(again[field])}`),
    ]),
    otherEffort: pairs.filter(({ isOtherEffort }) => isOtherEffort).map(({ row }) => row.gate),
  };
};
