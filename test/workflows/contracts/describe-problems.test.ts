import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeSettingsProblems, parseSettings } from '../../../workflows/contracts/describe-problems.ts';
import { editDistance, nearNames } from '../../../workflows/contracts/near-names.ts';
import { acceptedAt, settingFields } from '../../../workflows/contracts/setting-fields.ts';
import { campaignInputSchema, presets, settingsSchema } from '../../../workflows/contracts/settings.ts';

describe('problems of campaign settings', () => {
  it('finds none in no input, an empty object and every preset', () => {
    for (const input of [undefined, null, {}, ...Object.values(presets)]) expect(describeSettingsProblems(input)).toEqual([]);
  });

  it.each([
    [
      'text instead of an object',
      'quick',
      'settings: value "quick"; right would be an object such as {"preset":"quick","seed":7}',
    ],
    ['a wrong type', { experiments: 'many' }, 'experiments: value "many"; right would be a whole number from 0 to 100000'],
    [
      'a fraction of an experiment',
      { experiments: 1.5 },
      'experiments: value 1.5; right would be a whole number from 0 to 100000',
    ],
    ['a budget out of range', { minutes: 0 }, 'minutes: value 0; right would be a number from 0.01 up to 100000'],
    [
      'a data source without its path',
      { data: { kind: 'folder' } },
      'data.path: value (missing); right would be {"kind":"stdlib"} or {"kind":"folder","path":"..."}',
    ],
    [
      'an unknown data source',
      { data: { kind: 'web' } },
      'data.kind: value "web"; right would be {"kind":"stdlib"} or {"kind":"folder","path":"..."}',
    ],
    ['too long a hint', { hints: ['x'.repeat(501)] }, 'right would be a text of 1 to 500 characters'],
    ['null where null is no value', { experiments: null }, 'experiments: value null;'],
    [
      'a start that is an object',
      { starts: [{ file: 'x.py' }] },
      'starts.0: value {"file":"x.py"}; right would be a text, either a baseline\'s name (linear-attention, ',
    ],
    ['a start that is empty', { starts: ['gla', ''] }, 'starts.1: value ""; right would be a text, either a baseline\'s name ('],
    ['starts that are no list', { starts: 'x.py' }, 'or the path of a mixer file ("/home/me/mixer.py")'],
    [
      'fewer seconds than the first trial reserves',
      { preset: 'tiny', trialSeconds: 14.9 },
      'trialSeconds: value 14.9; right would be 15 or more on rung tiny, since the first trial reserves so much',
    ],
    [
      'a rung that the seconds are too few for',
      { trialSeconds: 100, rung: 'standard' },
      'trialSeconds: value 100; right would be 450 or more on rung standard',
    ],
    ['the reference twice', { baselines: ['kda', 'kda'] }, 'right would be each name once, and kda is there twice'],
  ])('names field, value and what would be right for %s', (_what, input, message) => {
    const problems = describeSettingsProblems(input);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });

  it('take the seconds that the first trial reserves', () => {
    expect(describeSettingsProblems({ preset: 'tiny', trialSeconds: 15 })).toEqual([]);
  });

  it('suggests the field that a misspelt one was meant to be', () => {
    expect(describeSettingsProblems({ experimnets: 3 })).toEqual([
      'experimnets: there is no such setting; did you mean experiments?',
    ]);
  });

  it('lists every setting when nothing is near', () => {
    expect(describeSettingsProblems({ qqqq: 3 })[0]).toContain('settings are preset, seed, experiments');
  });

  it('suggests a near preset and a near baseline', () => {
    expect(describeSettingsProblems({ preset: 'quik' })[0]).toContain('did you mean quick?');
    expect(describeSettingsProblems({ baselines: ['deltanet', 'gated-delta-net'] })[0]).toContain('did you mean gated-deltanet?');
  });

  it('reports every problem of one input', () => {
    expect(describeSettingsProblems({ seed: -1, slots: 0, color: 'red' })).toHaveLength(3);
  });

  it('shortens a long value', () => {
    expect(describeSettingsProblems({ policy: 'p'.repeat(1000) })[0]?.length).toBeLessThan(300);
  });

  it('agrees with the schema on every input', () => {
    const anyField = fc.constantFrom(...settingFields.map(({ name }) => name), 'unknown');
    fc.assert(
      fc.property(fc.dictionary(anyField, fc.jsonValue()), (input) => {
        const problems = describeSettingsProblems(input);
        if (!campaignInputSchema.safeParse(input).success) expect(problems.length).toBeGreaterThan(0);
        else expect(parseSettings(input).ok).toBe(problems.length === 0);
        for (const problem of problems) expect(problem).not.toMatch(/undefined|\[object/);
      }),
    );
  });
});

describe('setting fields', () => {
  it('are the fields of the schema, each with words for people', () => {
    expect(settingFields.map(({ name }) => name)).toEqual(Object.keys(settingsSchema.shape));
    for (const field of settingFields) {
      expect(field.description).not.toBe('');
      expect(field.accepts).not.toContain('another value');
    }
  });

  it('have no words for a path that the settings lack', () => {
    expect(acceptedAt(['nothing'])).toBeNull();
    expect(acceptedAt(['hints', 2])).toBe('a text of 1 to 500 characters');
  });
});

describe('near names', () => {
  it('count a swap of neighbours as one edit', () => {
    expect(editDistance('delta', 'detla')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('are a metric on equal and reversed words', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  it('leave out what nobody can have meant', () => {
    expect(nearNames('kda', ['gla', 'kda', 'retnet'])).toEqual(['kda']);
    expect(nearNames('zzz', ['gla', 'retnet'])).toEqual([]);
  });
});
