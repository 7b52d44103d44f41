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
  /** Which of an owner's waiting jobs goes first; first come, first served where it is not given. */
  readonly order?: JobOrder;
  /**
   * Names what a candidate's program runs for. Where three runs of one name end in an outage, the last with no other job beside it, the end
   * is `poison`. Absent for programs of ours, which are tried again as often as they are asked for.
   */
  readonly suspect?: string;
  readonly limits: {
    readonly wallSeconds: number;
    readonly idleSeconds: number;
    readonly memoryBytes: number;
    readonly logBytes: number;
  };
}

export interface JobOrder {
  /** The lower goes first: one of a later turn runs only where no earlier one of its owner waits. */
  readonly turn: number;
  /** What it is expected to take. Of one turn the longest goes first, so that no long one is left alone at the end; 0: unknown. */
  readonly seconds: number;
}

/** What a run used, from the supervisor's facts; of one that an outage ended what was known last. */
export interface JobUse {
  /** Of this run of the job and of no other: who meets its end twice counts it once. */
  readonly runId: string;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly peakMemoryBytes: number;
  readonly logTail: string;
}

/** How a job ended, from the supervisor's facts. `result` is the parsed result.json, not yet checked against its schema. */
export type JobEnd = JobUse &
  (
    | { readonly ok: true; readonly result: unknown }
    | { readonly ok: false; readonly label: FailureLabel; readonly detail: string }
  );

export interface JobEvents {
  /** The job waits for a slot; position counts from 0. */
  onQueued?(position: number): void;
  /** The job has its slot, and runs when this is done. Where it fails the job ends with label `infra` and its message. */
  onStarted?(): void | Promise<void>;
  onProgress?(progress: TrainProgress): void;
  /** What this run has used so far, about once a second. */
  onUsed?(used: Pick<JobUse, 'runId' | 'cpuSeconds'>): void;
}

/**
 * Runs jobs on slots: owners in turns, no owner beyond its share. An end that the job itself came to is kept by its id, and one that an outage or a
 * cancel brought about is not. Secrets are taken out of every text of an end before anybody reads it.
 */
export interface TrialDispatcher {
  readonly slots: number;
  /** Resolves with the job's end; never rejects for anything the candidate did. Aborting the signal stops the job and waits until it is gone: label `cancelled`. */
  run(job: Job, options?: { readonly events?: JobEvents; readonly signal?: AbortSignal }): Promise<JobEnd>;
  close(): Promise<void>;
}
