import { describe, expect, it } from 'vitest';
import { costWords } from '../../../workflows/rules/cost-words.ts';
import { aModelSize } from '../../support/builders.ts';

const sizes = [
  aModelSize({ flopsPerToken: 210_000, referenceFlopsPerToken: 200_000 }),
  aModelSize({ task: 'recall', flopsPerToken: 240_000, referenceFlopsPerToken: 200_000 }),
];
const reference = new Map([
  [1, 10],
  [2, 20],
  [3, 10],
]);

describe('costWords', () => {
  it('says the median ratio over common seeds, and the largest one of FLOPs', () => {
    const candidate = new Map([
      [1, 11],
      [2, 24],
      [3, 90],
      [4, 1],
    ]);
    expect(costWords({ against: 'deltanet', candidate, reference, sizes })).toBe(
      ' Its training used 1.20 times the CPU of deltanet at 1.20 times the FLOPs a token.',
    );
  });

  it('says that steps are equal and CPU is not, where it used much more', () => {
    const words = costWords({ against: 'deltanet', candidate: new Map([[1, 13]]), reference, sizes: [] });
    expect(words).toMatch(
      /^ Its training used 1\.30 times the CPU of deltanet\. The comparison is at equal steps, not at equal CPU/,
    );
  });

  it('says nothing where no seed has both', () => {
    expect(costWords({ against: 'deltanet', candidate: new Map([[9, 13]]), reference, sizes })).toBe('');
  });
});
