import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { redactAll } from '../../workflows/rules/secrets.ts';
import type { Job, JobEnd, JobEvents, JobUse, TrialDispatcher } from './dispatcher.ts';
import type { JobRunner } from './job-runner.ts';
import { readResult } from './read-result.ts';
import { Suspects } from './suspects.ts';

interface Entry {
  /** In the order in which they came. */
  readonly number: number;
  readonly runId: string;
  readonly job: Job;
  readonly listeners: Set<JobEvents>;
  readonly end: Promise<JobEnd>;
  readonly settle: (end: JobEnd) => void;
  waiters: number;
  state: 'queued' | 'running' | 'cancelling';
}

const endsKept = 1000;

/**
 * A fixed number of slots in this process, which owners take in turns: a free one goes to the owner that was given one longest ago, so that
 * a campaign with one job waits for no other's whole stage. Who holds its share lets the others go before; jobs of one owner are taken in
 * the order that they name.
 */
export class InProcessDispatcher implements TrialDispatcher {
  readonly slots: number;
  readonly #runner: JobRunner;
  readonly #redact: (text: string) => string;
  readonly #queue: Entry[] = [];
  readonly #entries = new Map<string, Entry>();
  readonly #ends = new Map<string, JobEnd>();
  /** Of each owner, the last time that it was given a slot, counted in slots given. */
  readonly #served = new Map<string, number>();
  readonly #suspects = new Suspects();
  #free: number;
  #numEntries = 0;
  #numServed = 0;

  /** `redact`: what is taken out of every text that a job leaves, its log, its end and its result, before anybody reads it. */
  constructor(options: {
    readonly slots: number;
    readonly runner: JobRunner;
    readonly redact?: (text: string) => string;
  }) {
    this.#redact = options.redact ?? ((text) => text);
    this.slots = options.slots;
    this.#free = options.slots;
    this.#runner = options.runner;
  }

  async run(job: Job, options: { readonly events?: JobEvents; readonly signal?: AbortSignal } = {}): Promise<JobEnd> {
    const stored = this.#ends.get(job.id);
    if (stored !== undefined) return stored;
    const entry = this.#entries.get(job.id) ?? this.#enqueue(job);
    entry.waiters += 1;
    const isAttached = entry.state !== 'queued';
    if (options.events !== undefined) {
      entry.listeners.add(options.events);
      if (!isAttached) options.events.onQueued?.(this.#queue.indexOf(entry));
    }
    const onAbort = (): void => this.#leave(entry);
    if (options.signal?.aborted === true) onAbort();
    else options.signal?.addEventListener('abort', onAbort, { once: true });
    this.#startNext();
    try {
      if (isAttached) await options.events?.onStarted?.();
      return await entry.end;
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
      if (options.events !== undefined) entry.listeners.delete(options.events);
    }
  }

  async close(): Promise<void> {
    const open = [...this.#entries.values()];
    for (const entry of open) this.#stop(entry);
    await Promise.all(open.map((entry) => entry.end));
    await this.#runner.close();
  }

  #enqueue(job: Job): Entry {
    const { promise, resolve } = Promise.withResolvers<JobEnd>();
    this.#numEntries += 1;
    const entry: Entry = {
      number: this.#numEntries,
      runId: randomUUID(),
      job,
      listeners: new Set(),
      end: promise,
      settle: resolve,
      waiters: 0,
      state: 'queued',
    };
    this.#entries.set(job.id, entry);
    this.#queue.push(entry);
    return entry;
  }

  /** A caller gave up; the job stops when nobody else waits for it. */
  #leave(entry: Entry): void {
    entry.waiters -= 1;
    if (entry.waiters <= 0) this.#stop(entry);
  }

  #stop(entry: Entry): void {
    if (entry.state === 'queued') {
      this.#queue.splice(this.#queue.indexOf(entry), 1);
      this.#finish(
        entry,
        { ok: false, label: 'cancelled', detail: 'cancelled while it waited for a slot', ...nothingUsed(entry) },
        { keep: false },
      );
    } else if (entry.state === 'running') {
      entry.state = 'cancelling';
      this.#runner.cancel(entry.job.id);
    }
  }

  #startNext(): void {
    while (this.#free > 0) {
      const entry = this.#next();
      if (entry === null) return;
      this.#free -= 1;
      entry.state = 'running';
      void this.#execute(entry).then((end) => {
        this.#free += 1;
        // Only what the candidate or the work itself decided is worth keeping; after an outage or a cancel the same id runs again.
        this.#finish(entry, redactAll(end, this.#redact), {
          keep: end.ok || (end.label !== 'infra' && end.label !== 'cancelled'),
        });
        this.#startNext();
      });
    }
  }

  /** Takes it out of the queue. A job without an owner is one of its own that was never served. */
  #next(): Entry | null {
    const lastServed = ({ job }: Entry): number => this.#served.get(job.share?.owner ?? '') ?? -1;
    // Those of equal turn stay in the order in which they came.
    const head = this.#queue
      .filter(({ job }) => this.#hasRoom(job))
      .toSorted((a, b) => lastServed(a) - lastServed(b))
      .at(0);
    if (head === undefined) return null;
    const owner = head.job.share?.owner;
    const own = owner === undefined ? [head] : this.#queue.filter(({ job }) => job.share?.owner === owner);
    const next = own.reduce((best, one) => (goesBefore(one, best) ? one : best), head);
    if (!this.#mayStart(next)) return null;
    this.#queue.splice(this.#queue.indexOf(next), 1);
    this.#numServed += 1;
    if (owner !== undefined) this.#served.set(owner, this.#numServed);
    return next;
  }

  /** What runs alone waits until the others have ended, and holds back all that come after it. */
  #mayStart({ job }: Entry): boolean {
    const running = [...this.#entries.values()].filter(({ state }) => state !== 'queued');
    return (
      running.length === 0 || ![job, ...running.map((one) => one.job)].some(({ suspect }) => this.#suspects.runsAlone(suspect))
    );
  }

  #hasRoom({ share }: Job): boolean {
    if (share === undefined) return true;
    const running = [...this.#entries.values()].filter(
      ({ job, state }) => state !== 'queued' && job.share?.owner === share.owner,
    );
    return running.length < share.slots;
  }

  async #execute(entry: Entry): Promise<JobEnd> {
    const { job, runId } = entry;
    try {
      await Promise.all([...entry.listeners].map((listener) => listener.onStarted?.()));
      // The runner knows nothing yet of a job that was given up meanwhile.
      if (entry.state === 'cancelling')
        return { ok: false, label: 'cancelled', detail: 'cancelled before it ran', ...nothingUsed(entry) };
      mkdirSync(job.workdir, { recursive: true });
      rmSync(join(job.workdir, 'result.json'), { force: true, recursive: true });
      const requestPath = join(job.workdir, 'request.json');
      writeFileSync(requestPath, JSON.stringify(job.request));
      const end = await this.#runner.run(
        { id: job.id, command: job.command, requestPath, workdir: job.workdir, channel: job.channel ?? null, limits: job.limits },
        (progress) => {
          for (const listener of entry.listeners) listener.onProgress?.(progress);
        },
        (cpuSeconds) => {
          for (const listener of entry.listeners) listener.onUsed?.({ runId, cpuSeconds });
        },
      );
      const used = {
        runId,
        cpuSeconds: end.cpuSeconds,
        wallSeconds: end.wallSeconds,
        peakMemoryBytes: end.peakMemoryBytes,
        logTail: end.logTail,
      };
      if (job.suspect !== undefined) {
        if (end.label === 'infra' && end.ran !== false)
          return { ok: false, ...this.#suspects.met(job.suspect, end.detail), ...used };
        if (end.label !== 'infra' && end.label !== 'cancelled') this.#suspects.clear(job.suspect);
      }
      if (end.label !== null) return { ok: false, label: end.label, detail: end.detail, ...used };
      const read = readResult(join(job.workdir, 'result.json'));
      return read.ok ? { ok: true, result: read.value, ...used } : { ok: false, label: read.label, detail: read.detail, ...used };
    } catch (error) {
      // The edge between our machine and the job: a full disk, a missing interpreter. Never the candidate's doing.
      return { ok: false, label: 'infra', detail: error instanceof Error ? error.message : String(error), ...nothingUsed(entry) };
    }
  }

  #finish(entry: Entry, end: JobEnd, options: { readonly keep: boolean }): void {
    this.#entries.delete(entry.job.id);
    if (options.keep) {
      this.#ends.set(entry.job.id, end);
      const oldest = this.#ends.size > endsKept ? this.#ends.keys().next() : undefined;
      if (oldest !== undefined && oldest.done !== true) this.#ends.delete(oldest.value);
    }
    entry.settle(end);
  }
}

const goesBefore = (a: Entry, b: Entry): boolean => {
  const [one, other] = [a.job.order ?? unordered, b.job.order ?? unordered];
  if (one.turn !== other.turn) return one.turn < other.turn;
  return one.seconds === other.seconds ? a.number < b.number : one.seconds > other.seconds;
};

const unordered = { turn: 0, seconds: 0 } as const;
const nothingUsed = ({ runId }: Entry): JobUse => ({ runId, cpuSeconds: 0, wallSeconds: 0, peakMemoryBytes: 0, logTail: '' });
