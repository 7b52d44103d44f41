import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InstantHost } from '../../../workers/bench/instant-host.ts';
import { isTerminal } from '../../../workflows/contracts/experiment.ts';
import { type Loop, startLoop } from '../../support/loop.ts';
import { type Ran, runAsi } from './run-asi.ts';

/** Its jobs still write into their folder at their end, whoever removed it meanwhile. */
class LateHost extends InstantHost {
  override async run(job: Parameters<InstantHost['run']>[0]): ReturnType<InstantHost['run']> {
    try {
      return await super.run(job);
    } finally {
      mkdirSync(join(job.workdir, 'checkpoints'), { recursive: true });
    }
  }
}

let loop: Loop;
const asi = (words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
  runAsi(words, { home: loop.config.home, env });

beforeAll(async () => {
  loop = await startLoop({ host: new LateHost({ trainingMs: 400 }) });
}, 120_000);
afterAll(() => loop?.stop(), 60_000);

/** A campaign in the midst of training whose workflow somebody terminates, as the Web UI does. */
const terminated = async (name: string): Promise<string> => {
  const started = await asi(['campaign', 'start', '--preset', 'tiny', '--experiments', '500', '--id', name]);
  expect(started.exitCode).toBe(0);
  const id = `c-${name}`;
  await expect
    .poll(async () => (await loop.archive.listTrials({ campaignId: id })).length, { timeout: 30_000 })
    .toBeGreaterThan(1);
  await loop.client.workflow.getHandle(id).terminate('by hand');
  return id;
};

const expectClosed = async (id: string): Promise<void> => {
  const campaign = await loop.archive.getCampaign(id);
  expect(campaign).toMatchObject({ state: 'cancelled', reason: 'ended outside: terminated', finishedAt: expect.any(String) });
  const experiments = await loop.archive.listExperiments(id);
  expect(experiments.length).toBeGreaterThan(0);
  expect(experiments.filter(({ state }) => !isTerminal(state))).toEqual([]);
  const open = (await loop.archive.listTrials({ campaignId: id })).filter(
    ({ state }) => state === 'queued' || state === 'running',
  );
  expect(open).toEqual([]);
  // What still ran when the record was closed is removed by its worker.
  const work = join(loop.config.home, 'work');
  await expect.poll(() => [join(work, id), join(work, 'check', id)].filter(existsSync), { timeout: 20_000 }).toEqual([]);
};

describe('a campaign whose workflow was terminated', { timeout: 60_000 }, () => {
  it('is closed by the list, which says so', async () => {
    const id = await terminated('listed');
    const ran = await asi(['campaign', 'list']);
    expect(ran.err).toContain(`${id} had ended outside: terminated; its record is closed as cancelled`);
    expect(ran.out).toMatch(new RegExp(`${id} +cancelled`));
    await expectClosed(id);
    expect((await asi(['campaign', 'list'])).err).toBe('');
  });

  it('is closed by a cancel', async () => {
    const id = await terminated('cancelled');
    const ran = await asi(['campaign', 'cancel', id]);
    expect(ran).toMatchObject({ exitCode: 0, out: `${id} had ended outside: terminated; its record is closed as cancelled\n` });
    await expectClosed(id);
  });

  it('ends the view of who watches', async () => {
    const id = await terminated('watched');
    const ran = await asi(['campaign', 'watch', id]);
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toContain('ended outside: terminated');
    expect(ran.err).toContain(`${id} did not finish: it is cancelled`);
    expect(ran.out).toContain(`Campaign ${id} cancelled`);
    await expectClosed(id);
  });

  it('may be out of date where no server can be asked, and is left as it is', async () => {
    const id = await terminated('unasked');
    const before = await loop.archive.getCampaign(id);
    const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const ran = await asi(['campaign', 'list'], env);
    expect(ran.exitCode).toBe(0);
    expect(ran.err).toContain(`What is said of ${id} may be out of date.`);
    expect(await loop.archive.getCampaign(id)).toEqual(before);
    await asi(['campaign', 'list']);
    await expectClosed(id);
  });

  it('does not touch one that runs', async () => {
    await asi(['campaign', 'start', '--preset', 'tiny', '--experiments', '500', '--id', 'running']);
    expect((await asi(['campaign', 'list'])).err).toBe('');
    expect((await loop.archive.getCampaign('c-running'))?.state).not.toBe('cancelled');
    expect(await asi(['campaign', 'cancel', 'running'])).toMatchObject({ exitCode: 0 });
    expect(await loop.archive.getCampaign('c-running')).toMatchObject({
      state: 'cancelled',
      reason: expect.not.stringContaining('outside'),
    });
  });
});
