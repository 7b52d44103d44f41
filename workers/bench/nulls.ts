import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { type OtherRate, otherRateNames, otherRates } from '../../workflows/contracts/rung.ts';
import { scoreSets } from '../../workflows/contracts/score.ts';
import { type CampaignSettings, mostConfirmedBaselines, presets } from '../../workflows/contracts/settings.ts';
import { checkoutFolder, readConfig } from '../config.ts';
import { fewestSeeds, levelOf, type NoiseModel, noiseModel } from './noise-model.ts';
import { type CampaignSetting, type Resampled, resampleCampaigns, type Share } from './null-campaigns.ts';

const tableSchema = z.object({
  fingerprint: z.string(),
  rung: z.string(),
  rows: z.array(
    z.object({
      baseline: z.string(),
      replicate: z.int(),
      rate: z.number(),
      seed: z.int(),
      bits: z.partialRecord(z.enum(scoreSets), z.number()),
    }),
  ),
});

export interface NullsBench {
  readonly table: { readonly path: string; readonly trials: number; readonly seeds: number };
  readonly noise: {
    readonly pairedSd: number;
    readonly replicateSd: number | null;
    /** Mean bits per byte of each baseline, at the rung's learning rate and at the others. */
    readonly levels: Readonly<Record<string, Readonly<Record<'own' | OtherRate, number>>>>;
    /** The strongest at the rung's rate: noisier candidates are it again. */
    readonly strongest: string;
    /** What the best other rate is worth over it, bits per byte; 0 for nothing. */
    readonly rateGain: number;
  };
  readonly numCampaigns: number;
  /** One row a baseline that all candidates are, again. */
  readonly nulls: readonly { readonly nullOf: string; readonly result: Resampled }[];
  /** Candidates without a gain that spread further over seeds than the baselines: one of them, half, and all. */
  readonly noisy: readonly { readonly spread: number; readonly who: string; readonly result: Resampled }[];
  /** Candidates that are as good as the strongest at whichever rate, but at the rung's; null where no other rate gains. */
  readonly rateNulls: Resampled | null;
  /** Gains over the strongest at whichever rate, in deviations of a paired difference: planted in one of the candidates, and in all. */
  readonly power: readonly { readonly times: number; readonly one: Resampled; readonly all: Resampled }[];
  /** The same for other numbers of fresh seeds. */
  readonly designs: readonly {
    readonly looks: string;
    readonly nulls: Resampled;
    readonly one: Resampled;
    readonly two: Resampled;
  }[];
}

const plantedTimes = [0.5, 1, 2, 3, 4];
const noisySpreads = [2, 4];
const otherDesigns = [
  { confirmSeeds: 3, confirmSeedsMax: 3 },
  { confirmSeeds: 3, confirmSeedsMax: 4 },
  { confirmSeeds: 3, confirmSeedsMax: 5 },
  { confirmSeeds: 5, confirmSeedsMax: 5 },
];
/** Most that is wrong. */
export const nullGoal = 0.05;

export interface NullsOptions {
  readonly settings: CampaignSettings;
  readonly numCampaigns: number;
  readonly seed: number;
}

/** Whole campaigns without a true gain, and with planted ones, on trials that were really trained. */
export const nullsBench = (path: string, { settings, numCampaigns, seed }: NullsOptions): NullsBench => {
  const { rows } = tableSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const model = noiseModel(rows, settings.baselines);
  const { finalists, confirmSeeds, confirmSeedsMax, exploreSeeds, experiments } = settings;
  const base: CampaignSetting = {
    finalists,
    confirmSeeds,
    confirmSeedsMax,
    exploreSeeds,
    mostBaselines: mostConfirmedBaselines(settings),
    candidates: experiments,
    nullOf: model.strongest,
    gain: 0,
    numPlanted: 0,
  };
  const many = (part: Partial<CampaignSetting>): Resampled =>
    resampleCampaigns(model, { ...base, ...part }, { numCampaigns, seed });
  const planted = (times: number, part: Partial<CampaignSetting>): Resampled =>
    many({ gain: model.rateGain + times * model.pairedSd, ...part });
  return {
    table: { path, trials: rows.length, seeds: model.seeds.length },
    noise: {
      pairedSd: model.pairedSd,
      replicateSd: model.replicateSd,
      levels: Object.fromEntries(model.baselines.map((name) => [name, levelsOf(model, name)])),
      strongest: model.strongest,
      rateGain: model.rateGain,
    },
    numCampaigns,
    nulls: model.baselines.map((nullOf) => ({ nullOf, result: many({ nullOf }) })),
    noisy: noisySpreads.flatMap((spread) =>
      [
        { who: 'one candidate', numNoisy: 1 },
        { who: 'half of them', numNoisy: Math.ceil(experiments / 2) },
        { who: 'every candidate', numNoisy: experiments },
        { who: 'half of them, 8 finalists', numNoisy: Math.ceil(experiments / 2), finalists: 8 },
      ].map(({ who, ...part }) => ({ spread, who, result: many({ spread, ...part }) })),
    ),
    rateNulls: model.rateGain > 0 ? planted(0, { numPlanted: experiments }) : null,
    power: plantedTimes.map((times) => ({
      times,
      one: planted(times, { numPlanted: 1 }),
      all: planted(times, { numPlanted: experiments }),
    })),
    designs: designsFor(model, exploreSeeds).map((design) => ({
      looks: `${design.confirmSeeds} to ${design.confirmSeedsMax}`,
      nulls: many(design),
      one: planted(1, { ...design, numPlanted: experiments }),
      two: planted(2, { ...design, numPlanted: experiments }),
    })),
  };
};

const levelsOf = ({ fits, atRates, seeds }: NoiseModel, name: string): Readonly<Record<'own' | OtherRate, number>> => ({
  own: fits.promotion.levels.get(name) ?? Number.NaN,
  half: levelOf(atRates.half.get(name), seeds),
  twice: levelOf(atRates.twice.get(name), seeds),
});

/** Those that the table has seeds for. */
const designsFor = ({ seeds }: NoiseModel, exploreSeeds: number) =>
  otherDesigns.filter(({ confirmSeedsMax }) => exploreSeeds + confirmSeedsMax <= seeds.length);

/** `npm run bench -- nulls [--campaigns N] [--seed N] [--seeds N] [--replicates N] [--table file] [--json]` */
export const runNulls = async (args: readonly string[], say: (line: string) => void): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      campaigns: { type: 'string', default: '400' },
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '24' },
      replicates: { type: 'string', default: '1' },
      table: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { baselines } = presets.quick;
  // Before anything is trained: a table of fewer could not be used.
  if (values.table === undefined && wholeNumber('seeds', values.seeds) < fewestSeeds)
    throw new RangeError(`--seeds is "${values.seeds}"; right would be a whole number of ${fewestSeeds} or more`);
  const rates = otherRateNames.map((name) => String(otherRates[name]));
  const wanted = ['--seeds', values.seeds, '--replicates', values.replicates, '--baselines', ...baselines, '--rates', ...rates];
  const path = values.table ?? (await fillTable(wanted));
  const bench = nullsBench(path, {
    settings: presets.quick,
    numCampaigns: wholeNumber('campaigns', values.campaigns),
    seed: wholeNumber('seed', values.seed),
  });
  if (values.json) say(JSON.stringify(bench, null, 2));
  else for (const line of nullsLines(bench)) say(line);
  if (isOverGoal(bench)) process.exitCode = 1;
};

const isOverGoal = ({ nulls, noisy, rateNulls }: NullsBench): boolean =>
  [...nulls, ...noisy].some(({ result }) => result.candidates.share > nullGoal || result.campaigns.share > nullGoal) ||
  (rateNulls !== null && rateNulls.found.share > nullGoal);

const wholeNumber = (name: string, given: string): number => {
  const value = Number(given);
  if (!Number.isInteger(value) || value < 1)
    throw new RangeError(`--${name} is "${given}"; right would be a whole number above 0`);
  return value;
};

/** Trains what the table lacks; the last line that the builder prints is its path. */
const fillTable = async (args: readonly string[]): Promise<string> => {
  const config = readConfig();
  const child = spawn(config.python, ['-m', 'asi_kernels.bench.nulls_table', ...args], {
    cwd: join(checkoutFolder, 'kernels'),
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const output = await text(child.stdout);
  const status = await ended;
  if (status !== 0) throw new Error(`the table of trials was not built: its builder ended with status ${status}`);
  return output.trim().split('\n').at(-1) ?? '';
};

/** The figures for a terminal. */
export const nullsLines = ({ table, noise, numCampaigns, ...rows }: NullsBench): readonly string[] => [
  `nulls: ${numCampaigns} campaigns a row, resampled from ${table.trials} real trainings (${Object.keys(noise.levels).length} baselines, ${table.seeds} seeds), ${table.path}`,
  `  deviation of a paired difference ${noise.pairedSd.toFixed(4)} bits per byte${noise.replicateSd === null ? '' : `; of a replicate against its baseline ${noise.replicateSd.toFixed(4)}`}`,
  '',
  line('bits per byte by learning rate', ["the rung's", 'half', 'twice']),
  ...Object.entries(noise.levels).map(([name, { own, half, twice }]) => line(name, [own, half, twice].map(bitsWords))),
  `  the best of all rates is worth ${noise.rateGain.toFixed(4)} over ${noise.strongest} at the rung's`,
  '',
  line('every candidate is this baseline again', [
    'candidates called better',
    'campaigns that say better',
    'by fresh seeds alone',
  ]),
  ...rows.nulls.map(({ nullOf, result }) => line(nullOf, nullWords(result))),
  ...rows.nulls.slice(0, 1).map(({ result }) => rivalWords(result)),
  ...(rows.rateNulls === null
    ? []
    : [
        '',
        line('every candidate is as good as the best at another rate', ['campaigns that say better', 'by fresh seeds alone']),
        line('', [rows.rateNulls.found, rows.rateNulls.foundByWalk].map(shareWords)),
      ]),
  '',
  line(`spread over seeds, times ${noise.strongest}'s`, [
    'candidates called better',
    'campaigns that say better',
    'by fresh seeds alone',
  ]),
  ...rows.noisy.map(({ spread, who, result }) => line(`${spread}, ${who}`, nullWords(result))),
  `  goal of all of these: at most ${100 * nullGoal} %`,
  '',
  line('true gain over the best at any rate, in paired deviations', [
    'one candidate has it',
    'every candidate has it',
    'by fresh seeds alone',
    'at every rate',
    'fresh seeds a finalist',
  ]),
  ...rows.power.map(({ times, one, all }) =>
    line(`${times} (${(times * noise.pairedSd).toFixed(4)} bits per byte)`, [
      ...[one.found, all.found, all.foundByWalk, all.foundAtRates].map(shareWords),
      all.meanSeeds.toFixed(2),
    ]),
  ),
  '',
  line('fresh seeds', ['null campaigns better', 'gain of 1 found', 'gain of 2 found']),
  ...rows.designs.map(({ looks, nulls, one, two }) => line(looks, [nulls.campaigns, one.found, two.found].map(shareWords))),
];

const line = (head: string, cells: readonly string[]): string =>
  `  ${head.padEnd(56)} ${cells.map((cell) => cell.padEnd(26)).join(' ')}`.trimEnd();

const bitsWords = (bits: number): string => bits.toFixed(4);

const nullWords = ({ candidates, campaigns, campaignsByWalk }: Resampled): readonly string[] =>
  [candidates, campaigns, campaignsByWalk].map(shareWords);

/** The same for every row: baselines are as they were trained, whatever the candidates are. */
const rivalWords = ({ meanBaselines, missedStrongest }: Resampled): string =>
  `  compared with ${meanBaselines.toFixed(2)} baselines on average; the truly strongest is not among them in ${shareWords(missedStrongest)} of the campaigns`;

const shareWords = ({ share, low, high }: Share): string =>
  `${(100 * share).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
