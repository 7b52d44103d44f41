import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  campaignInputSchema,
  presetNames,
  presets,
  resolveSettings,
  settingsSchema,
} from '../../workflows/contracts/settings.ts';

describe('presets', () => {
  it.each(presetNames)('%s is whole, valid and knows its own name', (name) => {
    expect(settingsSchema.parse(presets[name])).toEqual(presets[name]);
    expect(presets[name].preset).toBe(name);
  });

  it.each(presetNames)('%s does not train a baseline twice, and leaves room for its finalists', (name) => {
    const { baselines, finalists, experiments } = presets[name];
    expect(new Set(baselines).size).toBe(baselines.length);
    expect(finalists).toBeLessThanOrEqual(experiments);
  });

  it("holds the paper's search where it bears its name", () => {
    expect(presets['asi-arch']).toMatchObject({
      policy: 'asi-arch',
      fitness: 'asi-arch',
      poolBatch: 50,
      coldStart: 200,
      controlShare: 0,
    });
  });
});

describe('resolveSettings', () => {
  it('makes a good campaign of nothing', () => {
    expect(resolveSettings({})).toEqual(presets.quick);
  });

  it("puts a person's values on top of the preset's, and no others", () => {
    const input = fc.record(
      {
        preset: fc.constantFrom(...presetNames),
        seed: fc.nat(),
        experiments: fc.nat(100),
        minutes: fc.integer({ min: 1, max: 99 }),
        targetGain: fc.constant(null),
        hints: fc.array(fc.constant('try wider FIR'), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(input, (given) => {
        const settings = settingsSchema.parse(resolveSettings(given));
        expect(settings).toEqual({ ...presets[given.preset ?? 'quick'], ...given });
      }),
    );
  });

  it('takes a value that is not there for one that was not given', () => {
    expect(resolveSettings({ preset: 'tiny', seed: undefined } as Parameters<typeof resolveSettings>[0])).toEqual(presets.tiny);
  });
});

describe('campaignInputSchema', () => {
  it.each([
    ['an unknown field', { sed: 7 }],
    ['a wrong type', { seed: '7' }],
    ['a share above one', { controlShare: 1.5 }],
    ['a negative budget', { experiments: -1 }],
    ['no baseline', { baselines: [] }],
    ['an unknown baseline', { baselines: ['mamba-9'] }],
    ['an unknown preset', { preset: 'fast' }],
    ['a number that is not finite', { minutes: Number.POSITIVE_INFINITY }],
    ['an unknown kind of data', { data: { kind: 'web' } }],
  ])('refuses %s', (_, input) => {
    expect(campaignInputSchema.safeParse(input).success).toBe(false);
  });
});
