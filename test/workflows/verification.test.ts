import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PythonProcessError } from '../../services/python/line-process.ts';
import type { CampaignInput } from '../../workflows/contracts/settings.ts';
import { aTrial } from '../support/builders.ts';
import { type Loop, startLoop } from '../support/loop.ts';
import { LeakFindingHost, type PlantedGain, PlantingJudge, runTiny } from '../support/planted-campaign.ts';

/** Bits per byte that candidates gain over baselines, by campaign, on the champion set and on the others. */
const gains: Readonly<Record<string, PlantedGain>> = {
  'c-held': { champion: 1, others: 1 },
  'c-judge-breaks': { champion: 1, others: 1 },
  'c-judge-lasts': { champion: 1, others: 1 },
  'c-lost-a-seed': { champion: 1, others: 1 },
  'c-high-rate': { champion: 1, others: 1 },
  'c-gain-of-a-rate': { champion: 1, others: 1, twiceTheRate: 0.98 },
  'c-more-than-a-rate': { champion: 1, others: 1, twiceTheRate: 0.05 },
  'c-more-seeds-for-a-rate': { champion: 1, others: 1, twiceTheRate: 0.7 },
  'c-knew-more': { champion: 1, others: 1, unlearnt: true },
  'c-taken-back': { champion: -0.5, others: 1 },
  'c-more-seeds': { champion: 0.2, others: 0.2 },
  'c-leak-of-3-percent': { champion: 1, others: 1 },
  'c-leak-of-1-percent': { champion: 1, others: 1 },
  'c-on-worn-text': { champion: 1, others: 1 },
  'c-without-a-seed': { champion: 1, others: 1, unlearnt: true },
  'c-with-blind-gates': { champion: 1, others: 1 },
  'c-with-strict-gates': { champion: 1, others: 1 },
};
/** In these campaigns the gates find a leak, but only with so many cuts. */
const leaks: Readonly<Record<string, number>> = { 'c-leak-of-3-percent': 100, 'c-leak-of-1-percent': 300 };

/**
 * Dies in its first scoring on the champion set of one campaign, after the answers. In another campaign a fresh seed is begun that nobody
 * comes back to, as when each worker at it dies.
 */
class BreakingJudge extends PlantingJudge {
  #isBroken = false;

  override async score(request: Parameters<PlantingJudge['score']>[0]): ReturnType<PlantingJudge['score']> {
    if (request.set === 'promotion' && request.trialId.startsWith('c-lost-a-seed/'))
      await loop.archive.createTrial(
        aTrial({ experimentId: 'c-lost-a-seed/e0001', seed: 999, purpose: 'confirm', state: 'running', cpuSeconds: 3 }),
      );
    if (this.#isBroken || request.set !== 'champion' || !request.trialId.startsWith('c-judge-breaks/'))
      return await super.score(request);
    this.#isBroken = true;
    await setTimeout(200);
    throw new PythonProcessError('the judge ended with SIGKILL');
  }
}

let loop: Loop;
beforeAll(async () => {
  loop = await startLoop({ judge: new BreakingJudge(gains, 0.05), host: new LeakFindingHost(leaks, gains) });
}, 120_000);
afterAll(async () => {
  await loop?.stop();
}, 60_000);

/** A tiny campaign of two candidates: what it says, and the fresh seeds and the sets that scores were made on. */
const campaign = async (workflowId: string, input: CampaignInput = {}) => {
  const result = await runTiny(loop, workflowId, { experiments: 2, ...input });
  const trials = await loop.archive.listTrials({ campaignId: workflowId });
  const scores = await loop.archive.listScores({ campaignId: workflowId });
  return {
    result,
    rateTrials: trials.filter(({ purpose }) => purpose === 'rate').map(({ id }) => id.split('/').slice(1).join('/')),
    freshTrials: trials.filter(({ purpose }) => purpose === 'confirm').length,
    championTrials: new Set(scores.filter(({ set }) => set === 'champion').map(({ trialId }) => trialId)).size,
  };
};

describe('confirming finalists', { timeout: 120_000 }, () => {
  it('asks the champion set once about what is better, and says that it held', async () => {
    const { result, freshTrials, championTrials } = await campaign('c-held');
    expect(result.verdict).toBe('better');
    expect(result.statement).toContain('It held on the champion set');
    // One finalist and two baselines on two seeds each: clear at the first look.
    expect(freshTrials).toBe(6);
    expect(championTrials).toBe(6);
  });

  it('counts what was answered to a judge that died before it scored', async () => {
    const settled = async (id: string) => (await loop.archive.ledgerTotals(id))['trial-seconds'].settled;
    const broken = await campaign('c-judge-breaks');
    const whole = await campaign('c-judge-lasts');
    expect([broken.result.verdict, broken.championTrials]).toEqual([whole.result.verdict, 6]);
    // Both processes that answer use a millisecond of this host's.
    expect((await settled('c-judge-breaks')) - (await settled('c-judge-lasts'))).toBeCloseTo(0.002, 6);
  });

  it('leaves no trial open that nobody comes back to, and counts its seconds', async () => {
    await campaign('c-lost-a-seed');
    const lost = await loop.archive.getTrial('c-lost-a-seed/e0001/tiny/s999');
    expect(lost).toMatchObject({ state: 'failed', failure: { label: 'infra' }, cpuSeconds: 3 });
    const totals = (await loop.archive.ledgerTotals('c-lost-a-seed'))['trial-seconds'];
    expect(totals.settled).toBeGreaterThan(3);
  });

  it('calls nothing better that learns at a rate of its own', async () => {
    const { result, rateTrials, championTrials } = await campaign('c-high-rate');
    expect(result.verdict).toBe('nothing-found');
    // Other rates and the last set are asked about what may be called better alone.
    expect([rateTrials, championTrials]).toEqual([[], 0]);
    expect(result.finalists[0]?.verdict).toContain('3.0 times those of the baselines (limit 2.2)');
  });

  it('calls nothing better that knows more in its answers than its training told of', async () => {
    const { result, rateTrials, championTrials } = await campaign('c-knew-more');
    expect(result.verdict).toBe('nothing-found');
    expect([rateTrials, championTrials]).toEqual([[], 0]);
    expect(result.finalists[0]?.verdict).toMatch(
      /its scores lie (0\.9\d|1\.0\d) bits per byte further below the loss of its own training than those of the baselines \(limit 0\.4\)/,
    );
  });

  it('calls nothing better that a baseline equals at twice the learning rate, and does not ask the last set', async () => {
    const { result, rateTrials, freshTrials, championTrials } = await campaign('c-gain-of-a-rate');
    expect(result.verdict).toBe('nothing-found');
    expect(result.finalists[0]?.verdict).toMatch(
      /^Not distinguishable when the baselines may learn at half or twice the rate: against [a-z-]+ at twice the learning rate the gain is/,
    );
    // Both baselines at both rates on the first seed, and on the second at the rate that may be the strongest.
    const [first, second] = [11001, 11002];
    expect(new Set(rateTrials)).toEqual(
      new Set([
        ...['e0001', 'e0002'].flatMap((of) => ['half', 'twice'].map((rate) => `${of}/tiny-${rate}-rate/s${first}`)),
        ...['e0001', 'e0002'].map((of) => `${of}/tiny-twice-rate/s${second}`),
      ]),
    );
    expect({ freshTrials, championTrials }).toEqual({ freshTrials: 6, championTrials: 0 });
    const scores = await loop.archive.listScores({ campaignId: 'c-gain-of-a-rate' });
    const rated = scores.filter(({ trialId }) => /-(half|twice)-rate\/s/.test(trialId));
    expect(new Set(rated.map(({ metric, rung, set }) => [metric, rung, set].join(' ')))).toEqual(
      new Set(['bits-per-byte tiny promotion']),
    );
  });

  it('calls better what gains more than another learning rate gives the baselines', async () => {
    const { result, rateTrials, championTrials } = await campaign('c-more-than-a-rate');
    expect(result.verdict).toBe('better');
    expect(result.statement).toMatch(/It is better than baselines at half and at twice the learning rate too: \+0\.95/);
    // A twentieth of a bit rules no rate out by the first seed.
    expect(rateTrials).toHaveLength(8);
    expect(championTrials).toBe(6);
  });

  it('trains more seeds where those it has cannot tell a gain from that of a rate', async () => {
    const { result, rateTrials, freshTrials } = await campaign('c-more-seeds-for-a-rate');

    expect(result.verdict).toBe('better');
    expect(result.finalists[0]?.effect.seeds).toBe(3);
    expect(result.statement).toMatch(/It is better than baselines at half and at twice the learning rate too: \+0\.2/);
    // The finalist and both baselines, and these at twice the rate, on a third seed.
    expect(freshTrials).toBe(9);
    expect(rateTrials.filter((id) => id.endsWith('/s11003')).toSorted()).toEqual([
      'e0001/tiny-twice-rate/s11003',
      'e0002/tiny-twice-rate/s11003',
    ]);
    expect(rateTrials).toHaveLength(8);
  });

  it('takes a better back that does not hold there', async () => {
    const { result, championTrials } = await campaign('c-taken-back');
    expect(championTrials).toBe(6);
    expect(result.verdict).toBe('nothing-found');
    expect(result.statement).toContain('not distinguishable after the champion set');
  });

  it('confirms nothing that fails the gates with the cuts of a finalist', async () => {
    const { result, freshTrials } = await campaign('c-leak-of-3-percent');
    expect(result.verdict).toBe('nothing-found');
    expect(result.statement).toContain('failed the gates with 100 cuts');
    expect(result.statement).toContain('causality: an output at cut 71');
    // The two baselines on two seeds: the finalist is not trained.
    expect(freshTrials).toBe(4);
  });

  it('calls nothing better that fails the gates with the cuts of a champion', async () => {
    const { result, freshTrials } = await campaign('c-leak-of-1-percent');
    expect(freshTrials).toBe(6);
    expect(result.verdict).toBe('nothing-found');
    expect(result.finalists[0]?.verdict).toContain('Not called better, because the gates with 300 cuts ended with gate');
    const [finalist] = result.finalists;
    const audits = await loop.archive.listAudits(finalist?.experimentId ?? '');
    expect(audits.map(({ cuts, passed }) => [cuts, passed])).toEqual([
      [100, true],
      [300, false],
    ]);
  });

  it('confirms nothing whose training is another one from the same seed', async () => {
    const { result, freshTrials } = await campaign('c-without-a-seed');
    expect(result.verdict).toBe('nothing-found');
    expect(result.statement).toContain('It has no score on 1 of its 2 fresh seeds, so it is not called better');
    expect(result.statement).toMatch(
      /Seed \d+ ended with nondeterministic: trained again from the same seed, .* 1\.5 instead of 1/,
    );
    // The two baselines on two seeds, and both of the finalist's, which were asked for at once.
    expect(freshTrials).toBe(6);
    const labels = (await loop.archive.listTrials({ campaignId: 'c-without-a-seed' })).flatMap(({ failure }) => failure ?? []);
    expect(labels).toMatchObject([
      { label: 'nondeterministic', stage: 'train', detail: expect.stringContaining('1.5 instead of 1') },
    ]);
  });

  it.each([
    ['c-with-blind-gates', 'the planted cheat leak-told-by-content, which must fall at the gate causality, passed every gate'],
    [
      'c-with-strict-gates',
      'the gates refused the honest control running-mean: it ended with gate: padding: it sees the padding',
    ],
  ])('calls nothing better in %s, says why, and does not ask the last set', async (id, why) => {
    const { result, freshTrials, championTrials } = await campaign(id);
    expect(result.verdict).toBe('nothing-found');
    expect(result.statement).toContain(`Nothing could be called better, because ${why}.`);
    expect(result.finalists[0]?.verdict).toContain(`Not called better, because ${why}.`);
    expect({ freshTrials, championTrials }).toEqual({ freshTrials: 6, championTrials: 0 });
    expect((await loop.archive.getCampaign(id))?.controls?.filter(({ held }) => !held)).toHaveLength(1);
    expect((await loop.archive.getCampaign('c-held'))?.controls?.map(({ held }) => held)).toEqual([true, true, true]);
  });

  it('warns in its conclusion where more campaigns asked the held-out text than it bears', async () => {
    const [row] = await loop.archive.listScores({ campaignId: 'c-held' });
    if (row === undefined) throw new Error('c-held has scores');
    const earlier = Array.from({ length: 10 }, (_, number) => ({
      ...row,
      trialId: `c-earlier-${number}/e0001/quick/s1`,
      set: 'promotion' as const,
    }));
    await loop.archive.appendScores(earlier);
    const { result } = await campaign('c-on-worn-text', { rung: 'quick' });
    expect(result.verdict).toBe('better');
    expect(result.statement).toMatch(/Warning: the held-out text is worn\. .*the promotion set by \d\d campaigns of 10/);
    const conclusion = (await loop.archive.getCampaign('c-held'))?.conclusion;
    expect(conclusion?.statement).not.toContain('Warning');
  });

  it('trains another seed where it may change the verdict', async () => {
    const { result, freshTrials } = await campaign('c-more-seeds');
    expect(freshTrials).toBe(9);
    expect(result.finalists[0]?.effect.seeds).toBe(3);
    expect(result.finalists[0]?.verdict).toContain('this being look 2');
  });
});
