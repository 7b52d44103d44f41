import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Archive } from '../../services/archive/archive.ts';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import { baselineGenomes } from '../../workflows/contracts/baselines.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { experimentId } from '../../workflows/contracts/ids.ts';
import { createRandom, type Random } from '../../workflows/rules/random.ts';

const campaignId = 'c-bench';
const poolSize = 50;
const parentsDrawnFrom = 10;
const numBaselines = 4;
const pageSize = 100;

export interface BenchLine {
  readonly name: string;
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** One second of such calls, one after the other. */
  readonly perSecond: number;
}
export interface ArchiveBench {
  readonly numExperiments: number;
  readonly fileBytes: number;
  readonly deepest: number;
  readonly mostChildren: number;
  readonly lines: readonly BenchLine[];
}

/**
 * Fills an archive in a temporary folder with a campaign of `numExperiments` whose parents come from the best ten, as the asi-arch policy
 * draws them, then measures what the loop, the command line and the report ask of it. Wall time of each call, one caller.
 */
export const benchArchive = async (
  options: { readonly numExperiments?: number; readonly samples?: number; readonly seed?: number } = {},
): Promise<ArchiveBench> => {
  const { numExperiments = 100_000, samples = 1000, seed = 1 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'asi-bench-'));
  const path = join(folder, 'archive.db');
  const archive = openSqliteArchive(path);
  try {
    const random = createRandom(seed);
    const filled = await fill(archive, numExperiments, random);
    const lines = [...filled.lines, ...(await measureReads(archive, filled, { samples, random }))];
    const { deepest, mostChildren } = filled;
    return { numExperiments, fileBytes: statSync(path).size, deepest: deepest.depth, mostChildren: mostChildren.children, lines };
  } finally {
    await archive.close();
    rmSync(folder, { recursive: true });
  }
};

/** The result as lines for a terminal. */
export const archiveBenchLines = (bench: ArchiveBench): readonly string[] => [
  `archive of ${bench.numExperiments} experiments, ${Math.round(bench.fileBytes / 1e6)} MB, lineage ${bench.deepest} deep, up to ${bench.mostChildren} children`,
  `${'call'.padEnd(44)}${'calls'.padStart(8)}${'p50 ms'.padStart(10)}${'p99 ms'.padStart(10)}${'per second'.padStart(12)}`,
  ...bench.lines.map(
    ({ name, count, p50Ms, p99Ms, perSecond }) =>
      `${name.padEnd(44)}${String(count).padStart(8)}${p50Ms.toFixed(3).padStart(10)}${p99Ms.toFixed(3).padStart(10)}${String(Math.round(perSecond)).padStart(12)}`,
  ),
];

interface Filled {
  readonly lines: readonly BenchLine[];
  readonly numExperiments: number;
  readonly deepest: { readonly id: string; readonly depth: number };
  readonly mostChildren: { readonly id: string; readonly children: number };
}
interface Ranked {
  readonly id: string;
  readonly fitness: number;
  readonly ancestors: readonly string[];
}

const fill = async (archive: Archive, numExperiments: number, random: Random): Promise<Filled> => {
  const [create, update, putPool] = [
    new Stopwatch('createExperiment'),
    new Stopwatch('updateExperiment'),
    new Stopwatch('putPool'),
  ];
  const children = new Map<string, number>();
  let deepest = { id: '', depth: -1 };
  let pool: readonly Ranked[] = [];
  for (let number = 0; number < numExperiments; number++) {
    const parent = number < numBaselines ? undefined : pool[random.int(Math.min(parentsDrawnFrom, pool.length))];
    const ancestors = parent === undefined ? [] : [...parent.ancestors, parent.id];
    const planned = plan(number, ancestors);
    await create.measure(() => archive.createExperiment(planned));
    const fitness = (parent?.fitness ?? 0) + 0.02 * (random.next() - 0.5 - returnsLost(ancestors.length));
    const recorded = finished(planned, { fitness, failed: number >= numBaselines && random.next() < 0.2 });
    await update.measure(() => archive.updateExperiment(planned.id, 0, recorded));
    if (parent !== undefined) children.set(parent.id, (children.get(parent.id) ?? 0) + 1);
    if (ancestors.length > deepest.depth) deepest = { id: planned.id, depth: ancestors.length };
    if (recorded.state === 'recorded') pool = ranked([...pool, { id: planned.id, fitness, ancestors }]);
    if (number % poolSize === poolSize - 1) await putPool.measure(() => writePool(archive, (number + 1) / poolSize, pool));
  }
  const [id = '', most = 0] = [...children].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ['', 0]);
  return {
    lines: [create.line(), update.line(), putPool.line()],
    numExperiments,
    deepest,
    mostChildren: { id, children: most },
  };
};

const measureReads = async (
  archive: Archive,
  { numExperiments, deepest, mostChildren }: Filled,
  { samples, random }: { readonly samples: number; readonly random: Random },
): Promise<readonly BenchLine[]> => {
  const anyId = (): string => experimentId(campaignId, random.int(numExperiments));
  const reads: Readonly<Record<string, () => Promise<unknown>>> = {
    'getExperiment, any': () => archive.getExperiment(anyId()),
    'lineageOf, any': () => archive.lineageOf(anyId()),
    'lineageOf, the deepest': () => archive.lineageOf(deepest.id),
    'lineageOf, the one with most children': () => archive.lineageOf(mostChildren.id),
    [`lineage, a page of ${pageSize} anywhere`]: () =>
      archive.lineage(campaignId, { after: random.int(numExperiments) - 1, limit: pageSize }),
    [`leaderboard of ${poolSize}`]: () => archive.leaderboard(campaignId, poolSize),
    getPool: () => archive.getPool(campaignId),
    'listExperiments by program': () => archive.listExperiments(campaignId, { programHash: hashOf(random.int(numExperiments)) }),
  };
  const lines: BenchLine[] = [];
  for (const [name, read] of Object.entries(reads)) {
    const watch = new Stopwatch(name);
    for (let sample = 0; sample < samples; sample++) await watch.measure(read);
    lines.push(watch.line());
  }
  const rare: Readonly<Record<string, () => Promise<unknown>>> = {
    countExperiments: () => archive.countExperiments(campaignId),
    'lineage, whole': () => archive.lineage(campaignId),
  };
  for (const [name, read] of Object.entries(rare)) {
    const watch = new Stopwatch(name);
    for (let sample = 0; sample < 10; sample++) await watch.measure(read);
    lines.push(watch.line());
  }
  return lines;
};

class Stopwatch {
  readonly #name: string;
  readonly #timesMs: number[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  async measure(work: () => Promise<unknown>): Promise<void> {
    const startedAt = performance.now();
    await work();
    this.#timesMs.push(performance.now() - startedAt);
  }

  line(): BenchLine {
    const sorted = Float64Array.from(this.#timesMs).sort();
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
    const totalMs = sorted.reduce((sum, time) => sum + time, 0);
    return {
      name: this.#name,
      count: sorted.length,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      perSecond: sorted.length === 0 ? 0 : (1000 * sorted.length) / totalMs,
    };
  }
}

const at = '2026-01-01T00:00:00.000Z';
const hashOf = (number: number): string => number.toString(16).padStart(64, '0');
const sentences =
  'The lineage loses early pairs; a gate per channel keeps what the next token needs and forgets the rest. '.repeat(6);

/** The deeper a lineage, the rarer a gain: without this the whole campaign would be one chain. */
const returnsLost = (depth: number): number => (0.5 * depth) / (depth + 10);

const plan = (number: number, ancestors: readonly string[]): Experiment => ({
  id: experimentId(campaignId, number),
  campaignId,
  number,
  kind: number < numBaselines ? 'baseline' : 'candidate',
  arm: number < numBaselines ? 'none' : 'policy',
  state: 'planned',
  epoch: 0,
  parentId: ancestors.at(-1) ?? null,
  referenceIds: ancestors.slice(-4),
  ancestors: [...ancestors],
  poolVersion: Math.floor(number / poolSize),
  proposal: null,
  architecture: null,
  gates: [],
  attempts: [],
  fitness: null,
  analysis: null,
  verdict: null,
  failure: null,
  createdAt: at,
  updatedAt: at,
  finishedAt: null,
});

/** What a finished experiment holds, in about the size that real ones have. */
const finished = (planned: Experiment, { fitness, failed }: { readonly fitness: number; readonly failed: boolean }) => {
  const effect = {
    metric: 'bits-per-byte',
    mean: fitness,
    low: fitness - 0.02,
    high: fitness + 0.02,
    seeds: 2,
    method: 'paired t',
  } as const;
  const gates = [
    'contract',
    'shape',
    'finite',
    'causality',
    'length',
    'batch',
    'repeat',
    'gradient',
    'parameters',
    'flops',
  ] as const;
  return {
    state: failed ? 'failed' : 'recorded',
    proposal: {
      name: `candidate ${planned.number}`,
      motivation: sentences,
      expectedEffect: 'Lower loss on bytes, recall unchanged.',
      changes: [{ gene: 'fir', from: '3', to: '3, 15', recurrence: false }],
      author: 'evolver',
      operator: 'mutate:fir',
      genome: baselineGenomes['gated-deltanet'],
    },
    architecture: { hash: hashOf(planned.number), genome: baselineGenomes['gated-deltanet'], kernels: [], sizes: null },
    gates: gates.map((gate) => ({
      gate,
      verdict: 'pass',
      evidence: 'nothing seen, seeds 1 to 3',
      measured: 0,
      limit: 1e-9,
      seed: 0,
      seconds: 0.2,
    })),
    fitness: failed ? null : { rule: 'paired-gain', value: fitness, effects: [effect] },
    analysis: { author: 'rules', summary: sentences, comparisons: [], lessons: [], problem: 'Recall fades with length.' },
    failure: failed ? { label: 'diverged', detail: 'loss rose to 9.1 from 5.5', stage: 'train', logArtifact: null } : null,
  } satisfies Parameters<Archive['updateExperiment']>[2];
};

const ranked = (pool: readonly Ranked[]): readonly Ranked[] => [...pool].sort((a, b) => b.fitness - a.fitness).slice(0, poolSize);

const writePool = (archive: Archive, version: number, pool: readonly Ranked[]): Promise<unknown> =>
  archive.putPool(campaignId, {
    version,
    entries: pool.map(({ id, fitness, ancestors }) => ({ experimentId: id, fitness, depth: ancestors.length })),
  });
