import { expect, it } from 'vitest';
import type { Job, JobEnd } from '../../../../services/dispatch/dispatcher.ts';
import { type CreateDispatch, type OpenDispatch, openDispatch } from './harness.ts';

/** Runs the job until it ends, and ends it with an outage. */
const meetOutage = async ({ give, finish }: OpenDispatch, job: Job, options: { readonly ran?: false } = {}): Promise<JobEnd> => {
  const { end } = await give(job);
  await finish(job.id, { label: 'infra', said: 'the host died', ...options });
  return await end;
};

/** Programs that take down what they run in. */
export const suspectTests = (create: CreateDispatch): void => {
  it('gives a program up that was running in three outages, counted over all of its jobs', async () => {
    const open = await openDispatch(create);
    const { dispatcher, runner, job } = open;
    const of = (id: string) => job(id, { suspect: 'c/e9' });
    expect(await meetOutage(open, of('a'))).toMatchObject({ label: 'infra' });
    expect(await meetOutage(open, of('b'))).toMatchObject({ label: 'infra' });
    const end = { label: 'poison', detail: expect.stringMatching(/^3 of its runs ended in an outage, .*: the host died$/) };
    expect(await meetOutage(open, of('a'))).toMatchObject(end);
    // It is kept: nothing runs again.
    expect(await dispatcher.run(of('a'))).toMatchObject(end);
    expect(runner.started).toEqual(['a', 'b', 'a']);
  });

  it('gives no program up for outages in which it did not run, that came apart, or that is ours', async () => {
    const open = await openDispatch(create);
    const { job, give, finish } = open;
    const one = job('a', { suspect: 'c/e9' });
    for (let count = 0; count < 4; count++) expect(await meetOutage(open, one, { ran: false })).toMatchObject({ label: 'infra' });
    for (let count = 0; count < 2; count++) await meetOutage(open, one);
    const well = await give(job('b', { suspect: 'c/e9' }));
    await finish('b');
    await well.end;
    expect(await meetOutage(open, one)).toMatchObject({ label: 'infra' });
    for (let count = 0; count < 4; count++) expect(await meetOutage(open, job('ours'))).toMatchObject({ label: 'infra' });
  });

  it('makes the last try alone, so that what ran beside the guilty one comes through', async () => {
    const open = await openDispatch(create, { slots: 2 });
    const { runner, job, give, finish } = open;
    const [guilty, innocent] = [job('guilty', { suspect: 'guilty' }), job('innocent', { suspect: 'innocent' })];
    for (let count = 0; count < 2; count++) {
      const both = [await give(guilty), await give(innocent)];
      for (const { id } of [guilty, innocent]) await finish(id, { label: 'infra' });
      await Promise.all(both.map(({ end }) => end));
    }
    const given = [await give(guilty), await give(innocent), await give(job('ours'))];
    expect(runner.running).toEqual(['guilty']);
    await finish('guilty', { label: 'infra' });
    expect(runner.running).toEqual(['innocent']);
    await finish('innocent');
    expect(runner.running).toEqual(['ours']);
    await finish('ours');
    expect(await Promise.all(given.map(({ end }) => end))).toMatchObject([
      { ok: false, label: 'poison' },
      { ok: true },
      { ok: true },
    ]);
  });
};
