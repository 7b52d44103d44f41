import type { ModelSize } from '../contracts/architecture.ts';
import type { Rung, Task } from '../contracts/rung.ts';
import { median } from './statistics.ts';

/** CPU seconds as the supervisor measured them, of the whole process tree and without what an outage lost; null where nothing was answered yet. */
export interface Effort {
  readonly sizes: readonly ModelSize[];
  readonly trainSeconds: number;
  /** Of the two processes that answered the judge on the search set. */
  readonly answerSeconds: number | null;
}

export interface EffortInput {
  readonly rung: Rung;
  readonly own: Effort;
  /** Trials of the campaign's baselines on this rung: programs of ours, so what they used is what the work costs on this machine. */
  readonly baselines: readonly Effort[];
}

export interface EffortVerdict {
  /** refused: it trained for longer than it was given. marked: it may have; it is said beside the result. */
  readonly kind: 'plain' | 'marked' | 'refused';
  /** CPU used over the CPU expected; null where nothing can be expected. */
  readonly timesExpected: number | null;
  readonly detail: string;
}

/**
 * Limits. Of 26 honest programs (the nine baselines and test/fixtures/programs/honest) at `quick`, each used 0.76 to 1.20 times what is
 * expected below, loops over tokens and running sums of matrices among them; three times the steps gives 2.3 at least
 * (`python -m asi_kernels.bench.effort`). A machine under load makes CPU seconds longer by some ten per cent, so twice is out of reach of
 * what is honest.
 */
export const effortLimits = { marked: 1.5, refused: 2, slackSeconds: 2 } as const;

/**
 * Milliseconds of one optimiser step on the machine where they were fitted; only their proportions count, since the baselines set the
 * scale: a step, a hundred operators of a forward pass, 1e8 FLOPs and 1e7 bytes written. Forward and backward together.
 */
const costs = { step: 0.5, hundredOperators: 1.2, flops: 3.8 / 1e8, bytes: 4.5 / 1e7 } as const;

/**
 * Whether a training used more CPU than its work explains. A program runs in the process that trains it and may take more steps there, so
 * what it reports is not asked. Two estimates, each scaled by the baselines: from what the gates counted, and from what the same program
 * used to answer the judge, who asks all for the same. Counting misses slow operators, and answering misses what is slow with few rows, so
 * the larger one counts, and both must be exceeded. Does not cover a program that is as slow in all three processes as it wants to be in one:
 * it pays with time that its record shows (`timesReference`).
 */
export const judgeEffort = ({ rung, own, baselines }: EffortInput): EffortVerdict => {
  const estimates = [
    { name: 'its counted operations', seconds: scaled(own, baselines, (effort) => countedWork(rung, effort.sizes)) },
    { name: 'its speed in answering', seconds: scaled(own, baselines, ({ answerSeconds }) => answerSeconds) },
  ].flatMap(({ name, seconds }) => (seconds === null ? [] : [{ name, seconds }]));
  if (estimates.length === 0) return { kind: 'plain', timesExpected: null, detail: '' };
  const expected = Math.max(...estimates.map(({ seconds }) => seconds));
  const timesExpected = own.trainSeconds / expected;
  const said = estimates.map(({ name, seconds }) => `${seconds.toFixed(1)} s by ${name}`).join(' and ');
  const detail = `its training used ${own.trainSeconds.toFixed(1)} CPU seconds, ${timesExpected.toFixed(2)} times what the baselines lead to expect (${said})`;
  const isAbove = (times: number) => own.trainSeconds > times * expected + effortLimits.slackSeconds;
  // One estimate alone may miss what makes an honest program slow.
  if (isAbove(effortLimits.refused) && estimates.length === 2)
    return { kind: 'refused', timesExpected, detail: `${detail}; ${effortLimits.refused} times are allowed` };
  return { kind: isAbove(effortLimits.marked) ? 'marked' : 'plain', timesExpected, detail };
};

/** Training seconds of a program with this much of a measure, by the median baseline; null where it is not known of both. */
const scaled = (own: Effort, baselines: readonly Effort[], measure: (effort: Effort) => number | null): number | null => {
  const amount = measure(own);
  const rates = baselines.flatMap((baseline) => {
    const of = measure(baseline);
    return of === null || of <= 0 || baseline.trainSeconds <= 0 ? [] : [baseline.trainSeconds / of];
  });
  return amount === null || amount <= 0 || rates.length === 0 ? null : amount * median(rates);
};

/** Of a whole training, in units of `costs`; null where the record is of a version that did not count operators. */
const countedWork = (rung: Rung, sizes: readonly ModelSize[]): number | null => {
  let total = 0;
  for (const task of rung.tasks) {
    const step = stepCost(task, sizes);
    if (step === null) return null;
    total += task.steps * step;
  }
  return total;
};

const stepCost = (task: Task, sizes: readonly ModelSize[]): number | null => {
  const size = sizes.find((one) => one.task === task.kind);
  if (size?.operators === undefined || size.bytesPerToken === undefined) return null;
  const tokens = task.batch * task.length;
  return (
    costs.step +
    (costs.hundredOperators * size.operators) / 100 +
    costs.flops * size.flopsPerToken * tokens +
    costs.bytes * size.bytesPerToken * tokens
  );
};

/** Beyond this a process's own account of its CPU time contradicts the supervisor's. Start and end of a process are not in its own. */
const clockLimits = { times: 2, slackSeconds: 5 } as const;

/** Why a process's account of its own time cannot be true; null where it may. It may tell more than the last attempt, never much less. */
export const clockDoubt = ({
  claimedSeconds,
  measuredSeconds,
}: {
  readonly claimedSeconds: number;
  readonly measuredSeconds: number;
}): string | null =>
  measuredSeconds > clockLimits.times * claimedSeconds + clockLimits.slackSeconds
    ? `the training claims ${claimedSeconds.toFixed(1)} CPU seconds; the supervisor measured ${measuredSeconds.toFixed(1)}`
    : null;
