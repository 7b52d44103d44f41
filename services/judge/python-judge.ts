import { type JudgeEvent, type JudgeRequest, judgeEventSchema } from '../../workflows/contracts/judge.ts';
import type { Score } from '../../workflows/contracts/score.ts';
import type { ScoreList } from '../../workflows/contracts/score-list.ts';
import { LineProcess, PythonProcessError } from '../python/line-process.ts';
import { Pulse, type PulseTimes } from '../python/pulse.ts';
import type { Judge, JudgeChannels, Judgement, SealCheck, SealedThings } from './judge.ts';

type Reply = Extract<JudgeEvent, { event: 'opened' | 'scored' | 'seals' | 'lists' }>;

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export interface PythonJudgeOptions {
  readonly python: string;
  /** The judge's own folder: key and held-out data. */
  readonly home: string;
  /** Folder for the pipes to the processes that answer. */
  readonly channels: string;
  readonly pulse?: PulseTimes;
  /** Told when it ended, or had to be killed, and nobody had stopped it. */
  readonly onBreak?: (reason: string) => void;
}

const startLimitMs = 120_000;

/** The judge as a Python process beside this one, started on first use and again after it died or fell silent. */
export class PythonJudge implements Judge {
  readonly #options: PythonJudgeOptions;
  readonly #pulse: Pulse;
  readonly #waiting = new Map<string, Waiting>();
  #process: LineProcess | null = null;
  /** Runs until the process is ready: loading may take longer than silence is borne later. */
  #starting: NodeJS.Timeout | null = null;
  #numQuestions = 0;
  #isStopping = false;

  constructor(options: PythonJudgeOptions) {
    this.#options = options;
    this.#pulse = new Pulse({
      ...options.pulse,
      ping: () => this.#process?.send({ op: 'ping' } satisfies JudgeRequest),
      onSilence: (reason) => this.#giveUp(reason),
    });
  }

  async open(id: string): Promise<JudgeChannels> {
    const { prefixes, sequences } = await this.#ask('opened', { op: 'open', id });
    return { prefixes, sequences };
  }

  async score(request: Parameters<Judge['score']>[0]): Promise<Judgement> {
    const { rows, label, detail, cpuSeconds } = await this.#ask('scored', { op: 'score', ...request });
    return label === null ? { ok: true, rows, cpuSeconds } : { ok: false, label, detail, cpuSeconds };
  }

  close(id: string): void {
    this.#process?.send({ op: 'close', id } satisfies JudgeRequest);
    this.#settle({ event: 'scored', id, ...givenUp });
  }

  async checkSeals({ rows, lists }: SealedThings): Promise<SealCheck> {
    const id = `seals-${this.#numQuestions++}`;
    const { genuine, genuineLists } = await this.#ask('seals', { op: 'check-seals', id, rows: [...rows], lists: [...lists] });
    return { genuine, genuineLists };
  }

  async lists(experimentIds: readonly string[]): Promise<readonly ScoreList[]> {
    const id = `lists-${this.#numQuestions++}`;
    return (await this.#ask('lists', { op: 'lists', id, experimentIds: [...experimentIds] })).lists;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#process?.close();
  }

  #ask<Event extends Reply['event']>(
    event: Event,
    request: Exclude<JudgeRequest, { op: 'ping' }>,
  ): Promise<Extract<Reply, { event: Event }>> {
    const process = this.#started();
    return new Promise((resolve, reject) => {
      this.#waiting.set(keyOf(event, request.id), {
        // Kept by event and id, so the reply is of that event.
        resolve: (reply) => resolve(reply as Extract<Reply, { event: Event }>),
        reject,
      });
      process.send(request);
      if (this.#starting === null) this.#pulse.start();
    });
  }

  #started(): LineProcess {
    const { python, home, channels } = this.#options;
    if (this.#process !== null) return this.#process;
    const process: LineProcess = new LineProcess({
      python,
      args: ['-m', 'asi_kernels', 'judge', '--home', home, '--channels', channels],
      onLine: (line) => this.#onEvent(judgeEventSchema.parse(JSON.parse(line))),
      // The late end of a process that was given up must not touch its successor.
      onEnd: (reason) => {
        if (this.#process === process) this.#onEnd(reason);
      },
    });
    this.#process = process;
    this.#starting = setTimeout(
      () => this.#giveUp(`it did not become ready within ${startLimitMs / 1000} s`),
      startLimitMs,
    ).unref();
    return process;
  }

  #onEvent(event: JudgeEvent): void {
    this.#pulse.heard();
    if (event.event === 'ready') {
      this.#endStart();
      if (this.#waiting.size > 0) this.#pulse.start();
    }
    if (event.event === 'ready' || event.event === 'pong') return;
    if (event.event !== 'refused') {
      this.#settle(event);
      return;
    }
    const refused = event.id === null ? [] : replies.map((name) => keyOf(name, event.id ?? ''));
    for (const key of refused) {
      this.#waiting.get(key)?.reject(new PythonProcessError(`The judge refused a request: ${event.message}`));
      this.#waiting.delete(key);
    }
  }

  #settle(reply: Reply): void {
    const key = keyOf(reply.event, reply.id);
    this.#waiting.get(key)?.resolve(reply);
    this.#waiting.delete(key);
    if (this.#waiting.size === 0) this.#pulse.stop();
  }

  #giveUp(reason: string): void {
    this.#process?.kill();
    this.#onEnd(reason);
  }

  #endStart(): void {
    if (this.#starting !== null) clearTimeout(this.#starting);
    this.#starting = null;
  }

  #onEnd(reason: string): void {
    if (!this.#isStopping) this.#options.onBreak?.(reason);
    this.#endStart();
    this.#pulse.stop();
    this.#process = null;
    for (const waiting of this.#waiting.values()) waiting.reject(new PythonProcessError(`The judge stopped: ${reason}`));
    this.#waiting.clear();
  }
}

const replies = ['opened', 'scored', 'seals', 'lists'] as const;
const keyOf = (event: Reply['event'], id: string): string => `${event} ${id}`;

const givenUp = {
  status: 'failed',
  label: 'cancelled',
  detail: 'the scoring was given up',
  rows: [] as Score[],
  cpuSeconds: 0,
} as const;
