export type InterruptStep = 'stop' | 'cancel' | 'abandon';

/** One key press may arrive twice, from the terminal and from a wrapper that hands it on. */
const samePressMs = 300;

/**
 * Ctrl-C in steps: the first asks for a clean end, the second for a cancel, the third gives up waiting. SIGTERM and a closed
 * terminal ask for a cancel at once.
 */
export class Interrupts {
  /** Aborted by the first signal: for waiting that is not worth finishing. */
  readonly begun = new AbortController();
  /** Who hears of a step; nobody until somebody can act on it. */
  onStep: (step: InterruptStep) => void = () => {};
  #count = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;
  readonly #process: NodeJS.EventEmitter;
  readonly #nowMs: () => number;
  readonly #onInterrupt = (): void => this.#advance(this.#count + 1);
  readonly #onTerminate = (): void => this.#advance(Math.max(2, this.#count + 1));

  constructor(process: NodeJS.EventEmitter, nowMs: () => number = () => performance.now()) {
    this.#process = process;
    this.#nowMs = nowMs;
    process.on('SIGINT', this.#onInterrupt).on('SIGTERM', this.#onTerminate).on('SIGHUP', this.#onTerminate);
  }

  get haveBegun(): boolean {
    return this.#count > 0;
  }

  /** Nothing is waited for any more. */
  get isAbandoned(): boolean {
    return this.#count > 2;
  }

  release(): void {
    this.#process.off('SIGINT', this.#onInterrupt).off('SIGTERM', this.#onTerminate).off('SIGHUP', this.#onTerminate);
  }

  #advance(count: number): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#lastAtMs < samePressMs) return;
    this.#lastAtMs = nowMs;
    this.#count = count;
    this.begun.abort();
    this.onStep(count === 1 ? 'stop' : count === 2 ? 'cancel' : 'abandon');
  }
}
