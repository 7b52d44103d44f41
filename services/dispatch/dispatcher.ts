import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import type { PythonCommand, TrainProgress } from '../../workflows/contracts/trial.ts';

export interface Job {
  /** Domain id, never an attempt number: the same id again re-attaches to the running job or returns its stored end. */
  readonly id: string;
  readonly command: PythonCommand;
  /** Validated request; written as JSON into the work folder. */
  readonly request: object;
  /** Kept between attempts, so that checkpoints are found again. */
  readonly workdir: string;
  /** FIFOs to the judge, for a job that answers its questions. */
  readonly channel?: { readonly questions: string; readonly answers: string };
  /** Whose work it is, and how many slots that work may hold at the same time; all of them if not given. */
  readonly share?: { readonly owner: string; readonly slots: number };
  readonly limits: {
    readonly wallSeconds: number;
    readonly idleSeconds: number;
    readonly memoryBytes: number;
    readonly logBytes: number;
  };
}

/** How a job ended, from the supervisor's facts. `result` is the parsed result.json, not yet checked against its schema. */
export type JobEnd =
  | {
      readonly ok: true;
      readonly result: unknown;
      readonly cpuSeconds: number;
      readonly wallSeconds: number;
      readonly peakMemoryBytes: number;
      readonly logTail: string;
    }
  | {
      readonly ok: false;
      readonly label: FailureLabel;
      readonly detail: string;
      readonly cpuSeconds: number;
      readonly wallSeconds: number;
      readonly peakMemoryBytes: number;
      readonly logTail: string;
    };

export interface JobEvents {
  /** The job waits for a slot; position counts from 0. */
  onQueued?(position: number): void;
  onStarted?(): void;
  onProgress?(progress: TrainProgress): void;
}

/** Runs jobs on slots. */
export interface TrialDispatcher {
  readonly slots: number;
  /** Resolves with the job's end; never rejects for anything the candidate did. Aborting the signal stops the job and waits until it is gone: label `cancelled`. */
  run(job: Job, options?: { readonly events?: JobEvents; readonly signal?: AbortSignal }): Promise<JobEnd>;
  close(): Promise<void>;
}
