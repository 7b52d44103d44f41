import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobRunner } from '../../services/dispatch/job-runner.ts';

type RunnerEnd = Awaited<ReturnType<JobRunner['run']>>;
const used = { detail: '', wallSeconds: 1, cpuSeconds: 1, peakMemoryBytes: 1, logTail: '' };

/** A runner whose jobs end when the test says so; it writes a plain result.json as the Python host's children do. */
export class ScriptedRunner implements JobRunner {
  readonly started: string[] = [];
  readonly cancelled: string[] = [];
  closed = false;
  readonly #open = new Map<
    string,
    {
      readonly workdir: string;
      readonly resolve: (end: RunnerEnd) => void;
      readonly onProgress: Parameters<JobRunner['run']>[1];
      readonly onUsed: Parameters<JobRunner['run']>[2];
    }
  >();

  run(...[job, onProgress, onUsed]: Parameters<JobRunner['run']>): Promise<RunnerEnd> {
    this.started.push(job.id);
    return new Promise((resolve) => {
      this.#open.set(job.id, { workdir: job.workdir, resolve, onProgress, onUsed });
    });
  }

  get running(): readonly string[] {
    return [...this.#open.keys()];
  }

  progress(id: string): void {
    this.#open.get(id)?.onProgress({ task: 'bytes', step: 1, steps: 2, loss: 1, tokens: 10, cpuSeconds: 0.1 });
  }

  used(id: string, cpuSeconds: number): void {
    this.#open.get(id)?.onUsed(cpuSeconds);
  }

  finish(
    id: string,
    options: {
      readonly result?: unknown;
      readonly label?: RunnerEnd['label'];
      /** Its detail and the last of its log. */
      readonly said?: string;
      /** false: it never ran. */
      readonly ran?: false;
      readonly prepare?: (workdir: string) => void;
    } = {},
  ): void {
    const job = this.#open.get(id);
    if (job === undefined) throw new Error(`${id} does not run`);
    this.#open.delete(id);
    if (options.prepare !== undefined) options.prepare(job.workdir);
    else writeFileSync(join(job.workdir, 'result.json'), JSON.stringify(options.result ?? { id }));
    const said = options.said ?? '';
    const ran = options.ran === undefined ? {} : { ran: options.ran };
    job.resolve({ ...used, label: options.label ?? null, detail: said, logTail: said, ...ran });
  }

  cancel(id: string): void {
    this.cancelled.push(id);
    const job = this.#open.get(id);
    this.#open.delete(id);
    job?.resolve({ ...used, label: 'cancelled', detail: 'cancelled' });
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
