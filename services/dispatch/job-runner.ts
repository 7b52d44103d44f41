import type { TrainProgress } from '../../workflows/contracts/trial.ts';
import type { Job, JobEnd } from './dispatcher.ts';

/** What runs one job: the Python host, or something instant in a benchmark. */
export interface JobRunner {
  run(
    request: {
      readonly id: string;
      readonly command: Job['command'];
      readonly requestPath: string;
      readonly workdir: string;
      readonly channel: NonNullable<Job['channel']> | null;
      readonly limits: Job['limits'];
    },
    onProgress: (progress: TrainProgress) => void,
    /** CPU seconds of this run so far. */
    onUsed: (cpuSeconds: number) => void,
  ): Promise<{
    readonly label: Exclude<JobEnd, { ok: true }>['label'] | null;
    readonly detail: string;
    readonly wallSeconds: number;
    readonly cpuSeconds: number;
    readonly peakMemoryBytes: number;
    readonly logTail: string;
    /** false: it never ran, so that an outage is none of its doing. */
    readonly ran?: boolean;
  }>;
  cancel(id: string): void;
  close(): Promise<void>;
}
