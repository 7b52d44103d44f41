import { expect, it } from 'vitest';
import { type CreateDispatch, openDispatch } from './harness.ts';

/** What a caller hears, and what it may stop. */
export const callerTests = (create: CreateDispatch): void => {
  it('tells a waiting caller its place, then the start, then the progress', async () => {
    const { runner, job, give, finish } = await openDispatch(create);
    const seen: string[] = [];
    const events = {
      onQueued: (place: number) => void seen.push(`queued ${place}`),
      onStarted: () => void seen.push('started'),
      onProgress: () => void seen.push('progress'),
    };
    await give(job('a'));
    await give(job('b'));
    const { end } = await give(job('c'), { events });
    await finish('a');
    await finish('b');
    runner.progress('c');
    await finish('c');
    expect(await end).toMatchObject({ ok: true });
    expect(seen).toEqual(['queued 1', 'started', 'progress']);
  });

  it('tells a caller that attaches to a running job of its start and of what follows', async () => {
    const { runner, job, give, finish } = await openDispatch(create);
    await give(job('a'));
    runner.progress('a');
    const seen: string[] = [];
    const events = { onStarted: () => void seen.push('started'), onProgress: () => void seen.push('progress') };
    const { end } = await give(job('a'), { events });
    runner.progress('a');
    await finish('a');
    await end;
    expect(seen).toEqual(['started', 'progress']);
  });

  it('runs a job when those who wait for it have said that they are ready, and not at all when they cannot be', async () => {
    const { runner, job, give, finish, settle } = await openDispatch(create);
    const ready = Promise.withResolvers<void>();
    const first = await give(job('a'), { events: { onStarted: () => ready.promise } });
    const refused = await give(job('b'), { events: { onStarted: () => Promise.reject(new Error('held by another')) } });
    expect(runner.started).toEqual([]);
    ready.resolve();
    await settle();
    expect(runner.started).toEqual(['a']);
    await finish('a');
    expect(await first.end).toMatchObject({ ok: true });
    expect(await refused.end).toMatchObject({ ok: false, label: 'infra', detail: 'held by another' });
    expect(runner.started).toEqual(['a']);
  });

  it('does not run a job that is given up while it is made ready', async () => {
    const { runner, job, give, settle } = await openDispatch(create);
    const ready = Promise.withResolvers<void>();
    const stop = new AbortController();
    const { end } = await give(job('a'), { events: { onStarted: () => ready.promise }, signal: stop.signal });
    stop.abort();
    ready.resolve();
    await settle();
    expect(await end).toMatchObject({ ok: false, label: 'cancelled', cpuSeconds: 0 });
    expect(runner.started).toEqual([]);
  });

  it('ends a queued job at once and a running one after it is gone when its caller gives up', async () => {
    const { runner, job, give } = await openDispatch(create);
    const [runs, waits] = [new AbortController(), new AbortController()];
    const first = await give(job('a'), { signal: runs.signal });
    const second = await give(job('b'), { signal: waits.signal });
    waits.abort();
    expect(await second.end).toMatchObject({ ok: false, label: 'cancelled' });
    expect(runner.running).toEqual(['a']);
    runs.abort();
    expect(await first.end).toMatchObject({ ok: false, label: 'cancelled' });
    expect(runner.cancelled).toEqual(['a']);
  });

  it('does not begin a job whose caller has given up before', async () => {
    const { runner, job, give } = await openDispatch(create);
    const { end } = await give(job('a'), { signal: AbortSignal.abort() });
    expect(await end).toMatchObject({ ok: false, label: 'cancelled' });
    expect(runner.started).toEqual([]);
  });

  it('keeps a job running while another caller still waits for it', async () => {
    const { runner, job, give, finish, settle } = await openDispatch(create);
    const stop = new AbortController();
    const first = await give(job('a'), { signal: stop.signal });
    const second = await give(job('a'));
    stop.abort();
    await settle();
    expect(runner.cancelled).toEqual([]);
    await finish('a');
    expect(await Promise.all([first.end, second.end])).toMatchObject([{ ok: true }, { ok: true }]);
  });

  it('cancels what runs and what waits, and closes the runner, when it closes', async () => {
    const { dispatcher, runner, job, give } = await openDispatch(create);
    const ends = [(await give(job('a'))).end, (await give(job('b'))).end];
    await dispatcher.close();
    expect(await Promise.all(ends)).toMatchObject([
      { ok: false, label: 'cancelled' },
      { ok: false, label: 'cancelled' },
    ]);
    expect(runner.started).toEqual(['a']);
    expect(runner.closed).toBe(true);
  });
};
