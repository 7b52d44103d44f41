/** How often a process is asked whether it lives, and how long it may be silent. */
export interface PulseTimes {
  readonly everyMs: number;
  readonly patienceMs: number;
}

const usualTimes: PulseTimes = { everyMs: 5_000, patienceMs: 30_000 };

export interface PulseOptions extends Partial<PulseTimes> {
  readonly ping: () => void;
  /** Nothing came back for so long; called once, and the pulse has stopped. */
  readonly onSilence: (reason: string) => void;
}

/**
 * Notices a process that is there and does nothing: stopped by a signal, stuck in the kernel. All limits of a job are enforced inside such a
 * process. Counts pings without an answer instead of time, so that a pause of this process or a machine that slept is no silence of the other.
 */
export class Pulse {
  readonly #options: PulseOptions & PulseTimes;
  #timer: NodeJS.Timeout | null = null;
  #numUnanswered = 0;

  constructor(options: PulseOptions) {
    this.#options = { ...usualTimes, ...options };
  }

  /** Without effect while it runs. */
  start(): void {
    if (this.#timer !== null) return;
    this.#numUnanswered = 0;
    this.#timer = setInterval(() => this.#beat(), this.#options.everyMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Anything that comes from the process is a sign of life. */
  heard(): void {
    this.#numUnanswered = 0;
  }

  #beat(): void {
    const { everyMs, patienceMs, ping, onSilence } = this.#options;
    if (this.#numUnanswered * everyMs >= patienceMs) {
      this.stop();
      onSilence(`it was silent for ${Math.round((this.#numUnanswered * everyMs) / 100) / 10} s, so it was killed`);
      return;
    }
    this.#numUnanswered += 1;
    ping();
  }
}
