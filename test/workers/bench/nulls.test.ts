import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nullsBench, nullsLines, runNulls } from '../../../workers/bench/nulls.ts';
import { otherRates } from '../../../workflows/contracts/rung.ts';
import { presets } from '../../../workflows/contracts/settings.ts';
import { createRandom } from '../../../workflows/rules/random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A table of the baselines of the quick preset, as the builder writes it. */
const tableOf = (numSeeds: number): string => {
  const random = createRandom('nulls table');
  const rates = [1, ...Object.values(otherRates)];
  const rows = presets.quick.baselines.flatMap((baseline, index) =>
    rates.flatMap((rate) =>
      Array.from({ length: numSeeds }, (_, seed) => {
        const bits = 3 - 0.02 * index + 0.01 * seed + 0.05 * random.next() - (rate === 2 ? 0.2 : 0);
        return { baseline, replicate: 0, rate, seed, bits: { search: bits, promotion: bits, champion: bits } };
      }),
    ),
  );
  const path = join(temporaryFolder(), 'table.json');
  writeFileSync(path, JSON.stringify({ fingerprint: 'made', rung: 'quick', rows }));
  return path;
};

it('runs whole campaigns of the preset and says with how many baselines their finalists are compared', () => {
  const bench = nullsBench(tableOf(9), { settings: presets.quick, numCampaigns: 20, seed: 1 });
  expect(bench.nulls.map(({ nullOf }) => nullOf)).toEqual([...presets.quick.baselines]);
  const [first] = bench.nulls;
  expect(first?.result.meanBaselines).toBeGreaterThan(2);
  expect(first?.result.meanBaselines).toBeLessThanOrEqual(presets.quick.confirmBaselines ?? 0);
  expect(nullsLines(bench).join('\n')).toMatch(
    /compared with \d\.\d\d baselines on average; the truly strongest is not among them in/,
  );
});

it('plants gains over the best at any rate, and asks about candidates that are just as good', () => {
  const bench = nullsBench(tableOf(9), { settings: presets.quick, numCampaigns: 20, seed: 1 });
  expect(bench.noise.rateGain).toBeGreaterThan(0.15);
  expect(bench.rateNulls?.foundByWalk.share).toBeGreaterThan(0.5);
  expect(bench.rateNulls?.found.share).toBeLessThanOrEqual(0.1);
  expect(bench.power.at(-1)?.all.found.share).toBeGreaterThan(0.5);
  expect(nullsLines(bench).join('\n')).toMatch(/the best of all rates is worth 0\.\d{4} over/);
});

it('refuses too few seeds before it trains anything', async () => {
  await expect(runNulls(['--seeds', '7'], () => undefined)).rejects.toThrow('--seeds is "7"; right would be a whole number of 8');
});
