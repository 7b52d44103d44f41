import type { Job, JobEnd } from '../../services/dispatch/dispatcher.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import { type TrainProgress, type TrainRequest, type Trial, trainResultSchema } from '../../workflows/contracts/trial.ts';
import { firstDifference, isRepeatedEnough } from '../../workflows/rules/repeat-training.ts';

export type Repeated =
  | { readonly kind: 'same'; readonly cpuSeconds: number }
  | { readonly kind: 'other'; readonly detail: string; readonly cpuSeconds: number }
  /** The machine or a cancel stood in the way, so that it says nothing about the program. */
  | { readonly kind: 'unknown'; readonly label: 'infra' | 'cancelled'; readonly detail: string };

interface Repetition {
  /** As it was, in a folder that holds the program and nothing else; the program cannot tell that it is another one. */
  readonly job: Omit<Job, 'request'> & { readonly request: TrainRequest };
  /** Of the training that has ended. */
  readonly curve: Trial['curve'];
}

type Run = (job: Job, onProgress: (line: TrainProgress) => void, stop: AbortSignal) => Promise<JobEnd>;

/** What ends a job for reasons that another attempt need not meet again: a busy machine is no property of a program. */
const outages: ReadonlySet<FailureLabel> = new Set(['infra', 'sandbox_unavailable', 'timeout_wall', 'timeout_idle', 'oom_host']);

/**
 * Trains the first tenth once more, from the same seed, in a process and a folder of its own, and compares each reported loss bit by bit.
 * It is stopped from outside, so that the schedule of the learning rate is that of the whole training.
 */
export const repeatTraining = async (run: Run, { job, curve }: Repetition): Promise<Repeated> => {
  const enough = new AbortController();
  const seen: TrainProgress[] = [];
  const end = await run(
    job,
    (line) => {
      if (enough.signal.aborted) return;
      seen.push(line);
      if (firstDifference(curve, [line]) !== null || isRepeatedEnough(line, job.request.rung)) enough.abort();
    },
    enough.signal,
  );
  const { cpuSeconds } = end;
  const difference = firstDifference(curve, seen);
  if (difference !== null) return { kind: 'other', detail: difference, cpuSeconds };
  if (enough.signal.aborted) return { kind: 'same', cpuSeconds };
  if (end.ok) return ended(end.result, curve, cpuSeconds);
  if (end.label === 'cancelled') return { kind: 'unknown', label: 'cancelled', detail: end.detail };
  if (outages.has(end.label))
    return { kind: 'unknown', label: 'infra', detail: `the training could not be repeated: ${end.label}: ${end.detail}` };
  return {
    kind: 'other',
    detail: `trained again from the same seed, it ended with ${end.label} before a tenth of its steps: ${end.detail}`,
    cpuSeconds,
  };
};

/** It came to its end before a line of progress said that it was enough: a training of few steps. */
const ended = (result: unknown, curve: Trial['curve'], cpuSeconds: number): Repeated => {
  const parsed = trainResultSchema.safeParse(result);
  const difference = parsed.success
    ? parsed.data.status === 'failed'
      ? `trained again from the same seed, it ended with ${parsed.data.label}: ${parsed.data.detail}`
      : firstDifference(curve, parsed.data.curve)
    : 'trained again from the same seed, it left a result that does not fit its schema';
  return difference === null ? { kind: 'same', cpuSeconds } : { kind: 'other', detail: difference, cpuSeconds };
};
