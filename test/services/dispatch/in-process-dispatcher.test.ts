import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job } from '../../../services/dispatch/dispatcher.ts';
import { InProcessDispatcher } from '../../../services/dispatch/in-process-dispatcher.ts';
import { ScriptedRunner } from '../../support/scripted-runner.ts';

let folder: string;
let runner: ScriptedRunner;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'asi-dispatch-'));
  runner = new ScriptedRunner();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const job = (id: string): Job => ({
  id,
  command: 'train',
  request: { id },
  workdir: join(folder, id),
  limits: { wallSeconds: 1, idleSeconds: 1, memoryBytes: 1, logBytes: 1 },
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the in-process dispatcher', () => {
  it('runs as many jobs as it has slots, first come first served', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 2, runner });
    const ends = ['a', 'b', 'c', 'd'].map((id) => dispatcher.run(job(id)));
    await turn();
    expect(runner.running).toEqual(['a', 'b']);
    runner.finish('b');
    await ends[1];
    await turn();
    expect(runner.running).toEqual(['a', 'c']);
    runner.finish('a');
    runner.finish('c');
    await turn();
    runner.finish('d');
    expect((await Promise.all(ends)).map((end) => end.ok)).toEqual([true, true, true, true]);
    expect(runner.started).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes secrets out of log, end and result before anybody reads them', async () => {
    const redact = (text: string) => text.replaceAll('open sesame', '[removed]');
    const dispatcher = new InProcessDispatcher({ slots: 2, runner, redact });
    const ends = ['a', 'b'].map((id) => dispatcher.run(job(id)));
    await turn();
    runner.finish('a', { result: { detail: ['it printed open sesame'] }, said: 'open sesame' });
    runner.finish('b', { label: 'exit', said: 'open sesame' });
    expect(await Promise.all(ends)).toMatchObject([
      { ok: true, result: { detail: ['it printed [removed]'] }, logTail: '[removed]' },
      { ok: false, detail: '[removed]', logTail: '[removed]' },
    ]);
    expect(await dispatcher.run(job('b'))).toMatchObject({ logTail: '[removed]' });
  });

  it('gives no owner more slots than its share, and those that are left to the next in the queue', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 3, runner });
    const shared = (id: string, owner: string, slots: number) => dispatcher.run({ ...job(id), share: { owner, slots } });
    const ends = [shared('a1', 'a', 1), shared('a2', 'a', 1), shared('b1', 'b', 9), shared('a3', 'a', 1)];
    await turn();
    expect(runner.running).toEqual(['a1', 'b1']);
    runner.finish('b1');
    await ends[2];
    await turn();
    expect(runner.running).toEqual(['a1']);
    for (const [id, next] of [
      ['a1', 'a2'],
      ['a2', 'a3'],
    ] as const) {
      runner.finish(id);
      await turn();
      await turn();
      expect(runner.running).toEqual([next]);
    }
    runner.finish('a3');
    expect((await Promise.all(ends)).every((end) => end.ok)).toBe(true);
  });

  it('takes the jobs of one owner in the order that they name, and owners in turns', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const ordered = (id: string, owner: string, order: Job['order']) =>
      dispatcher.run({ ...job(id), share: { owner, slots: 1 }, ...(order === undefined ? {} : { order }) });
    const ends = [
      ordered('a-late', 'a', { turn: 2, seconds: 0 }),
      ordered('b-late', 'b', { turn: 2, seconds: 9 }),
      ordered('a-short', 'a', { turn: 1, seconds: 1 }),
      ordered('a-long', 'a', { turn: 1, seconds: 2 }),
      ordered('a-long-too', 'a', { turn: 1, seconds: 2 }),
      ordered('b-plain', 'b', undefined),
    ];
    for (const id of ['a-late', 'b-plain', 'a-long', 'b-late', 'a-long-too', 'a-short']) {
      await turn();
      await turn();
      expect(runner.running).toEqual([id]);
      runner.finish(id);
      await turn();
    }
    expect((await Promise.all(ends)).every((end) => end.ok)).toBe(true);
  });

  it('lets a job that comes late with an owner of its own wait for one job of another, not for all of them', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const of = (id: string, owner: string) => dispatcher.run({ ...job(id), share: { owner, slots: 1 } });
    const ends = ['a1', 'a2', 'a3', 'a4'].map((id) => of(id, 'a'));
    await turn();
    ends.push(of('b1', 'b'));
    for (const id of ['a1', 'b1', 'a2', 'a3', 'a4']) {
      await turn();
      await turn();
      expect(runner.running).toEqual([id]);
      runner.finish(id);
      await turn();
    }
    expect((await Promise.all(ends)).every((end) => end.ok)).toBe(true);
  });

  it('runs a job when those who wait for it have said that they are ready, and not at all when they cannot be', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const ready = Promise.withResolvers<void>();
    const controller = new AbortController();
    const first = dispatcher.run(job('a'), { events: { onStarted: () => ready.promise } });
    const refused = dispatcher.run(job('b'), { events: { onStarted: () => Promise.reject(new Error('held by another')) } });
    const given = {
      events: { onStarted: () => new Promise<void>((resolve) => setImmediate(resolve)) },
      signal: controller.signal,
    };
    const left = dispatcher.run(job('c'), given);
    await turn();
    expect(runner.started).toEqual([]);
    ready.resolve();
    await turn();
    runner.finish('a');
    expect(await first).toMatchObject({ ok: true });
    expect(await refused).toMatchObject({ ok: false, label: 'infra', detail: 'held by another' });
    controller.abort();
    expect(await left).toMatchObject({ ok: false, label: 'cancelled' });
    expect(runner.started).toEqual(['a']);
  });

  it('attaches a second caller to the running job, and answers a third with the stored end', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const first = dispatcher.run(job('a'));
    const second = dispatcher.run(job('a'));
    await turn();
    runner.finish('a', { result: { value: 7 } });
    expect(await first).toMatchObject({ ok: true, result: { value: 7 } });
    expect(await second).toEqual(await first);
    expect(await dispatcher.run(job('a'))).toEqual(await first);
    expect(runner.started).toEqual(['a']);
  });

  it('runs a job again after an outage, so that it can resume', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const first = dispatcher.run(job('a'));
    await turn();
    runner.finish('a', { label: 'infra' });
    expect(await first).toMatchObject({ ok: false, label: 'infra' });
    const second = dispatcher.run(job('a'));
    await turn();
    runner.finish('a');
    expect(await second).toMatchObject({ ok: true });
  });

  /** Runs the job until it ends, and ends it with an outage. */
  const meetOutage = async (dispatcher: InProcessDispatcher, one: Job, options: { readonly ran?: false } = {}) => {
    const end = dispatcher.run(one);
    await turn();
    runner.finish(one.id, { label: 'infra', said: 'the host died', ...options });
    return await end;
  };

  it('gives a program up that was running in three outages, counted over all of its jobs', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const suspect = { suspect: 'c/e9' };
    expect(await meetOutage(dispatcher, { ...job('a'), ...suspect })).toMatchObject({ label: 'infra' });
    expect(await meetOutage(dispatcher, { ...job('b'), ...suspect })).toMatchObject({ label: 'infra' });
    const end = { label: 'poison', detail: expect.stringMatching(/^3 of its runs ended in an outage, .*: the host died$/) };
    expect(await meetOutage(dispatcher, { ...job('a'), ...suspect })).toMatchObject(end);
    // It is kept: nothing runs again.
    expect(await dispatcher.run({ ...job('a'), ...suspect })).toMatchObject(end);
    expect(runner.started).toEqual(['a', 'b', 'a']);
  });

  it('gives no program up for outages in which it did not run, that came apart, or that is ours', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const one = { ...job('a'), suspect: 'c/e9' };
    for (let count = 0; count < 4; count++)
      expect(await meetOutage(dispatcher, one, { ran: false })).toMatchObject({ label: 'infra' });
    for (let count = 0; count < 2; count++) await meetOutage(dispatcher, one);
    const well = dispatcher.run({ ...job('b'), suspect: 'c/e9' });
    await turn();
    runner.finish('b');
    await well;
    expect(await meetOutage(dispatcher, one)).toMatchObject({ label: 'infra' });
    for (let count = 0; count < 4; count++) expect(await meetOutage(dispatcher, job('ours'))).toMatchObject({ label: 'infra' });
  });

  it('makes the last try alone, so that what ran beside the guilty one comes through', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 2, runner });
    const [guilty, innocent] = ['guilty', 'innocent'].map((id) => ({ ...job(id), suspect: id })) as [Job, Job];
    for (let count = 0; count < 2; count++) await Promise.all([meetOutage(dispatcher, guilty), meetOutage(dispatcher, innocent)]);
    const ends = [guilty, innocent, job('ours')].map((one) => dispatcher.run(one));
    await turn();
    expect(runner.running).toEqual(['guilty']);
    runner.finish('guilty', { label: 'infra' });
    expect(await ends[0]).toMatchObject({ label: 'poison' });
    await turn();
    expect(runner.running).toEqual(['innocent']);
    runner.finish('innocent');
    expect(await ends[1]).toMatchObject({ ok: true });
    await turn();
    runner.finish('ours');
    expect(await ends[2]).toMatchObject({ ok: true });
  });

  it('tells a waiting caller its place, then the start, then the progress', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const seen: string[] = [];
    const events = {
      onQueued: (place: number) => void seen.push(`queued ${place}`),
      onStarted: () => void seen.push('started'),
      onProgress: () => void seen.push('progress'),
    };
    const first = dispatcher.run(job('a'));
    const second = dispatcher.run(job('b'), { events });
    await turn();
    runner.finish('a');
    await first;
    await turn();
    runner.progress('b');
    runner.finish('b');
    await second;
    expect(seen).toEqual(['queued 0', 'started', 'progress']);
  });

  it('ends a queued job at once and a running one after it is gone when its caller gives up', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const controllers = [new AbortController(), new AbortController()];
    const ends = ['a', 'b'].map((id, index) =>
      dispatcher.run(job(id), { signal: controllers[index]?.signal ?? AbortSignal.abort() }),
    );
    await turn();
    controllers[1]?.abort();
    expect(await ends[1]).toMatchObject({ ok: false, label: 'cancelled' });
    expect(runner.running).toEqual(['a']);
    controllers[0]?.abort();
    expect(await ends[0]).toMatchObject({ ok: false, label: 'cancelled' });
    expect(runner.cancelled).toEqual(['a']);
  });

  it('keeps a job running while another caller still waits for it', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const controller = new AbortController();
    const first = dispatcher.run(job('a'), { signal: controller.signal });
    const second = dispatcher.run(job('a'));
    await turn();
    controller.abort();
    await turn();
    expect(runner.cancelled).toEqual([]);
    runner.finish('a');
    expect((await second).ok).toBe(true);
    expect((await first).ok).toBe(true);
  });

  it('refuses a result that is missing, a link, too large or not JSON', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const cases: readonly [string, (workdir: string) => void, string][] = [
      ['none', () => undefined, 'no_result'],
      ['link', (workdir) => symlinkSync('/etc/hostname', join(workdir, 'result.json')), 'bad_result'],
      ['text', (workdir) => writeFileSync(join(workdir, 'result.json'), 'NaN!'), 'bad_result'],
      [
        'large',
        (workdir) => {
          writeFileSync(join(workdir, 'result.json'), '1');
          truncateSync(join(workdir, 'result.json'), 64 * 1024 * 1024);
        },
        'bad_result',
      ],
    ];
    for (const [id, prepare, label] of cases) {
      const end = dispatcher.run(job(id));
      await turn();
      runner.finish(id, { prepare });
      expect(await end, id).toMatchObject({ ok: false, label });
    }
  });

  it('calls an unusable work folder an outage, never the candidate', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    writeFileSync(join(folder, 'file'), '');
    expect(await dispatcher.run({ ...job('a'), workdir: join(folder, 'file', 'below') })).toMatchObject({
      ok: false,
      label: 'infra',
    });
  });

  it('cancels what runs and closes the runner when it closes', async () => {
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const end = dispatcher.run(job('a'));
    await turn();
    await dispatcher.close();
    expect(await end).toMatchObject({ ok: false, label: 'cancelled' });
    expect(runner.closed).toBe(true);
  });
});
