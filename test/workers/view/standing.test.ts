import { describe, expect, it } from 'vitest';
import { frontOf, type Standing, standingOf, standingsTable } from '../../../workers/view/standing.ts';
import { anEffect, anExperiment } from '../../support/builders.ts';

/** Gains over the reference in bits per byte and in nats of recall loss. */
const standing = (number: number, bits: number, recall: number | null): Standing => {
  const effects = [
    anEffect({ metric: 'bits-per-byte', mean: bits }),
    ...(recall === null ? [] : [anEffect({ metric: 'recall-auc', mean: recall })]),
  ];
  const fitness = { rule: 'paired-gain', value: bits, effects } as const;
  return standingOf(anExperiment({ number, state: 'recorded', fitness }), { isReference: false, confirmed: null });
};
const reference = standingOf(anExperiment({ number: 1, kind: 'baseline', state: 'recorded' }), {
  isReference: true,
  confirmed: null,
});

describe('a ranking of two axes', () => {
  const trader = standing(2, 0.3, -0.5);
  const beaten = standing(3, -0.1, -0.2);
  const keeper = standing(4, 0.1, 0.4);

  it('has on its front what no other beats in both loss and recall', () => {
    expect([...frontOf([reference, trader, beaten, keeper])]).toEqual([trader, keeper]);
    expect([...frontOf([reference, trader, beaten])]).toEqual([reference, trader]);
  });

  it('shows recall beside the loss and marks the front', () => {
    const text = standingsTable({ width: 120, color: false }, [trader, reference, beaten, keeper]).join('\n');
    expect(text).toMatch(/-0\.500 \* +not confirmed/);
    expect(text).toMatch(/-0\.200 +not confirmed/);
    expect(text).toContain('* no other row is better in both');
  });

  it('leaves the column out where recall was not measured', () => {
    const text = standingsTable({ width: 120, color: false }, [reference, standing(2, 0.3, null)]).join('\n');
    expect(text).not.toContain('recall');
  });

  it('marks what was scored without a sandbox, says what the mark means, and keeps the unranked off the front', () => {
    const ours = [reference, keeper].map((one) => ({ ...one, isUnwalled: true }));
    const ourText = standingsTable({ width: 200, color: false }, ours).join('\n');
    expect(ourText.match(/ †/g)).toHaveLength(2);
    expect(ourText).toContain('every program of this campaign was written by asi-arch itself');
    const foreign = ours.map((one) => ({ ...one, isRanked: false }));
    const text = standingsTable({ width: 200, color: false }, foreign).join('\n');
    expect(text).toContain('not ranked: no safe sandbox');
    expect(text).toContain('none of these is ranked or called better');
    expect(frontOf(foreign).size).toBe(0);
  });
});
