import { describe, expect, it } from 'vitest';
import { recallLoss, tradeWords } from '../../../workflows/rules/trade.ts';

const onSeeds = (...values: readonly number[]): ReadonlyMap<number, number> =>
  new Map(values.map((value, index) => [1001 + index, value]));
const noise = { squares: 9e-2, degreesOfFreedom: 9 };
const baselines = [
  { name: 'deltanet', values: onSeeds(2, 2.1, 2.2) },
  { name: 'fir', values: onSeeds(2.6, 2.7, 2.8) },
];

describe('recallLoss', () => {
  it('names the baseline to which most is lost', () => {
    const loss = recallLoss({ candidate: onSeeds(2.9, 3.0, 3.1), baselines, noise });
    expect(loss?.against).toBe('deltanet');
    expect(loss?.effect.mean).toBeCloseTo(-0.9, 10);
    expect(tradeWords(loss)).toMatch(/^ It trades: in recall it loses 0\.900 nats \[0\.\d+, \d\.\d+\] to deltanet\.$/);
  });

  it('is nothing where the interval holds zero or it gains', () => {
    expect(recallLoss({ candidate: onSeeds(2.05, 2.15, 2.2), baselines, noise })).toBeNull();
    expect(recallLoss({ candidate: onSeeds(1, 1, 1), baselines, noise })).toBeNull();
    expect(recallLoss({ candidate: new Map(), baselines, noise })).toBeNull();
    expect(tradeWords(null)).toBe('');
  });
});
