import { join } from 'node:path';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import { requireSpace } from '../../services/storage/disk-space.ts';
import { makeFolder } from '../../services/storage/make-folder.ts';
import { openSqliteVectors } from '../../services/vectors/sqlite-vectors.ts';
import { isSecretName } from '../../workflows/rules/secrets.ts';
import { type Config, checkoutFolder } from '../config.ts';
import { ensureHome } from '../home.ts';
import { DiskWatch } from './disk-watch.ts';
import type { Command } from './guarded-process.ts';
import { EndedAtStartError, KeptProcess, StackStartError } from './kept-process.ts';
import { choosePorts, movedPorts, type Ports } from './ports.ts';
import { identify } from './process-identity.ts';
import { RotatingLog } from './rotating-log.ts';
import { takeStackLock } from './stack-lock.ts';
import { readStackRecord, reapLeftovers, removeStackRecord, type StackRecord, writeStackRecord } from './stack-record.ts';
import { temporalCommand, waitForServer } from './temporal-server.ts';

const SERVER_READY_MS = 60_000;
const WORKER_READY_MS = 120_000;
/** Longer than a worker's own forced shutdown. */
const WORKER_GRACE_MS = 25_000;
const SERVER_GRACE_MS = 10_000;
/** What a killed supervisor left has lost its stdin already, so it had its time. */
const LEFTOVER_GRACE_MS = 3_000;

export interface StackOptions {
  readonly config: Config;
  /** Worker processes to run, a role each. */
  readonly roles: readonly string[];
  /** News for the user, a line each: what is up, what died, what is back. */
  readonly onLine: (line: string) => void;
  /** Take any free port where the configured one is taken. */
  readonly freePorts?: boolean;
  /** Entry of a worker process; called with the role, prints "ready <role>" when it polls. */
  readonly workerEntry?: string;
  /** Stops a start that is under way. */
  readonly signal?: AbortSignal;
}

export interface StackProcess {
  readonly name: string;
  readonly pid: number | null;
  readonly numRestarts: number;
}

export interface StopOptions {
  /** No process is waited for: what works is killed, and goes on from its last record at the next start. */
  readonly atOnce: boolean;
}

export interface Stack {
  readonly temporalAddress: string;
  readonly uiUrl: string;
  readonly namespace: string;
  /** Ends the workers, then the server; resolves when no process of the stack is left. May be called again to hurry. */
  stop(options?: StopOptions): Promise<void>;
  processes(): readonly StackProcess[];
}

/** Another stack runs on this home. */
export class StackRunningError extends Error {
  override readonly name = 'StackRunningError';
  readonly pid: number | null;

  constructor(home: string, record: StackRecord | null) {
    const pid = record?.supervisor.pid ?? null;
    const where = record === null ? '' : `, Web UI ${record.uiUrl}`;
    super(
      `a stack runs already on ${home} (process ${pid ?? 'unknown'}${where}); use it, end it with Ctrl-C there or "kill ${pid ?? '<pid>'}", or set ASI_HOME to another folder`,
    );
    this.pid = pid;
  }
}

/**
 * Starts the Temporal server and the workers of one machine and keeps them up until `stop`.
 * @throws ConfigError, DiskFullError, StackRunningError, PortInUseError, StackStartError, ArchiveUnavailableError, VectorsUnavailableError,
 * each with a message for the user
 */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const { config, onLine } = options;
  const binary = checkBeforehand(config);
  const lock = takeStackLock(config.home);
  if (lock === null) throw new StackRunningError(config.home, readStackRecord(config.home));
  try {
    const left = await reapLeftovers(config.home, LEFTOVER_GRACE_MS);
    if (left.length > 0) onLine(`ended what a killed stack had left behind: ${left.join(', ')}`);
    await openStores(config.home);
    const running = await startOnPorts(options, binary);
    const disk = new DiskWatch({ home: config.home, floorBytes: config.neededBytes / 2, onLine });
    return {
      temporalAddress: running.temporalAddress,
      uiUrl: running.uiUrl,
      namespace: config.namespace,
      processes: () => running.processes(),
      stop: async ({ atOnce } = { atOnce: false }) => {
        disk.stop();
        await (atOnce ? running.stopAtOnce() : running.stop());
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
};

const MOST_STARTS = 3;

/**
 * Between the choice of a port and the server's start another program may take it, and those that the server chooses itself; where ports may
 * move, the server is given others then.
 */
const startOnPorts = async (options: StackOptions, binary: string): Promise<SupervisedStack> => {
  const { config, onLine, freePorts = false, signal } = options;
  const wished = { temporal: config.temporalPort, ui: config.uiPort };
  for (let attempt = 1; ; attempt++) {
    const ports = await choosePorts(wished, freePorts);
    for (const line of movedPorts(wished, ports)) onLine(line);
    const stack = new SupervisedStack(options, binary, ports);
    try {
      await stack.start(signal);
      return stack;
    } catch (error) {
      const isServer = error instanceof EndedAtStartError && error.process === 'temporal';
      if (!isServer || !freePorts || attempt === MOST_STARTS) throw error;
      onLine(`temporal ended while it started; starting it again (log: ${join(config.home, 'logs', 'temporal.log')})`);
    }
  }
};

class SupervisedStack {
  readonly temporalAddress: string;
  readonly uiUrl: string;
  readonly #options: StackOptions;
  readonly #ports: Ports;
  readonly #startedAt = new Date().toISOString();
  readonly #server: KeptProcess;
  readonly #workers: readonly KeptProcess[];
  #state: 'starting' | 'up' | 'stopped' = 'starting';
  #stopped: Promise<void> | null = null;

  constructor(options: StackOptions, binary: string, ports: Ports) {
    const { config, roles, workerEntry = join(checkoutFolder, 'workers', 'worker.ts') } = options;
    this.#options = options;
    this.#ports = ports;
    this.temporalAddress = `127.0.0.1:${ports.temporal}`;
    this.uiUrl = `http://127.0.0.1:${ports.ui}`;
    const { home, namespace } = config;
    this.#server = this.#keep('temporal', temporalCommand({ binary, home, namespace, ports }), SERVER_READY_MS, {
      probe: (signal) => waitForServer(this.temporalAddress, namespace, signal),
    });
    this.#workers = roles.map((role) =>
      this.#keep(role, this.#workerCommand(role, workerEntry), WORKER_READY_MS, { readyLine: `ready ${role}` }),
    );
  }

  async start(signal: AbortSignal | undefined): Promise<void> {
    const interrupted = rejectOnAbort(signal);
    try {
      await Promise.race([this.#startInOrder(), interrupted.promise]);
      this.#state = 'up';
      this.#record();
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      interrupted.forget();
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopInOrder();
    return this.#stopped;
  }

  async stopAtOnce(): Promise<void> {
    this.#state = 'stopped';
    await Promise.all([this.#server, ...this.#workers].map((kept) => kept.stop(0)));
    await this.stop();
  }

  processes(): readonly StackProcess[] {
    return [this.#server, ...this.#workers].map(({ name, current, numRestarts }) => ({
      name,
      pid: current?.program?.pid ?? null,
      numRestarts,
    }));
  }

  async #startInOrder(): Promise<void> {
    await this.#server.start();
    await Promise.all(this.#workers.map((worker) => worker.start()));
  }

  async #stopInOrder(): Promise<void> {
    this.#state = 'stopped';
    await Promise.all(this.#workers.map((worker) => worker.stop(WORKER_GRACE_MS)));
    await this.#server.stop(SERVER_GRACE_MS);
    removeStackRecord(this.#options.config.home);
  }

  #keep(
    name: string,
    command: Command,
    readyTimeoutMs: number,
    readiness: ConstructorParameters<typeof KeptProcess>[0]['readiness'],
  ): KeptProcess {
    const { config, onLine } = this.#options;
    const log = new RotatingLog({ path: join(config.home, 'logs', `${name}.log`), onTrouble: onLine });
    return new KeptProcess({ name, command, log, readyTimeoutMs, readiness, onLine, onChange: () => this.#recordIfPossible() });
  }

  #workerCommand(role: string, entry: string): Command {
    const { config } = this.#options;
    return {
      program: process.execPath,
      parameters: ['--disable-warning=ExperimentalWarning', entry, role],
      environment: {
        ...environmentOf(role, process.env),
        ASI_HOME: config.home,
        ASI_CACHE: config.cache,
        ASI_PYTHON: config.python,
        ASI_SLOTS: String(config.slots),
        ASI_IDLE_SECONDS: String(config.idleSeconds),
        ASI_CHECK_SECONDS: String(config.checkSeconds),
        ASI_TEMPORAL_PORT: String(this.#ports.temporal),
        ASI_UI_PORT: String(this.#ports.ui),
        TEMPORAL_ADDRESS: this.temporalAddress,
        TEMPORAL_NAMESPACE: config.namespace,
        ASI_SUPERVISED: '1',
      },
      // It keeps them out of the record, which it can only of values that it knows.
      heldBack: config.secrets,
    };
  }

  /** A full disk must not end a stack that works; the record is only for others to find it. */
  #recordIfPossible(): void {
    try {
      this.#record();
    } catch (error) {
      this.#options.onLine(`stack.json cannot be written (${error instanceof Error ? error.message : String(error)})`);
    }
  }

  #record(): void {
    const supervisor = identify(process.pid);
    if (this.#state === 'stopped' || supervisor === null) return;
    const { temporalAddress, uiUrl } = this;
    writeStackRecord(this.#options.config.home, {
      version: 1,
      state: this.#state,
      startedAt: this.#startedAt,
      supervisor,
      temporalAddress,
      uiUrl,
      namespace: this.#options.config.namespace,
      ports: this.#ports,
      processes: [this.#server, ...this.#workers].flatMap(({ name, current }) =>
        current === null ? [] : { name, guard: current.guard, program: current.program },
      ),
    });
  }
}

/** Keys of language models and the like are for the agents alone: a job may read the environment of the worker that started it. */
export const environmentOf = (role: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  if (role === 'agents') return { ...environment };
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('TEMPORAL_') || !isSecretName(name)));
};

const checkBeforehand = (config: Config): string => {
  if (config.temporalAddress !== `127.0.0.1:${config.temporalPort}`) {
    throw new StackStartError(
      `TEMPORAL_ADDRESS=${config.temporalAddress} names a server of yours, and a stack brings its own; unset it, or start the processes singly with "npm run worker -- <role>"`,
    );
  }
  if (config.temporalBinary === null)
    throw new StackStartError('ASI_TEMPORAL (not set): no Temporal binary; run "npm run setup"');
  ensureHome(config.home);
  requireSpace(config.home, config.neededBytes);
  makeFolder(join(config.home, 'logs'));
  return config.temporalBinary;
};

/** Before any process starts: each worker would meet the same fault, and say so by a crash. */
const openStores = async (home: string): Promise<void> => {
  await openSqliteArchive(join(home, 'archive.db')).close();
  await openSqliteVectors(join(home, 'vectors.db')).close();
};

const rejectOnAbort = (signal: AbortSignal | undefined): { readonly promise: Promise<never>; readonly forget: () => void } => {
  let onAbort = (): void => undefined;
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(new StackStartError('the start was interrupted'));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
  });
  return { promise, forget: () => signal?.removeEventListener('abort', onAbort) };
};
