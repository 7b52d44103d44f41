import { describe, expect, it } from 'vitest';
import { orderOf } from '../../../workers/activities/trial-job.ts';
import { allConfirmSeeds, calibrationSeeds } from '../../../workflows/rules/trial-seeds.ts';
import { aCampaign, anExperiment, aTrial } from '../../support/builders.ts';

const campaign = aCampaign();
const contextOf = (kind: 'baseline' | 'candidate') => ({
  campaign,
  experiment: anExperiment({ kind, number: kind === 'baseline' ? 1 : 7 }),
  programHash: '',
  workdir: '',
});
const train = (seed: number, purpose: 'explore' | 'confirm' = 'explore', earlier: Parameters<typeof aTrial>[0][] = []) =>
  orderOf(contextOf('candidate'), { seed, purpose }, { command: 'train', earlier: earlier.map((part) => aTrial(part)) });
const answer = (kind: 'baseline' | 'candidate', purpose: 'explore' | 'confirm') =>
  orderOf(contextOf(kind), { seed: 1, purpose }, { command: 'answer' });

describe('the order of an owner’s jobs', () => {
  it('has answers before every training where proposals wait for them, and behind all where a stage does', () => {
    const [first = 0] = calibrationSeeds(campaign.settings);
    expect(answer('candidate', 'explore').turn).toBeLessThan(train(first).turn);
    expect(answer('baseline', 'explore').turn).toBeGreaterThan(train(999_999).turn);
    for (const kind of ['baseline', 'candidate'] as const)
      expect(answer(kind, 'confirm').turn).toBeGreaterThan(train(999_999, 'confirm').turn);
  });

  it.each([
    ['explore', calibrationSeeds(campaign.settings)],
    ['confirm', allConfirmSeeds(campaign.settings)],
  ] as const)('has the seeds of %s in the order of their design, and any other behind them', (purpose, seeds) => {
    expect(seeds.length).toBeGreaterThan(1);
    const turns = [...seeds, 999_999].map((seed) => train(seed, purpose).turn);
    expect(turns).toEqual(turns.map((_, index) => (turns[0] ?? 0) + index));
  });

  it('expects what the longest earlier training of the program took', () => {
    const usage = { answerSeconds: null, timesExpected: null, timesReference: null, mark: null };
    const earlier = [{ usage: { ...usage, trainSeconds: 9 } }, { usage: { ...usage, trainSeconds: 12 } }, {}];
    expect(train(1, 'confirm', earlier).seconds).toBe(12);
    expect(train(1, 'confirm').seconds).toBe(0);
  });
});
