import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import type { TrainProgress, Trial } from '../../workflows/contracts/trial.ts';
import { watchTrial } from '../../workflows/rules/watch.ts';

export interface TrainingWatch {
  readonly onProgress: (line: TrainProgress) => void;
  /** Aborted when the rule says stop. */
  readonly signal: AbortSignal;
  /** Why it was stopped; null when it was not. */
  stopped(): { readonly label: FailureLabel; readonly detail: string } | null;
}

/** Applies the watch rule to each line of progress of one trial. */
export const createWatch = (options: {
  readonly peers: readonly Pick<Trial, 'curve' | 'tokensPerSecond'>[];
  readonly kind: Experiment['kind'];
  readonly purpose: Trial['purpose'];
  readonly referenceTokensPerCpuSecond: number | null;
  /** The campaign's noise floor in bits per byte; null before calibration ends. */
  readonly pairedSdBits: number | null;
}): TrainingWatch => {
  const controller = new AbortController();
  const lines: TrainProgress[] = [];
  let reason: { readonly label: FailureLabel; readonly detail: string } | null = null;
  // A baseline is the measure, so it is never hopeless against the others.
  // A trial that confirms must not be left out because it goes badly: that would bias the verdict.
  const peers = options.kind === 'baseline' || options.purpose !== 'explore' ? [] : options.peers;
  return {
    signal: controller.signal,
    stopped: () => reason,
    onProgress: (line) => {
      lines.push(line);
      if (reason !== null) return;
      const verdict = watchTrial({
        lines,
        peers,
        referenceTokensPerCpuSecond: options.referenceTokensPerCpuSecond,
        pairedSdBits: options.pairedSdBits,
      });
      if (verdict.kind === 'continue') return;
      reason = { label: verdict.label, detail: verdict.detail };
      controller.abort();
    },
  };
};
