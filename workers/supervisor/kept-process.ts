import { type Command, GuardedProcess } from './guarded-process.ts';
import { countDeath, type Deaths, restartDelayMs } from './restart-delay.ts';
import type { RotatingLog } from './rotating-log.ts';

export interface KeptProcessOptions {
  readonly name: string;
  readonly command: Command;
  readonly log: RotatingLog;
  readonly readyTimeoutMs: number;
  /** Resolves when the program does its work; `readyLine` when it has printed one that starts so. */
  readonly readiness: { readonly readyLine: string } | { readonly probe: (signal: AbortSignal) => Promise<void> };
  /** News for the user: it died, it is back. */
  readonly onLine: (line: string) => void;
  /** Its pids changed. */
  readonly onChange: () => void;
}

/** A process of the stack did not come up; the message says why and holds its last lines. */
export class StackStartError extends Error {
  override readonly name: string = 'StackStartError';
}

/** It ended while it started, and may start at another attempt: a port was taken since it was found free, or the machine was short. */
export class EndedAtStartError extends StackStartError {
  override readonly name: string = 'EndedAtStartError';
  readonly process: string;

  constructor(message: string, process: string) {
    super(message);
    this.process = process;
  }
}

/** A program that is started again, with a growing delay, whenever it ends by itself. */
export class KeptProcess {
  readonly name: string;
  readonly #options: KeptProcessOptions;
  readonly #stopping = new AbortController();
  #current: GuardedProcess | null = null;
  #deaths: Deaths = { numInARow: 0 };
  #numRestarts = 0;
  #life: Promise<void> = Promise.resolve();

  constructor(options: KeptProcessOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get current(): GuardedProcess | null {
    return this.#current;
  }

  get numRestarts(): number {
    return this.#numRestarts;
  }

  /** Resolves when it is ready for the first time. @throws StackStartError when it ends or stays silent before that */
  async start(): Promise<void> {
    const startedAt = performance.now();
    const problem = this.#stopping.signal.aborted ? 'it was stopped before' : await this.#launch();
    if (problem !== null) {
      await this.#current?.stop(0);
      const message = `${this.name} did not start: ${problem}`;
      throw problem.startsWith(endedWith) ? new EndedAtStartError(message, this.name) : new StackStartError(message);
    }
    this.#life = this.#keepUp(startedAt);
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    await this.#current?.stop(graceMs);
    await this.#life;
    this.#options.log.close();
  }

  async #keepUp(firstStartedAt: number): Promise<void> {
    let startedAt = firstStartedAt;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const how = (await this.#current?.ended) ?? 'it could not be started';
      if (signal.aborted) return;
      this.#deaths = countDeath(this.#deaths, performance.now() - startedAt);
      const delayMs = restartDelayMs(this.#deaths);
      this.#options.onLine(
        `${this.name} ended (${how}); starting it again in ${delayMs / 1000} s (log: ${this.#options.log.path})`,
      );
      await pause(delayMs, signal);
      if (signal.aborted) return;
      startedAt = performance.now();
      this.#numRestarts += 1;
      const problem = await this.#launch();
      if (problem === null) this.#options.onLine(`${this.name} is up again`);
      else if (!signal.aborted) this.#current?.kill();
    }
  }

  /** @returns why it is not ready, or null when it is */
  async #launch(): Promise<string | null> {
    const { command, log, readiness, onChange, readyTimeoutMs } = this.#options;
    const given = new AbortController();
    let sayReady = (): void => undefined;
    const readyLineSeen = new Promise<void>((resolve) => {
      sayReady = resolve;
    });
    const onProgramLine = (line: string): void => {
      if ('readyLine' in readiness && line.startsWith(readiness.readyLine)) sayReady();
    };
    let launched: GuardedProcess;
    try {
      launched = new GuardedProcess({ command, log, onLine: onProgramLine });
    } catch (error) {
      // No more processes or descriptors on this machine: that passes, so it counts as a death.
      return error instanceof Error ? error.message : String(error);
    }
    this.#current = launched;
    onChange();
    const works = 'probe' in readiness ? readiness.probe(given.signal) : readyLineSeen;
    // What is recorded of it must name it: after a kill of this process nobody else could find it.
    const ready = Promise.all([works, launched.identified]);
    const problem = await Promise.race([
      ready.then(() => null),
      launched.ended.then((how) => `${endedWith} ${how}${quote(launched.tail)}`),
      pause(readyTimeoutMs, given.signal).then(() => `it was not ready within ${readyTimeoutMs / 1000} s${quote(launched.tail)}`),
    ]);
    given.abort();
    onChange();
    return problem;
  }
}

const endedWith = 'it ended with';
const quote = (tail: string): string => (tail === '' ? ', and printed nothing' : `; its last lines:\n${tail}`);

const pause = (delayMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
