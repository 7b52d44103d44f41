import { expect, it } from 'vitest';
import { bestRow } from '../../../workers/activities/digest.ts';
import { openSeeded } from '../seeded-campaign.ts';

it('gives every row of the best its gain, but none to the reference, which is compared with nothing', async () => {
  const { experiments } = await openSeeded();
  const scored = experiments.filter(({ fitness }) => fitness !== null);
  expect(scored.length).toBeGreaterThan(2);
  const [reference, ...others] = scored.map(bestRow);
  expect(reference).toMatchObject({ isReference: true, gain: null, fitness: expect.any(Number) });
  for (const row of others) {
    expect(row.isReference).toBeUndefined();
    expect(row.gain).not.toBeNull();
  }
});
