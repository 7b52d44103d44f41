import { describe, expect, it } from 'vitest';
import { unscoredWords } from '../../../workflows/rules/unscored-seeds.ts';
import { aFailure, aTrial } from '../../support/builders.ts';

const fresh = (seed: number, detail: string | null) =>
  aTrial({ seed, purpose: 'confirm', failure: detail === null ? null : aFailure({ label: 'exit', stage: 'train', detail }) });

describe('unscoredWords', () => {
  it('has nothing to say where no fresh seed failed', () => {
    expect(unscoredWords([fresh(1, null), { ...fresh(2, 'while exploring'), purpose: 'explore' }])).toBe('');
  });

  it('gives label and reason of each seed, a sentence each, in order', () => {
    expect(unscoredWords([fresh(8, 'line one\nline two'), fresh(7, 'it ended.')])).toBe(
      ' Seed 7 ended with exit: it ended. Seed 8 ended with exit: line one line two.',
    );
  });

  it('keeps a long reason short', () => {
    const words = unscoredWords([fresh(7, 'word '.repeat(500))]);
    expect(words.length).toBeLessThan(300);
    expect(words).toMatch(/ word\.\.\.$/);
  });
});
