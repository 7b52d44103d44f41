import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Archive } from '../../services/archive/archive.ts';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import { checkoutFolder } from '../../workers/config.ts';
import { findStack } from '../../workers/supervisor/index.ts';
import { identify } from '../../workers/supervisor/process-identity.ts';
import { readStackRecord } from '../../workers/supervisor/stack-record.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';

const pollMs = 40;
/** The second half of a training takes a tenth of a second. */
const freezePollMs = 4;
const patienceMs = 90_000;

/** A training that stands still between two of its steps, with a checkpoint behind it. */
export interface FrozenTraining {
  readonly trialId: string;
  readonly pid: number;
  /** The warm Python process that forked it. */
  readonly hostPid: number;
  /** What its checkpoint holds of its curve; the CPU seconds of a point are those of the attempt that measured it. */
  readonly curve: Trial['curve'];
  goOn(): void;
}

/** The whole product of one machine as `npm start` runs it, in processes of its own and a private home. Needs Linux: it reads /proc. */
export class RealStack {
  readonly home = mkdtempSync(join(tmpdir(), 'asi-real-'));
  /** What the supervisor printed, all runs together. */
  printed = '';
  readonly #environment: Readonly<Record<string, string>>;
  #supervisor: ChildProcess | null = null;
  #connection: Connection | null = null;
  #archive: Archive | null = null;
  #ports: { readonly temporal: number; readonly ui: number } | null = null;

  constructor(environment: Readonly<Record<string, string>> = {}) {
    this.#environment = environment;
  }

  /** Starts the supervisor, again after it ended or was killed, on the same home and ports. Resolves when all of it is up. */
  async start(): Promise<void> {
    this.#ports ??= { temporal: await freePort(), ui: await freePort() };
    const supervisor = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(checkoutFolder, 'workers', 'start.ts')],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          ...this.#environment,
          ASI_HOME: this.home,
          ASI_TEMPORAL_PORT: String(this.#ports.temporal),
          ASI_UI_PORT: String(this.#ports.ui),
        },
      },
    );
    this.#supervisor = supervisor;
    for (const stream of [supervisor.stdout, supervisor.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.printed += text;
      });
    await until(() => {
      if (supervisor.exitCode !== null) throw new Error(`the stack did not start:\n${this.printed}`);
      return findStack(this.home)?.pid === supervisor.pid;
    }, 'the stack is up');
    this.#connection ??= await Connection.connect({ address: `127.0.0.1:${this.#ports.temporal}` });
    this.#archive ??= openSqliteArchive(join(this.home, 'archive.db'));
  }

  get client(): Client {
    if (this.#connection === null) throw new Error('the stack has not been started');
    return new Client({ connection: this.#connection });
  }

  /** Opened for reading what a campaign wrote. */
  get archive(): Archive {
    if (this.#archive === null) throw new Error('the stack has not been started');
    return this.#archive;
  }

  /** Process of the supervisor, the server or a role. */
  pid(name: string): number {
    const pid =
      name === 'supervisor'
        ? this.#supervisor?.pid
        : readStackRecord(this.home)?.processes.find((process) => process.name === name)?.program?.pid;
    if (pid === undefined) throw new Error(`no process ${name} in the stack:\n${this.printed}`);
    return pid;
  }

  /** Kills one process of the stack and waits until another has taken its place. */
  async killAndAwaitNext(name: string): Promise<void> {
    const upAgain = `${name} is up again`;
    const times = this.printed.split(upAgain).length;
    process.kill(this.pid(name), 'SIGKILL');
    await until(() => this.printed.split(upAgain).length > times, upAgain);
  }

  /** Ends the supervisor by a signal; answers its exit code, null for one that was killed. */
  async endSupervisor(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const supervisor = this.#supervisor;
    if (supervisor === null) throw new Error('the stack has not been started');
    if (supervisor.exitCode === null && supervisor.signalCode === null) {
      const exited = new Promise((resolve) => supervisor.once('exit', resolve));
      supervisor.kill(signal);
      await exited;
    }
    return supervisor.exitCode;
  }

  /** Processes that have this stack's home in their environment, or work in it: all that belongs to it but the supervisor. */
  members(): readonly number[] {
    return numbersIn('/proc').filter((pid) => pid !== this.#supervisor?.pid && this.#belongs(pid));
  }

  /** Stops a training of the campaign in the middle: its first task is done and kept, the second is not. */
  async freezeTraining(campaignId: string): Promise<FrozenTraining> {
    let frozen: FrozenTraining | null = null;
    const freeze = (): boolean => {
      for (const { trialId, workdir } of this.#workFolders(campaignId)) {
        if (!isHalfWay(workdir)) continue;
        const pid = processIn(workdir);
        if (pid === null) continue;
        process.kill(pid, 'SIGSTOP');
        // It ran on until the signal arrived.
        if (!isHalfWay(workdir) || processIn(workdir) !== pid) {
          sendTo(pid, 'SIGCONT');
          continue;
        }
        frozen = { trialId, pid, hostPid: parentOf(pid), curve: checkpointCurve(workdir), goOn: () => sendTo(pid, 'SIGCONT') };
        return true;
      }
      return false;
    };
    await until(freeze, `a training of ${campaignId} is half-way`, freezePollMs);
    if (frozen === null) throw new Error('unreachable: until() returns when a training is frozen');
    return frozen;
  }

  /** Ends the stack as Ctrl-C does and removes its home. */
  async stop(): Promise<void> {
    if (this.#supervisor !== null) await this.endSupervisor('SIGTERM');
    await this.#connection?.close();
    await this.#archive?.close();
    rmSync(this.home, { recursive: true, force: true });
  }

  #workFolders(campaignId: string): readonly { readonly trialId: string; readonly workdir: string }[] {
    const work = join(this.home, 'work');
    return foldersIn(join(work, campaignId)).flatMap((experiment) =>
      foldersIn(join(work, campaignId, experiment)).flatMap((rung) =>
        foldersIn(join(work, campaignId, experiment, rung)).map((seed) => {
          const trialId = [campaignId, experiment, rung, seed].join('/');
          return { trialId, workdir: join(work, trialId) };
        }),
      ),
    );
  }

  #belongs(pid: number): boolean {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return environment.split('\0').includes(`ASI_HOME=${this.home}`) || isInside(workingFolder(pid), this.home);
    } catch {
      // The folder of a process vanishes with it.
      return false;
    }
  }
}

/** Resolves when it is so. Throws when it is not so after a minute and a half. */
export const until = async (isSo: () => boolean | Promise<boolean>, what: string, everyMs = pollMs): Promise<void> => {
  const endAt = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > endAt) throw new Error(`it did not happen within ${patienceMs / 1000} s: ${what}`);
    await setTimeout(everyMs);
  }
};

export const isGone = (pid: number): boolean => identify(pid) === null;

/** A checkpoint holds a point of the curve by now; `snapshots.safetensors` is the last thing that a training writes. */
const isHalfWay = (workdir: string): boolean =>
  !existsSync(join(workdir, 'snapshots.safetensors')) && checkpointCurve(workdir).length > 0;

/**
 * A safetensors file: the length of its header in 8 bytes, the header, the tensors; one of them is the trainer's progress as JSON. Nothing
 * where no checkpoint is kept yet, or none any more.
 */
const checkpointCurve = (workdir: string): Trial['curve'] => {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(workdir, 'checkpoints', 'state.safetensors'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header: { readonly facts: { readonly data_offsets: readonly [number, number] } } = JSON.parse(
    bytes.toString('utf8', 8, start),
  );
  const [from, to] = header.facts.data_offsets;
  const facts: { readonly progress: { readonly curve: Trial['curve'] } } = JSON.parse(
    bytes.toString('utf8', start + from, start + to),
  );
  return facts.progress.curve;
};

/** Null where there is none: a trial that ends takes its folder along, between two looks too. */
const realFolder = (path: string): string | null => {
  try {
    return realpathSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
};

const processIn = (workdir: string): number | null => {
  const wanted = realFolder(workdir);
  if (wanted === null) return null;
  return numbersIn('/proc').find((pid) => workingFolder(pid) === wanted && !isGone(pid)) ?? null;
};

const workingFolder = (pid: number): string => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // Gone, or of another user: neither is ours.
    return '';
  }
};

const isInside = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Field 4 of /proc/<pid>/stat; the name in field 2 may hold spaces and brackets. */
const parentOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
};

const sendTo = (pid: number, signal: NodeJS.Signals): void => {
  if (!isGone(pid)) process.kill(pid, signal);
};

const foldersIn = (path: string): readonly string[] => (existsSync(path) ? readdirSync(path) : []);

const numbersIn = (path: string): readonly number[] =>
  readdirSync(path)
    .map(Number)
    .filter((number) => Number.isInteger(number));

/** Below the range from which the kernel gives ports to outgoing connections (32768 and up): a server that is killed must find its port free again. */
const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if (await isFree(port)) return port;
  }
};

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
