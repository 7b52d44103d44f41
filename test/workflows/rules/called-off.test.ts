import { describe, expect, it } from 'vitest';
import { endOfOpenTrials } from '../../../workflows/rules/called-off.ts';

describe('a trial that is open when its experiment ends', () => {
  it.each([
    ['train', 'poison'],
    ['score', 'integrity'],
  ] as const)('was called off where another one ended the experiment in stage %s', (stage, label) => {
    const end = endOfOpenTrials({ stage, label, detail: 'words of the other seed' });
    expect(end.label).toBe('cancelled');
    expect(end.detail).toMatch(new RegExp(`^called off: .*\\(${label}\\)`));
    expect(end.detail).not.toContain('words of the other seed');
  });

  it.each(['poison', 'infra', 'cancelled'] as const)('has the end of its experiment where nothing else has: %s', (label) => {
    expect(endOfOpenTrials({ stage: 'record', label, detail: 'why' })).toEqual({ label, detail: 'why' });
  });
});
