import { describe, expect, it } from 'vitest';
import { componentShares } from '../../../services/report/components-figure.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';

describe('componentShares', () => {
  const { deltanet, kda } = baselineGenomes;
  const withFir = { ...deltanet, fir: [3, 15] as typeof deltanet.fir, router: 'sigmoid' as const };

  it('counts what winners have more or less often than all, largest difference first', () => {
    const shares = componentShares([withFir, withFir], [withFir, withFir, deltanet, kda]);
    expect(shares[0]).toEqual({ component: 'FIR 15', winners: 1, all: 0.5 });
    expect(shares).toContainEqual({ component: 'FIR none', winners: 0, all: 0.5 });
    expect(shares).toContainEqual({ component: 'decay vector-data', winners: 0, all: 0.25 });
    expect(shares.map(({ component }) => component)).not.toContain('write delta');
    const sizes = shares.map(({ winners, all }) => Math.abs(winners - all));
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  });

  it('has nothing to say where all win or nothing was proposed', () => {
    expect(componentShares([deltanet, kda], [deltanet, kda])).toEqual([]);
    expect(componentShares([], [])).toEqual([]);
  });
});
