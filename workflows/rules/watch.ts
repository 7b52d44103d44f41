import type { FailureLabel } from '../contracts/failure.ts';
import type { TrainProgress, Trial } from '../contracts/trial.ts';
import { mean, median } from './statistics.ts';

export interface WatchInput {
  /** Progress lines of this trial so far, in order. */
  readonly lines: readonly TrainProgress[];
  /** Curves of finished trials of the same rung that this one is measured by; empty for baselines, which are never hopeless. */
  readonly peers: readonly Pick<Trial, 'curve'>[];
  /** Training tokens per CPU second of the reference baseline on this machine; null while it is not known. */
  readonly referenceTokensPerCpuSecond: number | null;
  /** Deviation of one paired difference in bits a byte, from the noise floor; null or absent while it is not known. */
  readonly pairedSdBits?: number | null;
}

export type WatchVerdict =
  | { readonly kind: 'continue' }
  | {
      readonly kind: 'stop';
      readonly label: Extract<FailureLabel, 'nonfinite' | 'diverged' | 'too_slow' | 'hopeless'>;
      readonly detail: string;
    };

/**
 * Limits of the watch. Bits a byte where they speak of the byte task; a line's loss is nats a token, and there a token is a
 * byte.
 */
export const watchLimits = {
  /** Loss above its first value by this factor, on so many lines in a row, has diverged. */
  divergedFactor: 1.5,
  divergedLines: 3,
  /** Tokens a CPU second below the reference's by this factor, over at least so many CPU seconds of one task. */
  slowFactor: 8,
  slowCpuSeconds: 5,
  /**
   * Before this share of the steps the rank of a loss says little about its end (105 published curves: rank correlation 0.6 at
   * 40 %).
   */
  hopelessFrom: 0.4,
  /** After this share too little is saved, and a score teaches more than a label. */
  hopelessUntil: 0.75,
  /** Behind the median of the peers by more than this, in bits a byte: before and after half of the steps. */
  hopelessMarginEarly: 0.3,
  hopelessMargin: 0.15,
  /** And by no less than so many paired deviations, since one run is compared. */
  hopelessDeviations: 3,
  /** A median of fewer peers is no measure. */
  hopelessPeers: 3,
  /** Lines and curve points averaged before losses are compared. */
  smoothing: 3,
} as const;

const goOn: WatchVerdict = { kind: 'continue' };

/** Whether a running trial goes on. Called with every progress line; decides from numbers only. */
export const watchTrial = ({ lines, peers, referenceTokensPerCpuSecond, pairedSdBits }: WatchInput): WatchVerdict => {
  const last = lines.at(-1);
  if (last === undefined) return goOn;
  const where = `task ${last.task}, step ${last.step} of ${last.steps}`;
  if (last.loss === null || !Number.isFinite(last.loss))
    return { kind: 'stop', label: 'nonfinite', detail: `the training loss is not finite at ${where}` };
  const task = lines.filter((line) => line.task === last.task);
  return (
    divergence(task, where) ??
    slowness(task, { where, reference: referenceTokensPerCpuSecond }) ??
    hopelessness(task, { where, peers, pairedSdBits: pairedSdBits ?? 0 }) ??
    goOn
  );
};

/** Lines of one task; the last one's loss is finite. */
type TaskLines = readonly TrainProgress[];

const divergence = (task: TaskLines, where: string): WatchVerdict | null => {
  const first = task[0]?.loss;
  const recent = task.slice(1).slice(-watchLimits.divergedLines);
  if (first == null || recent.length < watchLimits.divergedLines) return null;
  const limit = watchLimits.divergedFactor * first;
  if (!recent.every((line) => line.loss !== null && line.loss > limit)) return null;
  return {
    kind: 'stop',
    label: 'diverged',
    detail: `the training loss at ${where} is ${shown(recent.at(-1)?.loss)}, above ${watchLimits.divergedFactor} times its first value ${shown(first)} on ${watchLimits.divergedLines} lines in a row`,
  };
};

const slowness = (
  task: TaskLines,
  { where, reference }: { readonly where: string; readonly reference: number | null },
): WatchVerdict | null => {
  const first = task[0];
  const last = task.at(-1);
  if (reference === null || first === undefined || last === undefined) return null;
  // From the task's first line on: building the model and the first step are no measure of speed.
  const cpuSeconds = last.cpuSeconds - first.cpuSeconds;
  if (cpuSeconds < watchLimits.slowCpuSeconds) return null;
  const rate = (last.tokens - first.tokens) / cpuSeconds;
  if (rate * watchLimits.slowFactor >= reference) return null;
  return {
    kind: 'stop',
    label: 'too_slow',
    detail: `${rate.toFixed(0)} tokens a CPU second at ${where}; the reference makes ${reference.toFixed(0)}, and ${watchLimits.slowFactor} times slower is the limit`,
  };
};

/**
 * Only the byte task is judged: its rank settles early, while recall waits for a sudden transition that no curve announces. The
 * margins are those of a pilot of the CPU rung (kill at half of the steps when 0.15 bits a byte behind the median), doubled
 * before half and widened where the rung is noisier than that.
 */
const hopelessness = (
  task: TaskLines,
  { where, peers, pairedSdBits }: { readonly where: string; readonly peers: WatchInput['peers']; readonly pairedSdBits: number },
): WatchVerdict | null => {
  const last = task.at(-1);
  if (last === undefined || last.task !== 'bytes') return null;
  const share = last.step / last.steps;
  if (share < watchLimits.hopelessFrom || share > watchLimits.hopelessUntil) return null;
  const own = smoothed(
    task.map(({ step, loss }) => ({ step, loss })),
    last.step,
  );
  const theirs = peers.flatMap(
    ({ curve }) =>
      smoothed(
        curve.filter((point) => point.task === 'bytes'),
        last.step,
      ) ?? [],
  );
  if (own === null || theirs.length < watchLimits.hopelessPeers) return null;
  const leastMargin = share < 0.5 ? watchLimits.hopelessMarginEarly : watchLimits.hopelessMargin;
  const margin = Math.max(leastMargin, watchLimits.hopelessDeviations * pairedSdBits);
  const behind = (own - median(theirs)) / Math.LN2;
  if (behind <= margin) return null;
  return {
    kind: 'stop',
    label: 'hopeless',
    detail: `at ${where} the training loss is ${behind.toFixed(3)} bits a byte behind the median of ${theirs.length} finished trials at the same step; the margin is ${Number(margin.toFixed(3))}`,
  };
};

/** Mean loss of the last points up to a step; null where the curve does not reach that step or is not finite there. */
const smoothed = (curve: readonly { readonly step: number; readonly loss: number | null }[], step: number): number | null => {
  if (!curve.some((point) => point.step >= step)) return null;
  const losses = curve
    .filter((point) => point.step <= step)
    .slice(-watchLimits.smoothing)
    .map((point) => point.loss);
  const finite = losses.filter((loss): loss is number => loss !== null && Number.isFinite(loss));
  return finite.length === 0 || finite.length < losses.length ? null : mean(finite);
};

const shown = (loss: number | null | undefined): string => (loss == null ? 'not finite' : loss.toFixed(3));
