import { describe, expect, it } from 'vitest';
import { count, duration, gainWords, instant, plain, shortened, signed } from '../../../services/report/words.ts';

describe('figures in words', () => {
  it.each([
    [0.04123, '+0.0412'],
    [-0.04123, '−0.0412'],
    [0.00001, '±0.0000'],
    [-0.00001, '±0.0000'],
  ])('writes the sign of %s once the digits show it', (value, text) => {
    expect(signed(value)).toBe(text);
  });

  it('writes a gain with its interval only where there is one', () => {
    expect(gainWords({ mean: 0.0412, low: -0.01, high: 0.09, seeds: 2 })).toBe('+0.0412 [−0.010, +0.090]');
    expect(gainWords({ mean: 0.0412, low: null, high: null, seeds: 1 })).toBe('+0.0412');
    expect(gainWords(null)).toBe('–');
  });

  it('writes counts, spans and instants', () => {
    expect([count(1, 'slot'), count(2000, 'slot'), count(0, 'slot')]).toEqual(['1 slot', '2,000 slots', '0 slots']);
    expect([duration(40.4), duration(90), duration(7200)]).toEqual(['40 s', '1.5 min', '2.0 h']);
    expect(instant('2026-11-21T10:05:31.000Z')).toBe('2026-11-21 10:05 UTC');
    expect(plain(-1.5, 2)).toBe('−1.50');
  });

  it('shortens a long text to the length that it was given', () => {
    expect(shortened('abcdef', 6)).toBe('abcdef');
    expect(shortened('abcdefg', 6)).toBe('abcde…');
  });
});
