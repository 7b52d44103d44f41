import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import type { Secret } from '../../workflows/rules/secrets.ts';
import { HELD_BACK_DESCRIPTOR } from './held-back.ts';
import { identify, isGroupAlive, type ProcessIdentity, sendSignal } from './process-identity.ts';
import type { RotatingLog } from './rotating-log.ts';

/**
 * A shell between the supervisor and a program. It leads a process group of its own, says the program's pid on descriptor 3, and ends the program when the
 * supervisor's end of stdin closes, which the kernel does even when the supervisor is killed. SIGTERM is caught, not ignored, since an
 * ignored signal would stay ignored in the program. The program shares that stdin and may watch it too.
 */
const GUARD = `
exec 4<&0
"$@" <&4 3>&- 4<&- &
program=$!
echo $program >&3
exec 3>&-
( trap : TERM; while read -r line <&4; do :; done; kill -TERM $program; sleep 25; kill -KILL $program ) >/dev/null 2>&1 &
watch=$!
trap : TERM INT HUP
while :; do wait $program; code=$?; kill -0 $program 2>/dev/null || break; done
kill -KILL $watch 2>/dev/null
wait $watch 2>/dev/null
exit $code
`;
const NUM_TAIL_LINES = 20;
const POLL_MS = 20;
/** Dead members of a group stay countable until somebody reaps them, which the first process of a container may never do. */
const EMPTY_GROUP_TIMEOUT_MS = 3_000;

export interface Command {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Secrets to tell the program by a pipe that only it reads (`readHeldBack`); none: there is no pipe. */
  readonly heldBack?: readonly Secret[];
}

export interface GuardedProcessOptions {
  readonly command: Command;
  readonly log: RotatingLog;
  readonly onLine: (line: string) => void;
}

/** One run of a program under a guard. */
export class GuardedProcess {
  readonly guard: ProcessIdentity;
  /** Resolves with a word on how it ended, when no process of its group is left. */
  readonly ended: Promise<string>;
  /** Resolves when `program` is known; never where it ended before anybody could look. */
  readonly identified: Promise<void>;
  #program: ProcessIdentity | null = null;
  readonly #child: ChildProcess;
  readonly #tail: string[] = [];

  constructor({ command, log, onLine }: GuardedProcessOptions) {
    this.#child = spawn('/bin/sh', ['-c', GUARD, 'asi-guard', command.program, ...command.parameters], {
      env: command.environment,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'ignore', command.heldBack === undefined ? 'ignore' : 'pipe'],
      detached: true,
    });
    const { pid, stdout, stderr, stdin } = this.#child;
    const couldNotStart = new Promise<string>((resolve) => this.#child.once('error', (error) => resolve(error.message)));
    if (pid === undefined || stdout === null || stderr === null || stdin === null) throw new Error('/bin/sh cannot be started');
    // The guard may be gone before we close our end.
    stdin.on('error', () => undefined);
    tell(this.#child.stdio.at(HELD_BACK_DESCRIPTOR), command.heldBack);
    this.guard = identify(pid) ?? { pid, startMark: '' };
    createInterface({ input: stdout.pipe(new PassThrough()) }).on('line', onLine);
    this.identified = new Promise((resolve) => {
      this.#child.stdio[3]?.on('data', (chunk: Buffer) => {
        this.#program ??= identify(Number(chunk.toString('utf8')));
        if (this.#program !== null) resolve();
      });
    });
    for (const stream of [stdout, stderr]) {
      stream.on('data', (chunk: Buffer) => {
        log.write(chunk);
        this.#keepTail(chunk.toString('utf8'));
      });
    }
    this.ended = this.#waitForEnd(pid, couldNotStart);
  }

  get program(): ProcessIdentity | null {
    return this.#program;
  }

  /** The last lines that it printed, for a message on why it did not start. */
  get tail(): string {
    return this.#tail.join('\n');
  }

  /** Asks the program to end, and kills its whole group after the grace. */
  async stop(graceMs: number): Promise<void> {
    if (this.#program === null) this.#child.stdin?.end();
    else sendSignal(this.#program.pid, 'SIGTERM');
    const timer = setTimeout(() => sendSignal(-this.guard.pid, 'SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  kill(): void {
    sendSignal(-this.guard.pid, 'SIGKILL');
  }

  async #waitForEnd(groupPid: number, couldNotStart: Promise<string>): Promise<string> {
    const exited = new Promise<string>((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(describeEnd(code, signal)));
    });
    const how = await Promise.race([exited, couldNotStart]);
    this.#child.stdin?.end();
    // What the program started in its group must not outlive it, or two of its kind would run after a restart.
    const endAt = performance.now() + EMPTY_GROUP_TIMEOUT_MS;
    while (isGroupAlive(groupPid) && performance.now() < endAt) {
      sendSignal(-groupPid, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return how;
  }

  #keepTail(text: string): void {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    this.#tail.push(...lines);
    this.#tail.splice(0, Math.max(0, this.#tail.length - NUM_TAIL_LINES));
  }
}

const tell = (pipe: ChildProcess['stdio'][number] | undefined, heldBack: readonly Secret[] | undefined): void => {
  if (heldBack === undefined || pipe == null || !('end' in pipe)) return;
  // A program that ends before it has read them needs them no more.
  pipe.on('error', () => undefined);
  pipe.end(JSON.stringify(heldBack));
};

/** The guard reports a signal as shells do, by 128 + its number. */
const describeEnd = (code: number | null, signal: NodeJS.Signals | null): string => {
  if (signal !== null) return `signal ${signal} of its guard`;
  return code !== null && code > 128 ? `signal ${code - 128}` : `exit code ${code}`;
};
