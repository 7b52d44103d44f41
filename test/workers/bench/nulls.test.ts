import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nullsBench, nullsLines, runNulls } from '../../../workers/bench/nulls.ts';
import { presets } from '../../../workflows/contracts/settings.ts';
import { createRandom } from '../../../workflows/rules/random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A table of the baselines of the quick preset, as the builder writes it. */
const tableOf = (numSeeds: number): string => {
  const random = createRandom('nulls table');
  const rows = presets.quick.baselines.flatMap((baseline, index) =>
    Array.from({ length: numSeeds }, (_, seed) => ({
      baseline,
      replicate: 0,
      seed,
      metrics: { 'bits-per-byte': 3 - 0.02 * index + 0.01 * seed + 0.05 * random.next() },
    })),
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

it('refuses too few seeds before it trains anything', async () => {
  await expect(runNulls(['--seeds', '7'], () => undefined)).rejects.toThrow('--seeds is "7"; right would be a whole number of 8');
});
