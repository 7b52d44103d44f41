import { rm } from 'node:fs/promises';
import type { Job, JobEnd } from '../../services/dispatch/dispatcher.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import { type TrainProgress, type TrainRequest, type Trial, trainResultSchema } from '../../workflows/contracts/trial.ts';
import { firstDifference, isRepeatedEnough } from '../../workflows/rules/repeat-training.ts';
import { bringBack, layState, setAside } from './kept-part.ts';

export type Repeated =
  | { readonly kind: 'same' }
  | { readonly kind: 'other'; readonly detail: string }
  /** The machine or a cancel stood in the way, so that it says nothing about the program. */
  | { readonly kind: 'unknown'; readonly label: 'infra' | 'cancelled' | 'poison'; readonly detail: string };

export interface Repetition {
  /**
   * As it was, in a folder of the same name that holds the program and, for a part in the midst, the checkpoint. A program can tell that it was
   * gone on with, as after a kill, and not that it was for this.
   */
  readonly job: Omit<Job, 'request'> & { readonly request: TrainRequest };
  /** Of the training that has ended. */
  readonly curve: Trial['curve'];
  /** For a person: what is done again. */
  readonly how: string;
}

type Run = (job: Job, onProgress: (line: TrainProgress) => void, stop: AbortSignal) => Promise<JobEnd>;

/** What ends a job for reasons that another attempt need not meet again: a busy machine is no property of a program. */
const outages: ReadonlySet<FailureLabel> = new Set(['infra', 'sandbox_unavailable', 'timeout_wall', 'timeout_idle', 'oom_host']);

/**
 * Trains a part once more, from the same seed or the same checkpoint, in a process of its own, and compares each reported loss bit by bit.
 * It is stopped from outside, so that the schedule of the learning rate is that of the whole training.
 */
export const repeatTraining = async (run: Run, { job, curve, how }: Repetition): Promise<Repeated> => {
  const enough = new AbortController();
  const seen: TrainProgress[] = [];
  const { rung, reportEvery } = job.request;
  const end = await run(
    job,
    (line) => {
      if (enough.signal.aborted) return;
      seen.push(line);
      const [first = line] = seen;
      const from = { task: first.task, step: Math.max(0, first.step - reportEvery) };
      if (firstDifference(curve, [line], how) !== null || isRepeatedEnough(line, from, rung)) enough.abort();
    },
    enough.signal,
  );
  const difference = firstDifference(curve, seen, how);
  if (difference !== null) return { kind: 'other', detail: difference };
  if (enough.signal.aborted) return { kind: 'same' };
  if (end.ok) return ended(end.result, { curve, how });
  if (end.label === 'cancelled' || end.label === 'poison') return { kind: 'unknown', label: end.label, detail: end.detail };
  if (outages.has(end.label))
    return { kind: 'unknown', label: 'infra', detail: `the training could not be repeated: ${end.label}: ${end.detail}` };
  return {
    kind: 'other',
    detail: `${how}, it ended with ${end.label} after ${seen.length} equal reports: ${end.detail}`,
  };
};

export interface Parts extends Omit<Repetition, 'how'> {
  /** Lays the program, and nothing else, into the job's folder. */
  readonly layProgram: () => Promise<void>;
}

/**
 * The beginning again, and then the part after the checkpoint that was kept (`keepState`). The trial's folder is put aside meanwhile, so that
 * both stand in one of its name, and brought back at the end.
 */
export const repeatParts = async (run: Run, { layProgram, job, curve }: Parts): Promise<Repeated> => {
  const { workdir } = job;
  // A job is known by its id: one that ended is not run again.
  const repeat = (part: string, how: string): Promise<Repeated> =>
    repeatTraining(run, { job: { ...job, id: `${job.id}#${part}` }, curve, how });
  await setAside(workdir);
  await layProgram();
  let repeated = await repeat('beginning', 'trained again from the same seed');
  await rm(workdir, { recursive: true, force: true });
  if (repeated.kind === 'same' && (await layState(workdir))) {
    await layProgram();
    repeated = await repeat('part', 'gone on with again from a checkpoint of its own');
  }
  await bringBack(workdir);
  return repeated;
};

/** It came to its end before a line of progress said that it was enough: a training of few steps, or the last part of one. */
const ended = (result: unknown, { curve, how }: Pick<Repetition, 'curve' | 'how'>): Repeated => {
  const parsed = trainResultSchema.safeParse(result);
  const difference = parsed.success
    ? parsed.data.status === 'failed'
      ? `${how}, it ended with ${parsed.data.label}: ${parsed.data.detail}`
      : firstDifference(curve, parsed.data.curve, how)
    : `${how}, it left a result that does not fit its schema`;
  return difference === null ? { kind: 'same' } : { kind: 'other', detail: difference };
};
