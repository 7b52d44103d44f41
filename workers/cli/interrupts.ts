/**
 * Ctrl-C in steps: the first asks for a clean end, the second for a cancel, the third gives up waiting. SIGTERM and a closed
 * terminal ask for a cancel at once.
 */
export class Interrupts {
  /** Aborted by the first signal: for waiting that is not worth finishing. */
  readonly begun = new AbortController();
  #count = 0;
  readonly #onStep: (step: 'stop' | 'cancel' | 'abandon') => void;
  readonly #process: NodeJS.EventEmitter;
  readonly #onInterrupt = (): void => this.#advance(this.#count + 1);
  readonly #onTerminate = (): void => this.#advance(Math.max(2, this.#count + 1));

  constructor(onStep: (step: 'stop' | 'cancel' | 'abandon') => void, process: NodeJS.EventEmitter) {
    this.#onStep = onStep;
    this.#process = process;
    process.on('SIGINT', this.#onInterrupt).on('SIGTERM', this.#onTerminate).on('SIGHUP', this.#onTerminate);
  }

  get count(): number {
    return this.#count;
  }

  release(): void {
    this.#process.off('SIGINT', this.#onInterrupt).off('SIGTERM', this.#onTerminate).off('SIGHUP', this.#onTerminate);
  }

  #advance(count: number): void {
    this.#count = count;
    this.begun.abort();
    this.#onStep(count === 1 ? 'stop' : count === 2 ? 'cancel' : 'abandon');
  }
}
