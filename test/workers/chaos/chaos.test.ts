import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CampaignResult } from '../../../workflows/campaign.ts';
import { isTerminal } from '../../../workflows/contracts/experiment.ts';
import { taskQueues, workflowTypes } from '../../../workflows/contracts/messages.ts';
import type { Trial } from '../../../workflows/contracts/trial.ts';
import { lineageViolations } from '../../../workflows/rules/lineage.ts';
import { type FrozenTraining, isGone, RealStack, until } from '../../support/stack.ts';

let stack: RealStack;
const settings = { preset: 'tiny', seed: 11, minutes: 20 } as const;
/** While one training stands still the others of its stage go on and end, so that a campaign bears three kills: one a stage. */
const stormy = ['c-storm', 'c-squall'] as const;
let current: WorkflowHandle;

const start = (workflowId: string, input: object) =>
  stack.client.workflow.start(workflowTypes.campaign, { taskQueue: taskQueues.discovery, workflowId, args: [input] });

/** Waits for the scores of a trial that was disturbed; what it had trained by then must not have been trained again. */
const finished = async ({ trialId, curve }: FrozenTraining): Promise<void> => {
  await until(async () => {
    const trial = await stack.archive.getTrial(trialId);
    if (trial?.failure != null) throw new Error(`${trialId}: ${trial.failure.label}, ${trial.failure.detail}`);
    return trial?.state === 'scored';
  }, `${trialId} is scored`);
  expect(curve.map(({ task }) => task)).toContain('bytes');
  expect((await stack.archive.getTrial(trialId))?.curve.slice(0, curve.length)).toEqual(curve);
};

const epochOf = async (trialId: string): Promise<number> => (await stack.archive.getTrial(trialId))?.epoch ?? 0;

/** A training that stands still half-way, and how often its trial had been begun by then: an earlier kill may have met it too. */
const freeze = async () => {
  const training = await stack.freezeTraining(current.workflowId);
  return { training, epoch: await epochOf(training.trialId) };
};

/** metric and seed to value, over the exploring trials of one experiment. */
const scoresOf = async (campaignId: string, number: string) => {
  const rows = await stack.archive.listScores({ experimentId: `${campaignId}/${number}` });
  return new Map(rows.map((row) => [`${row.metric} on seed ${row.seed}`, row.value]));
};

// It finds and freezes processes through /proc.
describe.skipIf(process.platform !== 'linux')('a campaign on a machine where processes are killed', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    stack = new RealStack();
    await stack.start();
    await (await start('c-calm', { ...settings, experiments: 0 })).result();
    current = await start(stormy[0], { ...settings, experiments: 3 });
  }, 180_000);
  afterAll(() => stack.stop(), 60_000);

  it('resumes the training when its Python host is killed', async () => {
    const { training, epoch } = await freeze();
    process.kill(training.hostPid, 'SIGKILL');
    await finished(training);
    expect(isGone(training.pid)).toBe(true);
    expect(await epochOf(training.trialId)).toBe(epoch + 1);
  });

  it('resumes the training when the trainer is killed, and nothing of the old one lives on', async () => {
    const { training, epoch } = await freeze();
    // What it used by then is told within a second, and written within another.
    const spentOn = async () =>
      (await stack.archive.getTrial(training.trialId))?.spent?.filter(({ work }) => work === 'train') ?? [];
    await until(async () => {
      const spent = await spentOn();
      return spent.length === epoch && (spent.at(-1)?.seconds ?? 0) > 0;
    }, 'the seconds of the running attempt are in the record');
    const lost = await spentOn();
    await stack.killAndAwaitNext('trainer');
    expect(isGone(training.pid)).toBe(true);
    expect(isGone(training.hostPid)).toBe(true);
    await finished(training);
    expect(await epochOf(training.trialId)).toBe(epoch + 1);
    // The seconds of the lost attempt stay, and those of the next one are added.
    const spent = await spentOn();
    expect(spent.slice(0, lost.length)).toEqual(lost);
    expect(spent.length).toBe(lost.length + 1);
    // Its effort is that of the last attempt and of what that one went on with, by the trainer's own clock.
    const trainSeconds = (await stack.archive.getTrial(training.trialId))?.usage?.trainSeconds;
    expect(trainSeconds).toBeGreaterThanOrEqual(spent.at(-1)?.seconds ?? Number.POSITIVE_INFINITY);
  });

  it('leaves the training alone when the orchestrator is killed', async () => {
    const { training, epoch } = await freeze();
    await stack.killAndAwaitNext('orchestrator');
    training.goOn();
    await finished(training);
    expect(await epochOf(training.trialId)).toBe(epoch);
  });

  it('keeps the training when the Temporal server is killed', async () => {
    await current.result();
    current = await start(stormy[1], { ...settings, experiments: 3 });
    const { training, epoch } = await freeze();
    await stack.killAndAwaitNext('temporal');
    expect(isGone(training.pid)).toBe(false);
    training.goOn();
    await finished(training);
    expect(await epochOf(training.trialId)).toBe(epoch);
  });

  it('goes on from its checkpoint after the supervisor was killed and started again', async () => {
    const { training, epoch } = await freeze();
    await stack.endSupervisor('SIGKILL');
    await until(() => stack.members().length === 0, 'nothing of the stack is left');
    await stack.start();
    await finished(training);
    expect(await epochOf(training.trialId)).toBe(epoch + 1);
  });

  it('goes on from its checkpoint after Ctrl-C in mid-training, and records no cancel', async () => {
    const { training, epoch } = await freeze();
    expect(await stack.endSupervisor('SIGTERM')).toBe(0);
    expect(stack.members()).toEqual([]);
    await stack.start();
    await finished(training);
    expect(await epochOf(training.trialId)).toBe(epoch + 1);
  });

  it.each(stormy)('ends %s with every planned experiment, none of them twice, each with its terminal record', async (id) => {
    const result: CampaignResult = await stack.client.workflow.getHandle(id).result();
    expect(result.verdict).toMatch(/^(better|nothing-found)$/);
    expect((await stack.archive.getCampaign(id))?.state).toBe('finished');
    const experiments = await stack.archive.listExperiments(id);
    expect(experiments.map((one) => one.id)).toEqual([1, 2, 3, 4, 5].map((number) => `${id}/e000${number}`));
    expect(experiments.filter(({ state }) => !isTerminal(state))).toEqual([]);
    expect(experiments.filter(({ failure }) => failure?.label === 'infra' || failure?.label === 'cancelled')).toEqual([]);
    expect(lineageViolations(experiments)).toEqual([]);
    expect(existsSync(result.reportPath ?? '')).toBe(true);
  });

  it.each(stormy)('ends %s with every trial scored or failed by its own doing, and its seconds settled', async (campaignId) => {
    const trials = await stack.archive.listTrials({ campaignId });
    // The other seed of a program that is given up for its training ends with it.
    const own = new Set(['nonfinite', 'diverged', 'hopeless', 'too_slow']);
    const given = new Set(trials.filter(({ failure }) => own.has(failure?.label ?? '')).map((trial) => trial.experimentId));
    const isOwn = ({ experimentId, failure }: Trial): boolean =>
      own.has(failure?.label ?? '') || (failure?.label === 'cancelled' && given.has(experimentId));
    expect(trials.filter((trial) => trial.state !== 'scored' && !isOwn(trial))).toEqual([]);
    const totals = await stack.archive.ledgerTotals(campaignId);
    expect(totals['trial-seconds'].open).toBe(0);
    expect(totals['trial-seconds'].settled).toBeGreaterThan(0);
    const scores = await stack.archive.listScores({ campaignId });
    expect(new Set(scores.map((row) => `${row.trialId} ${row.metric}`)).size).toBe(scores.length);
    expect(new Set(scores.map((row) => row.trialId)).size).toBe(trials.filter(({ state }) => state === 'scored').length);
  });

  it.each(stormy)('gives the baselines of %s bit for bit the scores of an undisturbed campaign', async (id) => {
    for (const number of ['e0001', 'e0002']) {
      const [calm, disturbed] = await Promise.all([scoresOf('c-calm', number), scoresOf(id, number)]);
      expect(calm.size).toBeGreaterThan(3);
      expect(new Map([...disturbed].filter(([name]) => calm.has(name)))).toEqual(calm);
    }
  });

  it('is cancelled although the trainer that held its trials is dead, and nothing stays open', async () => {
    const doomed = await start('c-doomed', { ...settings, experiments: 3 });
    const training = await stack.freezeTraining('c-doomed');
    process.kill(stack.pid('trainer'), 'SIGKILL');
    await doomed.cancel();
    await expect(doomed.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    expect((await stack.archive.getCampaign('c-doomed'))?.state).toBe('cancelled');
    const experiments = await stack.archive.listExperiments('c-doomed');
    expect(experiments.filter(({ state }) => !isTerminal(state))).toEqual([]);
    const trials = await stack.archive.listTrials({ campaignId: 'c-doomed' });
    expect(trials.map(({ id }) => id)).toContain(training.trialId);
    expect(trials.filter(({ state }) => state === 'queued' || state === 'running' || state === 'trained')).toEqual([]);
    expect((await stack.archive.ledgerTotals('c-doomed'))['trial-seconds'].open).toBe(0);
    await until(() => !existsSync(join(stack.home, 'work', 'c-doomed')), 'its work folders are gone');
  });

  it('leaves an archive without damage and no process after its end', async () => {
    await stack.endSupervisor('SIGTERM');
    expect(stack.members()).toEqual([]);
    const database = new DatabaseSync(join(stack.home, 'archive.db'), { readOnly: true });
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    database.close();
  });
});
