import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InstantHost } from '../../workers/bench/instant-host.ts';
import type { CampaignResult } from '../../workflows/campaign.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { type Loop, startLoop } from '../support/loop.ts';

const patienceMs = 10_000;
/** Candidates come after the two baselines of the preset. */
const candidate = 'e0003';

/** A training of the candidate ends when another one of it runs too; in one campaign the first then ends badly, and the other when it is told to. */
class PairingHost extends InstantHost {
  readonly paired: string[] = [];
  readonly alone: string[] = [];
  readonly #running = new Set<string>();
  readonly #met = new Set<string>();
  readonly #told = new Set<string>();

  override async run(job: Parameters<InstantHost['run']>[0]) {
    const isTraining = job.command === 'train' && !job.id.includes('#again');
    if (!isTraining || !job.id.includes(`/${candidate}/`)) return await super.run(job);
    this.#running.add(job.id);
    if (this.#running.size > 1) for (const id of this.#running) this.#met.add(id);
    const isPaired = await this.#until(() => this.#met.has(job.id));
    (isPaired ? this.paired : this.alone).push(job.id);
    const end = await super.run(job);
    if (job.id.startsWith('c-first-falls/')) {
      if (job.id.includes('/s10001#')) return { ...end, label: 'exit' as const, detail: 'status 3' };
      if (await this.#until(() => this.#told.has(job.id))) return { ...end, label: 'cancelled' as const, detail: 'told to end' };
    }
    this.#running.delete(job.id);
    return end;
  }

  override cancel(id: string): void {
    this.#told.add(id);
  }

  async #until(isSo: () => boolean): Promise<boolean> {
    for (let waitedMs = 0; waitedMs < patienceMs && !isSo(); waitedMs += 20) await setTimeout(20);
    return isSo();
  }
}

let loop: Loop;
const host = new PairingHost();
beforeAll(async () => {
  loop = await startLoop({ host });
}, 120_000);
afterAll(async () => {
  await loop?.stop();
}, 60_000);

const run = async (workflowId: string): Promise<CampaignResult> =>
  await loop.client.workflow.execute(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId,
    args: [{ preset: 'tiny', experiments: 1 }],
  });
const trialsOf = (id: string) => loop.archive.listTrials({ experimentId: `${id}/${candidate}` });

describe('the seeds of one program', { timeout: 120_000 }, () => {
  it('train side by side where nothing else waits for a slot, while exploring and on fresh seeds', async () => {
    await run('c-side-by-side');
    expect(host.alone).toEqual([]);
    expect(host.paired.toSorted()).toEqual((await trialsOf('c-side-by-side')).map(({ id }) => `${id}#train`).toSorted());
    expect(new Set((await trialsOf('c-side-by-side')).map(({ purpose }) => purpose))).toEqual(new Set(['explore', 'confirm']));
  });

  it('end with the first that falls, and the record says why', async () => {
    await run('c-first-falls');
    const experiment = await loop.archive.getExperiment(`c-first-falls/${candidate}`);
    expect(experiment).toMatchObject({ state: 'failed', failure: { label: 'exit', detail: 'status 3' } });
    const states = (await trialsOf('c-first-falls')).map(({ seed, state }) => ({ seed, state }));
    expect(states).toEqual([
      { seed: 10_001, state: 'failed' },
      { seed: 10_002, state: 'cancelled' },
    ]);
  });
});
