import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Judge, Judgement } from '../../services/judge/judge.ts';
import { InstantJudge } from '../../workers/bench/instant-judge.ts';
import type { CampaignResult } from '../../workflows/campaign.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { type Loop, startLoop } from '../support/loop.ts';

/** Bits per byte that candidates gain over baselines, by campaign, on the champion set and on the others. */
const gains: Readonly<Record<string, { readonly champion: number; readonly others: number }>> = {
  'c-held': { champion: 1, others: 1 },
  'c-taken-back': { champion: -0.5, others: 1 },
  'c-more-seeds': { champion: 0.2, others: 0.2 },
};
const numBaselines = 2;

/** Levels as planted; each architecture goes up and down by 0.05 from seed to seed, and every other one the other way. */
class PlantingJudge extends InstantJudge {
  override async score(request: Parameters<Judge['score']>[0]): Promise<Judgement> {
    const judged = await super.score(request);
    const [campaign = '', experiment = ''] = request.trialId.split('/');
    const gain = gains[campaign];
    if (!judged.ok || gain === undefined) return judged;
    const number = Number(experiment.slice(1));
    const level = number <= numBaselines ? 3 : 3 - (request.set === 'champion' ? gain.champion : gain.others);
    const value = level + 0.05 * ((number + request.seed) % 2 === 0 ? 1 : -1);
    return { ...judged, rows: judged.rows.map((row) => (row.metric === 'bits-per-byte' ? { ...row, value } : row)) };
  }
}

let loop: Loop;
beforeAll(async () => {
  loop = await startLoop({ judge: new PlantingJudge() });
}, 120_000);
afterAll(async () => {
  await loop?.stop();
}, 60_000);

/** A tiny campaign of two candidates: what it says, and the fresh seeds and the sets that scores were made on. */
const campaign = async (workflowId: string) => {
  const handle = await loop.client.workflow.start(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId,
    args: [{ preset: 'tiny', experiments: 2 }],
  });
  const result: CampaignResult = await handle.result();
  const trials = await loop.archive.listTrials({ campaignId: workflowId });
  const scores = await loop.archive.listScores({ campaignId: workflowId });
  return {
    result,
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

  it('takes a better back that does not hold there', async () => {
    const { result, championTrials } = await campaign('c-taken-back');
    expect(championTrials).toBe(6);
    expect(result.verdict).toBe('nothing-found');
    expect(result.statement).toContain('not distinguishable after the champion set');
  });

  it('trains another seed where it may change the verdict', async () => {
    const { result, freshTrials } = await campaign('c-more-seeds');
    expect(freshTrials).toBe(9);
    expect(result.finalists[0]?.effect.seeds).toBe(3);
    expect(result.finalists[0]?.verdict).toContain('this being look 2');
  });
});
