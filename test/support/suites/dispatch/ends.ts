import { existsSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { type CreateDispatch, openDispatch } from './harness.ts';

/** How a job ends, and what is kept of it. */
export const endTests = (create: CreateDispatch): void => {
  it('hands the runner the request in the work folder, and the caller the result and what was used', async () => {
    const { runner, job, give, finish } = await openDispatch(create);
    const one = job('a', { request: { steps: 7 } });
    // What an earlier attempt left is no result of this one, and its checkpoints stay.
    mkdirSync(join(one.workdir, 'checkpoints'), { recursive: true });
    writeFileSync(join(one.workdir, 'result.json'), '"stale"');
    const { end } = await give(one);
    expect(JSON.parse(readFileSync(join(one.workdir, 'request.json'), 'utf8'))).toEqual({ steps: 7 });
    expect(existsSync(join(one.workdir, 'result.json'))).toBe(false);
    expect(existsSync(join(one.workdir, 'checkpoints'))).toBe(true);
    expect(runner.running).toEqual(['a']);
    await finish('a', { result: { value: 7 }, said: 'a word' });
    const used = { cpuSeconds: 1, wallSeconds: 1, peakMemoryBytes: 1, logTail: 'a word' };
    expect(await end).toEqual({ ok: true, result: { value: 7 }, runId: expect.stringMatching(/./), ...used });
  });

  it('attaches a second caller to the running job, and answers a third with the stored end', async () => {
    const { dispatcher, runner, job, give, finish } = await openDispatch(create);
    const first = await give(job('a'));
    const second = await give(job('a'));
    await finish('a', { result: { value: 7 } });
    expect(await first.end).toMatchObject({ ok: true, result: { value: 7 } });
    expect(await second.end).toEqual(await first.end);
    expect(await dispatcher.run(job('a'))).toEqual(await first.end);
    expect(runner.started).toEqual(['a']);
  });

  it('keeps a bad end that the job itself came to', async () => {
    const { dispatcher, runner, job, give, finish } = await openDispatch(create);
    const { end } = await give(job('a'));
    await finish('a', { label: 'exit', said: 'status 7' });
    expect(await end).toMatchObject({ ok: false, label: 'exit', detail: 'status 7' });
    expect(await dispatcher.run(job('a'))).toEqual(await end);
    expect(runner.started).toEqual(['a']);
  });

  it.each(['infra', 'cancelled'] as const)(
    'runs a job again that ended as %s, as another run, so that it can resume',
    async (label) => {
      const { runner, job, give, finish } = await openDispatch(create);
      const first = await give(job('a'));
      await finish('a', { label });
      expect(await first.end).toMatchObject({ ok: false, label, cpuSeconds: 1 });
      const second = await give(job('a'));
      await finish('a');
      expect(await second.end).toMatchObject({ ok: true });
      expect((await second.end).runId).not.toBe((await first.end).runId);
      expect(runner.started).toEqual(['a', 'a']);
    },
  );

  it('tells what a run uses while it runs, by the id that its end has', async () => {
    const { runner, job, give, finish } = await openDispatch(create);
    const told: unknown[] = [];
    const { end } = await give(job('a'), { events: { onUsed: (used) => told.push(used) } });
    runner.used('a', 0.4);
    runner.used('a', 1);
    await finish('a', { label: 'infra' });
    const { runId } = await end;
    expect(told).toEqual([
      { runId, cpuSeconds: 0.4 },
      { runId, cpuSeconds: 1 },
    ]);
  });

  it('takes secrets out of log, end and result before anybody reads them', async () => {
    const redact = (text: string) => text.replaceAll('open sesame', '[removed]');
    const { dispatcher, job, give, finish } = await openDispatch(create, { slots: 2, redact });
    const ends = [(await give(job('a'))).end, (await give(job('b'))).end];
    await finish('a', { result: { detail: ['it printed open sesame'] }, said: 'open sesame' });
    await finish('b', { label: 'exit', said: 'open sesame' });
    expect(await Promise.all(ends)).toMatchObject([
      { ok: true, result: { detail: ['it printed [removed]'] }, logTail: '[removed]' },
      { ok: false, detail: '[removed]', logTail: '[removed]' },
    ]);
    expect(await dispatcher.run(job('b'))).toMatchObject({ logTail: '[removed]' });
  });

  it.each([
    ['missing', () => undefined, 'no_result'],
    ['a link', (path: string) => symlinkSync('/etc/hostname', path), 'bad_result'],
    ['a folder', (path: string) => mkdirSync(path), 'bad_result'],
    ['not JSON', (path: string) => writeFileSync(path, 'NaN!'), 'bad_result'],
    ['no text', (path: string) => writeFileSync(path, Buffer.from([0x22, 0xff, 0x22])), 'bad_result'],
    [
      'too large',
      (path: string) => {
        writeFileSync(path, '1');
        truncateSync(path, 64 * 1024 * 1024);
      },
      'bad_result',
    ],
  ] as const)('refuses a result that is %s', async (_, prepare, label) => {
    const { job, give, finish } = await openDispatch(create);
    const { end } = await give(job('a'));
    await finish('a', { prepare: (workdir) => prepare(join(workdir, 'result.json')) });
    expect(await end).toMatchObject({ ok: false, label });
  });

  it('calls an unusable work folder an outage, never the candidate', async () => {
    const { job, give } = await openDispatch(create);
    const one = job('a');
    writeFileSync(join(dirname(one.workdir), 'file'), '');
    const { end } = await give({ ...one, workdir: join(dirname(one.workdir), 'file', 'below') });
    expect(await end).toMatchObject({ ok: false, label: 'infra', cpuSeconds: 0 });
  });
};
