import { describe, expect, it } from 'vitest';
import { rankRows } from '../../../services/report/rank-correlations.ts';
import { rankSection } from '../../../services/report/rank-section.ts';
import type { Entry, ReportData } from '../../../services/report/report-data.ts';
import { presets } from '../../../workflows/contracts/settings.ts';

/** Only what the ranks look at. */
const entry = (explored: number, confirmed: number | null, half: number): Entry =>
  ({
    scores: { 'bits-per-byte': explored, 'recall-auc': 3 - explored },
    confirmedScores: confirmed === null ? {} : { 'bits-per-byte': confirmed },
    trials: [
      {
        purpose: 'explore',
        curve: [
          { task: 'bytes', step: 10, loss: 5, cpuSeconds: 1 },
          { task: 'bytes', step: 50, loss: half, cpuSeconds: 2 },
          { task: 'bytes', step: 100, loss: 1, cpuSeconds: 3 },
          { task: 'recall', step: 100, loss: 9, cpuSeconds: 4 },
        ],
      },
    ],
  }) as unknown as Entry;
const dataOf = (entries: readonly Entry[]): ReportData =>
  ({ entries, rungRanks: [], campaign: { settings: presets.quick } }) as unknown as ReportData;

describe('rankRows', () => {
  const rows = rankRows(dataOf([entry(2.1, 2.2, 3), entry(2.2, 2.3, 3.2), entry(2.3, 2.25, 3.1), entry(2.4, null, 3.3)]));

  it('compares what experiments have both of, and says how many', () => {
    expect(rows.map(({ numBoth }) => numBoth)).toEqual([3, 4, 4]);
    expect(rows[0]?.correlation?.rho).toBeCloseTo(0.5, 10);
    expect(rows[1]?.correlation?.rho).toBeCloseTo(0.8, 10);
    expect(rows[2]?.correlation?.rho).toBeCloseTo(-1, 10);
  });

  it('is shown with its interval, and not where fewer than three have both', () => {
    const text = rankSection(dataOf([entry(2.1, 2.2, 3), entry(2.2, 2.3, 3.2)])).text;
    expect(text).toContain('Fewer than three experiments');
    const shown = rankSection(dataOf([1, 2, 3, 4, 5].map((level) => entry(level, level, level)))).text;
    expect(shown).toContain('+1.00');
    expect(shown).toContain('range is restricted');
  });
});
