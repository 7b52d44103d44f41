import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import type { SandboxFacts } from '../../workflows/contracts/sandbox.ts';
import { type HostEvent, type HostRequest, hostEventSchema, type TrainProgress } from '../../workflows/contracts/trial.ts';
import { LineProcess, PythonProcessError } from './line-process.ts';
import { Pulse, type PulseTimes } from './pulse.ts';

export interface HostFacts {
  readonly torchVersion: string;
  readonly device: string;
  readonly sandbox: SandboxFacts;
}

/**
 * What of the file tree a host can see at all, besides the system and its own package. Without a work folder it cannot run behind its outer
 * wall, and its sandbox is a weaker one.
 */
export interface HostFolders {
  /** Folders below which work folders lie. Made where they are missing. */
  readonly work: readonly string[];
  /** Folders of data that jobs declare. */
  readonly read: readonly string[];
}

/** How the host saw a job end. label null: status 0 and a result.json. */
export interface HostEnd {
  readonly label: FailureLabel | null;
  readonly detail: string;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
  readonly logTail: string;
  /** false where it never ran; absent where it did. */
  readonly ran?: boolean;
}

interface Running {
  readonly startedAtMs: number;
  /** As the host told it last. */
  cpuSeconds: number;
  readonly onProgress: (progress: TrainProgress) => void;
  readonly onUsed: (cpuSeconds: number) => void;
  readonly resolve: (end: HostEnd) => void;
}
type RunRequest = Extract<HostRequest, { op: 'run' }>;

const startLimitMs = 120_000;

/**
 * The warm Python parent that forks one child per job, so that no job pays for importing torch. Started on first use and again after it
 * died; jobs that ran in a host that died end with label `infra` and what it had said that they used. While jobs run it is asked for a sign of life, since it alone holds them to
 * their limits; one that gives none is killed.
 */
export class PythonHost {
  readonly #python: string;
  readonly #folders: HostFolders;
  readonly #pulse: Pulse;
  readonly #running = new Map<string, Running>();
  readonly #onBreak: (reason: string) => void;
  #process: LineProcess | null = null;
  #isClosing = false;
  #ready: Promise<HostFacts> | null = null;
  #settleReady: { resolve: (facts: HostFacts) => void; reject: (error: Error) => void } | null = null;

  constructor(options: {
    readonly python: string;
    readonly folders?: HostFolders;
    readonly pulse?: PulseTimes;
    /** Told when it ended, or had to be killed, and nobody had closed it. */
    readonly onBreak?: (reason: string) => void;
  }) {
    this.#python = options.python;
    this.#folders = options.folders ?? { work: [], read: [] };
    this.#onBreak = options.onBreak ?? (() => undefined);
    this.#pulse = new Pulse({
      ...options.pulse,
      ping: () => this.#process?.send({ op: 'ping' } satisfies HostRequest),
      onSilence: (reason) => this.#giveUp(reason),
    });
  }

  /** Starts the host if it is not up. Throws PythonProcessError. */
  start(): Promise<HostFacts> {
    this.#ready ??= this.#spawn();
    return this.#ready;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async run(
    request: Omit<RunRequest, 'op'>,
    onProgress: (progress: TrainProgress) => void,
    onUsed: (cpuSeconds: number) => void = () => undefined,
  ): Promise<HostEnd> {
    await this.start();
    const process = this.#process;
    // It may have died between its start and now.
    if (process === null) return nothingRan('The Python host stopped before the job began');
    return await new Promise((resolve) => {
      this.#running.set(request.id, { startedAtMs: performance.now(), cpuSeconds: 0, onProgress, onUsed, resolve });
      process.send({ op: 'run', ...request } satisfies HostRequest);
      this.#pulse.start();
    });
  }

  /** The job ends with label `cancelled` once its process group is gone. */
  cancel(id: string): void {
    this.#process?.send({ op: 'cancel', id } satisfies HostRequest);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#process?.close();
  }

  #spawn(): Promise<HostFacts> {
    const ready = new Promise<HostFacts>((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    const process: LineProcess = new LineProcess({
      python: this.#python,
      args: [
        '-m',
        'asi_kernels.host',
        ...this.#folders.work.flatMap((folder) => ['--work', folder]),
        ...this.#folders.read.flatMap((folder) => ['--read', folder]),
      ],
      onLine: (line) => this.#onEvent(line),
      // The late end of a process that was given up must not touch its successor.
      onEnd: (reason) => {
        if (this.#process === process) this.#onEnd(reason);
      },
    });
    this.#process = process;
    const timer = setTimeout(() => this.#giveUp(`it did not become ready within ${startLimitMs / 1000} s`), startLimitMs);
    return ready.finally(() => clearTimeout(timer));
  }

  #giveUp(reason: string): void {
    this.#process?.kill();
    this.#onEnd(reason);
  }

  #onEvent(line: string): void {
    this.#pulse.heard();
    const event: HostEvent = hostEventSchema.parse(JSON.parse(line));
    if (event.event === 'pong') return;
    if (event.event === 'ready') {
      this.#settleReady?.resolve({ torchVersion: event.torchVersion, device: event.device, sandbox: event.sandbox });
      return;
    }
    if (event.id === null) return;
    const job = this.#running.get(event.id);
    if (job === undefined) return;
    if (event.event === 'progress') job.onProgress(event.progress);
    if (event.event === 'used') {
      job.cpuSeconds = event.cpuSeconds;
      job.onUsed(event.cpuSeconds);
    }
    if (event.event === 'finished' || event.event === 'refused') {
      this.#running.delete(event.id);
      if (this.#running.size === 0) this.#pulse.stop();
      job.resolve(event.event === 'finished' ? event : nothingRan(event.message));
    }
  }

  #onEnd(reason: string): void {
    if (!this.#isClosing) this.#onBreak(reason);
    this.#pulse.stop();
    this.#process = null;
    this.#ready = null;
    this.#settleReady?.reject(new PythonProcessError(`The Python host stopped: ${reason}`));
    this.#settleReady = null;
    for (const { startedAtMs, cpuSeconds, resolve } of this.#running.values())
      resolve({
        ...outage(`The Python host stopped: ${reason}`),
        cpuSeconds,
        wallSeconds: (performance.now() - startedAtMs) / 1000,
      });
    this.#running.clear();
  }
}

const nothingRan = (detail: string): HostEnd => ({ ...outage(detail), ran: false });

const outage = (detail: string): HostEnd => ({
  label: 'infra',
  detail,
  wallSeconds: 0,
  cpuSeconds: 0,
  peakMemoryBytes: 0,
  logTail: '',
});
