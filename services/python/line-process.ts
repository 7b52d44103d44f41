import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const packageFolder = fileURLToPath(new URL('../../kernels', import.meta.url));
const maxLineBytes = 32 * 1024 * 1024;
const stderrKept = 4000;

/** The Python process could not be started, died, or does not answer. Never the candidate's fault. */
export class PythonProcessError extends Error {
  override readonly name = 'PythonProcessError';
}

export interface LineProcessOptions {
  readonly python: string;
  /** Arguments after `python`. */
  readonly args: readonly string[];
  readonly onLine: (line: string) => void;
  /** Called once; `reason` says how it ended, with the last of stderr. */
  readonly onEnd: (reason: string) => void;
}

/**
 * A long-lived `python -m asi_kernels …` that speaks one JSON object a line on stdin and stdout. It gets an environment made here, not
 * ours: no variable of this process reaches it. It ends by itself when its stdin closes.
 */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #stderr = '';

  constructor(options: LineProcessOptions) {
    this.#child = spawn(options.python, [...options.args], {
      cwd: packageFolder,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        LANG: 'C.UTF-8',
        PYTHONPATH: packageFolder,
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONUNBUFFERED: '1',
        OMP_NUM_THREADS: '1',
        MKL_NUM_THREADS: '1',
        HF_HUB_OFFLINE: '1',
        TOKENIZERS_PARALLELISM: 'false',
        // CUDA chooses devices by these; nothing else of the environment is wanted.
        ...(process.env.CUDA_VISIBLE_DEVICES === undefined ? {} : { CUDA_VISIBLE_DEVICES: process.env.CUDA_VISIBLE_DEVICES }),
      },
    });
    this.#readLines(options.onLine);
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrKept);
    });
    // A write to a process that just died raises EPIPE here; its end is reported below.
    this.#child.stdin?.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      const end = (reason: string): void => {
        options.onEnd(this.#stderr === '' ? reason : `${reason}: ${this.#stderr.trim()}`);
        resolve();
      };
      this.#child.once('error', (error) => end(`${options.python} could not be started (${error.message})`));
      this.#child.once('close', (code, signal) =>
        end(signal === null ? `python ended with status ${code}` : `python was ended by ${signal}`),
      );
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Close its stdin and wait; kill it after `graceMs`. */
  async close(graceMs = 5000): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#ended;
    clearTimeout(timer);
  }

  #readLines(onLine: (line: string) => void): void {
    let rest = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLineBytes) {
        rest = '';
        this.#child.kill('SIGKILL');
        return;
      }
      for (const line of lines) if (line !== '') onLine(line);
    });
  }
}
