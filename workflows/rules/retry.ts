import type { CheckActivities, TrainingActivities } from '../contracts/activities.ts';
import type { Failure, FailureLabel } from '../contracts/failure.ts';

export interface FailureClass {
  /** Whether it says something about the architecture: counted against it, its genes and its operator. */
  readonly chargeCandidate: boolean;
  /** temporal: the same step again later. repair: a changed program in the same experiment. none: it is over. */
  readonly retry: 'temporal' | 'repair' | 'none';
  /** State of the record when no retry is left. */
  readonly terminalState: 'rejected' | 'failed' | 'cancelled';
}

/** What a failure at a stage means for the candidate and for what happens next. */
export const classifyFailure = ({ label, stage }: Pick<Failure, 'label' | 'stage'>): FailureClass => {
  switch (label) {
    case 'infra':
      return { chargeCandidate: false, retry: 'temporal', terminalState: 'failed' };
    case 'poison':
    case 'sandbox_unavailable':
      return { chargeCandidate: false, retry: 'none', terminalState: 'failed' };
    case 'cancelled':
    case 'budget':
      return { chargeCandidate: false, retry: 'none', terminalState: 'cancelled' };
    default:
      return {
        chargeCandidate: true,
        retry: isRepairable(label, stage) ? 'repair' : 'none',
        terminalState: beforeTraining.has(stage) ? 'rejected' : 'failed',
      };
  }
};

/** Activities in whose worker a candidate's program runs, or in whose host. */
const programActivities: ReadonlySet<string> = new Set<keyof (CheckActivities & TrainingActivities)>([
  'checkArchitecture',
  'auditArchitecture',
  'trainTrial',
  'scoreTrial',
  'scoreChampion',
]);

/** What an activity is called whose every attempt ended in an outage. Workers that die with one program each time, and with no other, die of it. */
export const lostLabel = (lost: {
  readonly activity: string;
  /** The last attempt ended because nothing was heard of its worker any more. */
  readonly isWorkerLost: boolean;
  readonly isOurs: boolean;
}): 'infra' | 'poison' => (lost.isWorkerLost && !lost.isOurs && programActivities.has(lost.activity) ? 'poison' : 'infra');

const beforeTraining: ReadonlySet<Failure['stage']> = new Set(['propose', 'novelty', 'check']);

/** A program that failed its check can be mended; once trained, when it repeats a known one or is not what it says, it is what it is. */
const isRepairable = (label: FailureLabel, stage: Failure['stage']): boolean =>
  stage === 'check' && label !== 'duplicate' && label !== 'integrity';
