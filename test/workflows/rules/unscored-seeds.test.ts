import { describe, expect, it } from 'vitest';
import { unscoredWords } from '../../../workflows/rules/unscored-seeds.ts';
import { aFailure, aTrial } from '../../support/builders.ts';

const fresh = (seed: number, detail: string | null) =>
  aTrial({ seed, purpose: 'confirm', failure: detail === null ? null : aFailure({ label: 'exit', stage: 'train', detail }) });

describe('unscoredWords', () => {
  it('has nothing to say where no fresh seed failed', () => {
    expect(unscoredWords([fresh(1, null), { ...fresh(2, 'while exploring'), purpose: 'explore' }])).toBe('');
  });

  it('gives the seeds of each label in order and the reason of the first, a sentence each', () => {
    const lost = aTrial({
      seed: 6,
      purpose: 'confirm',
      failure: aFailure({ label: 'signal', stage: 'train', detail: 'SIGSEGV' }),
    });
    expect(unscoredWords([fresh(8, 'it ended.'), fresh(7, 'line one\nline two'), lost])).toBe(
      ' Seed 6 ended with signal: SIGSEGV. Seeds 7, 8 ended with exit, seed 7 with: line one line two.',
    );
  });

  it('does not grow with the seeds', () => {
    const seeds = Array.from({ length: 32 }, (_, index) => fresh(11_001 + index, 'traceback '.repeat(100)));
    expect(unscoredWords(seeds).length).toBeLessThan(600);
  });

  it('keeps a long reason short', () => {
    const words = unscoredWords([fresh(7, 'word '.repeat(500))]);
    expect(words.length).toBeLessThan(300);
    expect(words).toMatch(/ word\.\.\.$/);
  });
});
