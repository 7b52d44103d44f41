import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InstantHost } from '../../workers/bench/instant-host.ts';
import type { CampaignResult } from '../../workflows/campaign.ts';
import { settingsInForce } from '../../workflows/contracts/campaign.ts';
import { isTerminal } from '../../workflows/contracts/experiment.ts';
import { type CampaignStatus, statusQuery, taskQueues, updateNames, workflowTypes } from '../../workflows/contracts/messages.ts';
import { lineageViolations } from '../../workflows/rules/lineage.ts';
import { bestGainKey, campaignKey, experimentsKey, outcomeKey, presetKey, stageKey } from '../../workflows/search-attributes.ts';
import { aCampaign } from '../support/builders.ts';
import { type Loop, startLoop } from '../support/loop.ts';

/** An instant host whose trainings take as much CPU as a test says. */
class CostlyHost extends InstantHost {
  cpuSeconds: number | null = null;

  override async run(job: Parameters<InstantHost['run']>[0]): ReturnType<InstantHost['run']> {
    const end = await super.run(job);
    const { cpuSeconds } = this;
    if (job.command !== 'train' || cpuSeconds === null) return end;
    // What the training says of itself is what is seen of it.
    const path = join(job.workdir, 'result.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), cpuSeconds }));
    return { ...end, cpuSeconds };
  }
}

const loopHost = new CostlyHost();
let loop: Loop;
let slow: Loop;

beforeAll(async () => {
  loop = await startLoop({ host: loopHost });
  slow = await startLoop({ trainingMs: 400 });
}, 120_000);
afterAll(async () => {
  await loop?.stop();
  await slow?.stop();
}, 60_000);

const start = (on: Loop, workflowId: string, ...args: unknown[]) =>
  on.client.workflow.start(workflowTypes.campaign, { taskQueue: taskQueues.discovery, workflowId, args });

const rootMessage = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? rootMessage(error.cause) : error.message;
};

const failureOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return rootMessage(error);
};

describe('a discovery campaign', { timeout: 120_000 }, () => {
  it('trains baselines, explores, confirms and concludes, every experiment with one terminal record', async () => {
    const handle = await start(loop, 'c-whole', { preset: 'tiny', experiments: 6, minutes: 5 });
    const result: CampaignResult = await handle.result();
    expect(result).toMatchObject({ campaignId: 'c-whole', verdict: expect.stringMatching(/^(better|nothing-found)$/) });
    const experiments = await loop.archive.listExperiments('c-whole');
    expect(experiments.map((experiment) => experiment.number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(experiments.filter((experiment) => !isTerminal(experiment.state))).toEqual([]);
    expect(lineageViolations(experiments)).toEqual([]);
    const campaign = await loop.archive.getCampaign('c-whole');
    expect(campaign?.state).toBe('finished');
    expect(campaign?.noise.map((floor) => floor.metric)).toContain('bits-per-byte');
    const finalists = experiments.filter((experiment) => experiment.verdict !== null);
    expect(finalists.map((experiment) => experiment.id)).toEqual(result.finalists.map((finalist) => finalist.experimentId));
    const trials = await loop.archive.listTrials({ campaignId: 'c-whole' });
    expect(trials.filter((trial) => trial.state !== 'scored')).toEqual([]);
    const numFresh = new Set(trials.filter((trial) => trial.purpose === 'confirm').map((trial) => trial.seed)).size;
    // A third seed is added where it may still change the verdict.
    expect([2, 3]).toContain(numFresh);
    const totals = await loop.archive.ledgerTotals('c-whole');
    expect(totals['trial-seconds'].open).toBe(0);
  });

  it('replays its history without a difference', async () => {
    for (const id of ['c-whole', 'c-whole/e0003', 'c-whole/e0001/verify']) {
      const history = await loop.client.workflow.getHandle(id).fetchHistory();
      await Worker.runReplayHistory(
        { workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)) },
        history,
        id,
      );
    }
  });

  it('fails at once on a wrong field and says what would be right, in its own failure and on its page', async () => {
    const handle = await start(loop, 'c-wrong', { experimentz: 3 });
    const message = await failureOf(handle.result());
    expect(message).toContain('experimentz');
    expect(message).toContain('experiments');
    const { events } = await handle.fetchHistory();
    const { failure } = events?.at(-1)?.workflowExecutionFailedEventAttributes ?? {};
    expect(failure).toMatchObject({ message, applicationFailureInfo: { type: 'InvalidCampaignInput', nonRetryable: true } });
    expect(await handle.query<CampaignStatus>(statusQuery)).toMatchObject({ state: 'failed', stage: message, budget: null });
    expect(await loop.archive.getCampaign('c-wrong')).toBeNull();
  });

  it('shows nothing of the campaign whose start was copied, and that it was refused', async () => {
    const handle = await loop.client.workflow.start(workflowTypes.campaign, {
      taskQueue: taskQueues.discovery,
      workflowId: 'c-copied',
      args: [{ preset: 'tiny', seed: -1 }],
      typedSearchAttributes: [
        { key: bestGainKey, value: 0.7 },
        { key: outcomeKey, value: 'recorded' },
        { key: presetKey, value: 'standard' },
        { key: stageKey, value: 'finished' },
        { key: experimentsKey, value: 60 },
      ],
    });
    await failureOf(handle.result());
    const { typedSearchAttributes: attributes } = await handle.describe();
    expect(attributes.get(campaignKey)).toBe('c-copied');
    expect(attributes.get(stageKey)).toBe('failed');
    expect(attributes.get(experimentsKey)).toBe(0);
    for (const key of [bestGainKey, outcomeKey, presetKey]) expect(attributes.get(key)).toBeUndefined();
  });

  it('refuses a sandbox tier that no machine can prove', async () => {
    const message = await failureOf((await start(loop, 'c-beyond', { preset: 'tiny', sandbox: 'S3' })).result());
    expect(message).toContain('sandbox: ');
    expect(message).toContain('one of S2, S1, S0L, S0P, none');
  });

  it('refuses a baseline that is named twice, as the command line does', async () => {
    const input = { preset: 'tiny', baselines: ['gla', 'gla'] };
    expect(await failureOf((await start(loop, 'c-twice', input)).result())).toContain('baselines');
    expect(await loop.archive.getCampaign('c-twice')).toBeNull();
  });

  it('refuses a child workflow that a person starts by itself', async () => {
    for (const workflowType of [workflowTypes.experiment, workflowTypes.verification]) {
      const handle = await loop.client.workflow.start(workflowType, {
        taskQueue: taskQueues.discovery,
        workflowId: `c-lone-${workflowType}`,
        args: [],
      });
      expect(await failureOf(handle.result())).toContain('start discoverArchitectures instead');
    }
  });

  it('refuses a start by a relative path, which would be read from wherever the worker runs', async () => {
    const message = await failureOf((await start(loop, 'c-relative', { preset: 'tiny', starts: ['README.md'] })).result());
    expect(message).toContain('README.md');
    expect(message).toContain('absolute path');
  });

  it('refuses a start that holds a credential, by file and line, and does not repeat it', async () => {
    const path = join(loop.config.home, 'mixer.py');
    const token = `ghp_${'a1'.repeat(18)}`;
    writeFileSync(path, `import torch\n# ${token}\n`);
    const message = await failureOf((await start(loop, 'c-telling', { preset: 'tiny', starts: [path] })).result());
    expect(message).toContain(`starts: "${path}": line 2 of the program holds a credential (GitHub token)`);
    expect(message).not.toContain(token);
    expect(await loop.archive.getCampaign('c-telling')).toBeNull();
  });

  it('refuses a second argument at once', async () => {
    const message = await failureOf((await start(loop, 'c-two', { preset: 'tiny' }, {})).result());
    expect(message).toContain('one input');
  });

  it('refuses a data folder that does not exist, by name', async () => {
    const message = await failureOf(
      (await start(loop, 'c-nodata', { preset: 'tiny', data: { kind: 'folder', path: '/no/such/folder' } })).result(),
    );
    expect(message).toContain('/no/such/folder');
  });

  it('refuses a start that is neither a baseline nor a file', async () => {
    const message = await failureOf((await start(loop, 'c-nostart', { preset: 'tiny', starts: ['/no/mixer.py'] })).result());
    expect(message).toContain('/no/mixer.py');
  });

  it('refuses a second campaign under an id that is taken', async () => {
    const message = await failureOf((await start(loop, 'c-whole', { preset: 'tiny' })).result());
    expect(message).toContain('c-whole');
    expect(message).toContain('another workflow ID');
  });

  it('obeys pause, resume, budget, hint and stop, and answers a status query', async () => {
    const handle = await start(slow, 'c-steered', { preset: 'tiny', experiments: 50, minutes: 5 });
    const update = (name: string, argument?: unknown) =>
      handle.executeUpdate<CampaignStatus, [unknown]>(name, { args: [argument] });
    await expect.poll(async () => (await handle.query<CampaignStatus>(statusQuery)).state, { timeout: 30_000 }).toBe('exploring');
    expect((await update(updateNames.pause)).state).toBe('paused');
    await expect(update(updateNames.pause)).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    await expect.poll(async () => (await handle.query<CampaignStatus>(statusQuery)).inFlight, { timeout: 30_000 }).toEqual([]);
    expect(await failureOf(update(updateNames.budget, { experimentz: 1 }))).toContain('experimentz');
    expect(await failureOf(update(updateNames.budget, { minutes: -1 }))).toContain('minutes: -1');
    expect(await failureOf(update(updateNames.budget, { minutes: 1e-320 }))).toContain('a number from 0.01');
    expect(await failureOf(update(updateNames.budget, { toString: 1 }))).toContain('no field "toString"');
    expect(await failureOf(update(updateNames.hint, { hint: '' }))).toContain('hint');
    expect((await update(updateNames.hint, { hint: 'try a decay' })).hints).toEqual(['try a decay']);
    expect((await update(updateNames.budget, { experiments: 40 })).budget?.experiments.cap).toBe(40);
    await expect.poll(async () => (await slow.archive.getCampaign('c-steered'))?.state, { timeout: 10_000 }).toBe('paused');
    expect((await update(updateNames.resume)).state).toBe('exploring');
    await expect.poll(async () => (await slow.archive.getCampaign('c-steered'))?.state, { timeout: 10_000 }).toBe('exploring');
    await update(updateNames.stop);
    // With nothing in flight it may be confirming its finalists by now.
    expect(await failureOf(update(updateNames.pause))).toMatch(/ends by itself/);
    const result: CampaignResult = await handle.result();
    expect(result.campaignId).toBe('c-steered');
    const steered = await slow.archive.getCampaign('c-steered');
    expect(steered?.settings.experiments).toBe(50);
    expect(steered === null ? null : settingsInForce(steered).experiments).toBe(40);
  }, 120_000);

  it('brings its page up to date while nothing ends, and every activity says what it is for', async () => {
    const handle = await slow.client.workflow.start(workflowTypes.campaign, {
      taskQueue: taskQueues.discovery,
      workflowId: 'c-fresh',
      memo: { refreshMs: 150 },
      args: [{ preset: 'tiny', experiments: 1 }],
    });
    await handle.result();
    const { events } = await handle.fetchHistory();
    const kinds = (events ?? []).map(({ activityTaskScheduledEventAttributes: activity, ...event }) => ({
      name: activity?.activityType?.name ?? null,
      summary: event.userMetadata?.summary?.data ?? null,
      ended: event.childWorkflowExecutionCompletedEventAttributes != null,
    }));
    const isRead = ({ name }: { readonly name: string | null }) => name === 'readDigest';
    const firstEnd = kinds.findIndex(({ ended }) => ended);
    expect(firstEnd).toBeGreaterThan(0);
    expect(kinds.slice(0, firstEnd).filter(isRead).length).toBeGreaterThan(0);
    const finalists = kinds.findIndex(({ name }) => name === 'chooseFinalists');
    const lastEnd = finalists + kinds.slice(finalists).findIndex(({ ended }) => ended);
    expect(kinds.slice(finalists, lastEnd).filter(isRead).length).toBeGreaterThan(0);
    for (const id of ['c-fresh', 'c-fresh/e0003', 'c-fresh/e0001/verify']) {
      const history = await slow.client.workflow.getHandle(id).fetchHistory();
      const silent = (history.events ?? [])
        .filter((event) => event.activityTaskScheduledEventAttributes != null && event.userMetadata?.summary == null)
        .map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
      expect(silent).toEqual([]);
    }
  });

  it('keeps its page up to date in a pause too, while anything runs', async () => {
    const handle = await slow.client.workflow.start(workflowTypes.campaign, {
      taskQueue: taskQueues.discovery,
      workflowId: 'c-held-page',
      memo: { refreshMs: 100 },
      args: [{ preset: 'tiny', experiments: 3 }],
    });
    const state = async () => (await handle.query<CampaignStatus>(statusQuery)).state;
    const inFlight = async () => (await handle.query<CampaignStatus>(statusQuery)).inFlight;
    await expect.poll(state, { timeout: 30_000 }).toBe('exploring');
    // Held before anything runs, it has nothing to tell.
    await expect.poll(inFlight, { timeout: 30_000, interval: 10 }).not.toEqual([]);
    await handle.executeUpdate<CampaignStatus, []>(updateNames.pause);
    await expect.poll(inFlight, { timeout: 30_000 }).toEqual([]);
    const { events = [] } = await handle.fetchHistory();
    const paused = (events ?? []).findIndex((event) => event.workflowExecutionUpdateAcceptedEventAttributes != null);
    const reads = (events ?? []).slice(paused).map(({ activityTaskScheduledEventAttributes: activity, ...event }) => ({
      isRead: activity?.activityType?.name === 'readDigest',
      isEnd: event.childWorkflowExecutionCompletedEventAttributes != null,
    }));
    expect(reads.findIndex(({ isRead }) => isRead)).toBeGreaterThan(-1);
    // One follows the pause and one each end; the others are of the clock.
    expect(reads.filter(({ isRead }) => isRead).length).toBeGreaterThan(reads.filter(({ isEnd }) => isEnd).length + 1);
    await handle.cancel();
    await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
  }, 60_000);

  it('stops its trials on cancel and leaves a clean record', async () => {
    const handle = await start(slow, 'c-cancelled', { preset: 'tiny', experiments: 50, minutes: 5 });
    await expect
      .poll(
        async () => (await slow.archive.listTrials({ campaignId: 'c-cancelled' })).some((trial) => trial.state === 'running'),
        { timeout: 30_000 },
      )
      .toBe(true);
    await handle.cancel();
    await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    const campaign = await slow.archive.getCampaign('c-cancelled');
    expect(campaign?.state).toBe('cancelled');
    const experiments = await slow.archive.listExperiments('c-cancelled');
    expect(experiments.length).toBeGreaterThan(0);
    expect(experiments.filter((experiment) => !isTerminal(experiment.state))).toEqual([]);
    const trials = await slow.archive.listTrials({ campaignId: 'c-cancelled' });
    expect(trials.filter((trial) => trial.state === 'running' || trial.state === 'queued')).toEqual([]);
    expect(existsSync(join(slow.config.home, 'work', 'c-cancelled'))).toBe(false);
  }, 60_000);

  it.each([0, 30, 100, 300])('leaves a clean record or none when it is cancelled %i ms after its start', async (ms) => {
    const id = `c-hasty-${ms}`;
    const handle = await start(slow, id, { preset: 'tiny', experiments: 1 });
    await sleep(ms);
    await handle.cancel();
    await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    const { state, stage } = await handle.query<CampaignStatus>(statusQuery);
    expect({ state, stage }).toEqual({ state: 'cancelled', stage: expect.stringMatching(/^cancelled by a person/) });
    const campaign = await slow.archive.getCampaign(id);
    if (campaign !== null) expect(campaign).toMatchObject({ state: 'cancelled', finishedAt: expect.any(String) });
  });

  it('does not end another run under its id when it is cancelled while it opens', async () => {
    await loop.archive.createCampaign(aCampaign({ id: 'c-foreign', state: 'exploring', runId: 'another' }));
    const handle = await start(loop, 'c-foreign', { preset: 'tiny' });
    await handle.cancel();
    await handle.result().catch(() => undefined);
    expect((await loop.archive.getCampaign('c-foreign'))?.state).toBe('exploring');
  });

  it('keeps what a person sends while it is still opening', async () => {
    const handle = await start(loop, 'c-early', { preset: 'tiny', experiments: 1, hints: ['from the settings'] });
    const update = (name: string, argument: unknown) =>
      handle.executeUpdate<CampaignStatus, [unknown]>(name, { args: [argument] });
    await update(updateNames.hint, { hint: 'sent early' });
    await update(updateNames.budget, { minutes: 7 });
    expect(await loop.archive.getCampaign('c-early')).toBeNull();
    await handle.result();
    const status = await handle.query<CampaignStatus>(statusQuery);
    expect(status.hints).toEqual(['from the settings', 'sent early']);
    expect(status.budget).toMatchObject({ experiments: { cap: 1 }, minutes: { cap: 7 } });
    const campaign = await loop.archive.getCampaign('c-early');
    expect(campaign === null ? null : settingsInForce(campaign)).toMatchObject({ experiments: 1, minutes: 7 });
  });

  it('waits for open reserves rather than passing the cap on trial seconds, and goes on', async () => {
    // The first estimate of this rung is 15 s, so that two trials cannot be reserved at once.
    const handle = await start(loop, 'c-tight', { preset: 'tiny', experiments: 2, trialSeconds: 16 });
    await handle.result();
    const totals = await loop.archive.ledgerTotals('c-tight');
    expect(totals['trial-seconds'].settled + totals['trial-seconds'].open).toBeLessThanOrEqual(16);
    expect((await loop.archive.listExperiments('c-tight')).map((experiment) => experiment.state)).not.toContain('cancelled');
  });

  it('goes on when a person cancels one experiment by itself', async () => {
    const handle = await start(slow, 'c-one-lost', { preset: 'tiny', experiments: 3, minutes: 5 });
    const isRunning = async () =>
      (await slow.archive.listTrials({ experimentId: 'c-one-lost/e0003' })).some((trial) => trial.state === 'running');
    await expect.poll(isRunning, { timeout: 60_000 }).toBe(true);
    await slow.client.workflow.getHandle('c-one-lost/e0003').cancel();
    await handle.result();
    expect((await slow.archive.getExperiment('c-one-lost/e0003'))?.state).toBe('cancelled');
    expect((await slow.archive.getCampaign('c-one-lost'))?.state).toBe('finished');
  }, 120_000);

  it('continues as new with nothing lost and nothing twice', async () => {
    const handle = await loop.client.workflow.start(workflowTypes.campaign, {
      taskQueue: taskQueues.discovery,
      workflowId: 'c-continued',
      memo: { continueAfterEvents: 60 },
      args: [{ preset: 'tiny', experiments: 10, minutes: 5 }],
    });
    await handle.result();
    expect((await handle.describe()).runId).not.toBe(handle.firstExecutionRunId);
    const experiments = await loop.archive.listExperiments('c-continued');
    expect(experiments.map((experiment) => experiment.number)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect(experiments.filter((experiment) => !isTerminal(experiment.state))).toEqual([]);
  }, 120_000);

  it('says which cap left no room for the reference', async () => {
    loopHost.cpuSeconds = 14;
    const message = await failureOf((await start(loop, 'c-poor', { preset: 'tiny', trialSeconds: 15 })).result());
    loopHost.cpuSeconds = null;
    expect(message).toContain('trial seconds');
    expect((await loop.archive.getCampaign('c-poor'))?.state).toBe('failed');
  });

  it('refuses trial seconds with which no trial could begin, and opens nothing', async () => {
    const message = await failureOf((await start(loop, 'c-poorer', { preset: 'tiny', trialSeconds: 5 })).result());
    expect(message).toContain('trialSeconds: value 5; right would be 15 or more on rung tiny');
    expect(await loop.archive.getCampaign('c-poorer')).toBeNull();
  });

  it('refuses such a cap from a person too, when it is sent while the campaign opens as well', async () => {
    const handle = await start(loop, 'c-lowered', { preset: 'tiny', experiments: 1 });
    const budget = (trialSeconds: number) =>
      handle.executeUpdate<CampaignStatus, [unknown]>(updateNames.budget, { args: [{ trialSeconds }] });
    const right = 'trialSeconds: 5 is not a number from 15 to 1000000000';
    const [early, raised] = await Promise.all([failureOf(budget(5)), budget(500)]);
    expect(early).toContain(right);
    expect(raised.budget?.trialSeconds.cap).toBe(500);
    expect(await failureOf(budget(5))).toContain(right);
    await handle.result();
    const campaign = await loop.archive.getCampaign('c-lowered');
    expect(campaign?.budgetChanges?.map(({ caps }) => caps.trialSeconds)).toEqual([500]);
  });
});
