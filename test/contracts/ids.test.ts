import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  campaignIdForWorkflow,
  campaignIdSchema,
  campaignOf,
  experimentId,
  experimentIdSchema,
  trialId,
  trialIdSchema,
} from '../../workflows/contracts/ids.ts';
import { rungNames } from '../../workflows/contracts/rung.ts';

const anyText = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ minLength: 60, maxLength: 90 }));

describe('ids', () => {
  it('are valid whatever a person typed as the workflow id', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.integer({ min: 0, max: 999_999 }),
        fc.nat(),
        fc.constantFrom(...rungNames),
        (typed, number, seed, rung) => {
          const campaign = campaignIdSchema.parse(campaignIdForWorkflow(typed));
          const experiment = experimentIdSchema.parse(experimentId(campaign, number));
          const trial = trialIdSchema.parse(trialId(experiment, { rung, seed }));
          expect(campaignOf(experiment)).toBe(campaign);
          expect(campaignOf(trial)).toBe(campaign);
        },
      ),
    );
  });

  it('leave a campaign id as it is', () => {
    fc.assert(
      fc.property(anyText, (typed) => {
        const id = campaignIdForWorkflow(typed);
        expect(campaignIdForWorkflow(id)).toBe(id);
      }),
    );
  });

  it.each([
    ['My First Run!', 'c-my-first-run'],
    ['c-lab-7', 'c-lab-7'],
    ['c-', 'c-c'],
    ['  ', 'c-campaign'],
    ['数据', 'c-campaign'],
  ])('make %j into %s', (typed, id) => {
    expect(campaignIdForWorkflow(typed)).toBe(id);
  });

  it('sort by number as text while there are fewer than ten thousand', () => {
    fc.assert(
      fc.property(fc.nat(9999), fc.nat(9999), (a, b) => {
        expect(Math.sign(experimentId('c-x', a).localeCompare(experimentId('c-x', b)))).toBe(Math.sign(a - b));
      }),
    );
  });

  it.each(['', 'x', 'c-', 'c-Ä', 'c-a b', 'c--a', `c-${'a'.repeat(48)}`])('refuse the campaign id %j', (id) => {
    expect(campaignIdSchema.safeParse(id).success).toBe(false);
  });
});
