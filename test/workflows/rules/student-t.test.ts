import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tQuantile } from '../../../workflows/rules/student-t.ts';

describe('tQuantile', () => {
  // Critical values of printed tables (for example NIST/SEMATECH e-Handbook, section 1.3.6.7.2) and of mpmath's incomplete beta function.
  it.each([
    [0.975, 1, 12.7062047362],
    [0.975, 2, 4.3026527297],
    [0.975, 3, 3.1824463053],
    [0.975, 5, 2.5705818356],
    [0.975, 10, 2.228138852],
    [0.975, 30, 2.0422724563],
    [0.95, 4, 2.1318467863],
    [0.9, 1, 3.0776835372],
    [0.9, 7, 1.4149239277],
    [0.995, 3, 5.8409093097],
    [0.9995, 2, 31.599054577],
    [0.975, 10_000, 1.9602012399],
  ])('at %s with %s degrees is %s', (p, degrees, expected) => {
    expect(tQuantile(p, degrees) / expected).toBeCloseTo(1, 9);
    expect(tQuantile(1 - p, degrees) / expected).toBeCloseTo(-1, 9);
  });

  it('is zero in the middle', () => {
    expect(tQuantile(0.5, 3)).toBe(0);
  });

  it('follows the closed forms for one and two degrees', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), (p) => {
        const cauchy = Math.tan(Math.PI * (p - 0.5));
        expect(Math.abs(tQuantile(p, 1) - cauchy)).toBeLessThanOrEqual(1e-8 * Math.max(1, Math.abs(cauchy)));
        const two = (2 * p - 1) / Math.sqrt(2 * p * (1 - p));
        expect(Math.abs(tQuantile(p, 2) - two)).toBeLessThanOrEqual(1e-8 * Math.max(1, Math.abs(two)));
      }),
    );
  });

  it.each([0, 1, -0.1, Number.NaN])('refuses p = %s', (p) => {
    expect(() => tQuantile(p, 3)).toThrow('between 0 and 1');
  });
  it.each([0, -1, Number.NaN])('refuses %s degrees of freedom', (degrees) => {
    expect(() => tQuantile(0.9, degrees)).toThrow('degrees of freedom');
  });
});
