import { expect, it } from 'vitest';
import type { Job } from '../../../../services/dispatch/dispatcher.ts';
import { type CreateDispatch, type Given, type OpenDispatch, openDispatch } from './harness.ts';

/** Ends the jobs one after the other; each time the next of the list must be the only one that runs. */
const expectInTurn = async ({ runner, finish }: OpenDispatch, ids: readonly string[]): Promise<void> => {
  for (const id of ids) {
    expect(runner.running).toEqual([id]);
    await finish(id);
  }
};
const expectGoodEnds = async (given: readonly Given[]): Promise<void> => {
  expect((await Promise.all(given.map(({ end }) => end))).map(({ ok }) => ok)).toEqual(given.map(() => true));
};

/** Who runs when. */
export const slotTests = (create: CreateDispatch): void => {
  it('runs as many jobs as it has slots, first come first served', async () => {
    const open = await openDispatch(create, { slots: 2 });
    const { dispatcher, runner, job, give, finish } = open;
    expect(dispatcher.slots).toBe(2);
    const given: Given[] = [];
    for (const id of ['a', 'b', 'c', 'd']) given.push(await give(job(id)));
    expect(runner.running).toEqual(['a', 'b']);
    await finish('b');
    expect(runner.running).toEqual(['a', 'c']);
    for (const id of ['a', 'c', 'd']) await finish(id);
    await expectGoodEnds(given);
    expect(runner.started).toEqual(['a', 'b', 'c', 'd']);
  });

  it('gives no owner more slots than its share, and those that are left to the next in the queue', async () => {
    const open = await openDispatch(create, { slots: 3 });
    const { runner, job, give, finish } = open;
    const shared = (id: string, owner: string, slots: number) => give(job(id, { share: { owner, slots } }));
    const given = [
      await shared('a1', 'a', 1),
      await shared('a2', 'a', 1),
      await shared('b1', 'b', 9),
      await shared('a3', 'a', 1),
    ];
    expect(runner.running).toEqual(['a1', 'b1']);
    await finish('b1');
    await expectInTurn(open, ['a1', 'a2', 'a3']);
    await expectGoodEnds(given);
  });

  it('takes the jobs of one owner in the order that they name, and owners in turns', async () => {
    const open = await openDispatch(create);
    const { job, give } = open;
    const ordered = (id: string, owner: string, order?: NonNullable<Job['order']>) =>
      give(job(id, { share: { owner, slots: 1 }, ...(order === undefined ? {} : { order }) }));
    const given = [
      await ordered('a-late', 'a', { turn: 2, seconds: 0 }),
      await ordered('b-late', 'b', { turn: 2, seconds: 9 }),
      await ordered('a-short', 'a', { turn: 1, seconds: 1 }),
      await ordered('a-long', 'a', { turn: 1, seconds: 2 }),
      await ordered('a-long-too', 'a', { turn: 1, seconds: 2 }),
      await ordered('b-plain', 'b'),
    ];
    await expectInTurn(open, ['a-late', 'b-plain', 'a-long', 'b-late', 'a-long-too', 'a-short']);
    await expectGoodEnds(given);
  });

  it('lets a job that comes late with an owner of its own wait for one job of another, not for all of them', async () => {
    const open = await openDispatch(create);
    const { job, give } = open;
    const of = (id: string, owner: string) => give(job(id, { share: { owner, slots: 1 } }));
    const given: Given[] = [];
    for (const id of ['a1', 'a2', 'a3', 'a4']) given.push(await of(id, 'a'));
    given.push(await of('b1', 'b'));
    await expectInTurn(open, ['a1', 'b1', 'a2', 'a3', 'a4']);
    await expectGoodEnds(given);
  });

  it('gives a slot on that comes free by a bad end, an outage or a cancel', async () => {
    const { runner, job, give, finish, settle } = await openDispatch(create);
    const stop = new AbortController();
    const given = [
      await give(job('bad')),
      await give(job('outage')),
      await give(job('cancelled'), { signal: stop.signal }),
      await give(job('last')),
    ];
    await finish('bad', { label: 'exit' });
    await finish('outage', { label: 'infra' });
    expect(runner.running).toEqual(['cancelled']);
    stop.abort();
    await settle();
    expect(runner.running).toEqual(['last']);
    await finish('last');
    expect(await Promise.all(given.map(({ end }) => end))).toMatchObject([
      { ok: false, label: 'exit' },
      { ok: false, label: 'infra' },
      { ok: false, label: 'cancelled' },
      { ok: true },
    ]);
  });
};
