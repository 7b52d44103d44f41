import type { Metric, Score } from '../contracts/score.ts';
import { mean } from './mean.ts';
import { type RankCorrelation, rankCorrelation } from './rank-correlation.ts';

/** How alike two rungs rank the programs that were measured on both. */
export interface RungCorrelation {
  readonly metric: Metric;
  /** The smaller one first. */
  readonly rungs: readonly [string, string];
  readonly programs: number;
  /** Spearman's rho with its interval; null below three programs, and where one rung tells none of them apart. */
  readonly correlation: RankCorrelation | null;
}

type Row = Pick<Score, 'metric' | 'rung' | 'programHash' | 'seed' | 'value'>;

/** On two axes, which are never averaged. */
const comparedMetrics = ['bits-per-byte', 'recall-auc'] as const satisfies readonly Metric[];

/**
 * Every pair of rungs that rows of one program stand on, by metric. `order`: rungs from the smallest to the largest; others come last.
 * Each rung's programs are ranked by their strength with the effects of seeds taken out, since campaigns with other seeds drew other text.
 */
export const rungCorrelations = (rows: readonly Row[], order: readonly string[]): readonly RungCorrelation[] => {
  const placeOf = (rung: string): number => (order.includes(rung) ? order.indexOf(rung) : order.length);
  const rungs = [...new Set(rows.map(({ rung }) => rung))].toSorted((a, b) => placeOf(a) - placeOf(b) || a.localeCompare(b));
  return comparedMetrics.flatMap((metric) => {
    const strengths = new Map(
      rungs.map((rung) => [rung, programStrengths(rows.filter((row) => row.metric === metric && row.rung === rung))]),
    );
    return rungs.flatMap((small, index) =>
      rungs.slice(index + 1).flatMap((large): readonly RungCorrelation[] => {
        const pairs = [...(strengths.get(small) ?? [])].flatMap(([programHash, value]) => {
          const other = strengths.get(large)?.get(programHash);
          return other === undefined ? [] : [[value, other] as const];
        });
        if (pairs.length === 0) return [];
        return [{ metric, rungs: [small, large], programs: pairs.length, correlation: rankCorrelation(pairs) }];
      }),
    );
  });
};

const closeEnough = 1e-9;
const mostSweeps = 500;

/**
 * Programs' effects of an additive model, program plus seed, fitted by least squares: alternating means (backfitting: A. Buja, T. Hastie and
 * R. Tibshirani, Ann. Statist. 17, 1989), since not every program has every seed. Programs that no chain of common seeds joins keep their
 * plain means. Rows of one program and seed count once, by their mean.
 */
export const programStrengths = (rows: readonly Omit<Row, 'metric' | 'rung'>[]): ReadonlyMap<string, number> => {
  const cells = [...Map.groupBy(rows, ({ programHash, seed }) => `${programHash} ${seed}`).values()].flatMap((same) => {
    const [first] = same;
    return first === undefined
      ? []
      : [{ program: first.programHash, seed: first.seed, value: mean(same.map(({ value }) => value)) }];
  });
  const byProgram = Map.groupBy(cells, ({ program }) => program);
  const bySeed = Map.groupBy(cells, ({ seed }) => seed);
  const seedEffects = new Map<number, number>();
  const strengthsNow = (): Map<string, number> =>
    new Map(
      [...byProgram].map(([program, own]) => [program, mean(own.map(({ seed, value }) => value - (seedEffects.get(seed) ?? 0)))]),
    );
  let strengths = strengthsNow();
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    for (const [seed, own] of bySeed)
      seedEffects.set(seed, mean(own.map(({ program, value }) => value - (strengths.get(program) ?? 0))));
    const before = strengths;
    strengths = strengthsNow();
    if ([...strengths].every(([program, value]) => Math.abs(value - (before.get(program) ?? 0)) < closeEnough)) break;
  }
  return strengths;
};
