import type { Analysis } from '../../workflows/contracts/analysis.ts';
import { changeWords } from '../../workflows/contracts/change-words.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { Failure, FailureLabel } from '../../workflows/contracts/failure.ts';
import { nameOf } from './compare.ts';

interface FailureNote {
  /** Follows "The program". */
  readonly happened: string;
  /** For a literature search; empty where no paper would help. */
  readonly problem: string;
}

/** Null for ends that say nothing about the design. */
const notes: Readonly<Record<FailureLabel, FailureNote | null>> = {
  duplicate: {
    happened: 'repeats an architecture that the campaign already has',
    problem: 'Which component of a linear-attention layer has not been varied yet?',
  },
  rejected_static: { happened: 'breaks the mixer contract', problem: '' },
  gate: { happened: 'failed a legality check', problem: '' },
  unmatched: {
    happened: 'cannot be brought to the reference size by any MLP width',
    problem:
      'The token mixer takes too large a share of the parameters: cheaper projections, low-rank gates or shared keys are needed.',
  },
  import_error: { happened: 'could not be imported', problem: '' },
  compile_error: { happened: 'has a syntax error', problem: '' },
  exit: { happened: 'ended with an error', problem: '' },
  signal: { happened: 'was ended by a signal', problem: '' },
  timeout_wall: {
    happened: 'ran past its wall limit',
    problem: 'The recurrence is too slow to train: a chunkwise parallel form with fewer sequential steps is needed.',
  },
  timeout_idle: { happened: 'made no progress for too long', problem: '' },
  oom_host: {
    happened: 'needed more memory than it may have',
    problem: 'The state or the intermediate products take too much memory: smaller states, chunking or recomputation are needed.',
  },
  oom_gpu: {
    happened: 'needed more device memory than it may have',
    problem: 'The state or the intermediate products take too much memory: smaller states, chunking or recomputation are needed.',
  },
  pids_limit: { happened: 'started more processes or threads than it may', problem: '' },
  disk_limit: { happened: 'wrote more than its workspace may hold', problem: '' },
  log_flood: { happened: 'printed more than is kept', problem: '' },
  forbidden_write: { happened: 'tried to write outside its workspace', problem: '' },
  forbidden_call: { happened: 'tried to start a process, open a socket or signal another process', problem: '' },
  no_result: { happened: 'ended without a result', problem: '' },
  bad_result: { happened: 'left a result that cannot be read', problem: '' },
  integrity: {
    happened: 'scored whole sequences better than their prefixes allow, so it saw what comes after',
    problem: 'A path of the layer reads inputs that come later: every path must be causal at every length, in every mode.',
  },
  nondeterministic: { happened: 'gave another result for the same seed', problem: '' },
  nonfinite: {
    happened: 'reached a loss or parameters that are not finite',
    problem:
      'Numerical instability of a linear recurrence in training: bounded gates, key normalisation and log-space decay are needed.',
  },
  diverged: {
    happened: 'diverged in training',
    problem:
      'Training of a linear recurrence diverges: the state transition may expand; contraction, norms or smaller write strength are needed.',
  },
  hopeless: {
    happened: 'learned too slowly to catch up with the pool and was stopped early',
    problem:
      'Slow early learning of a linear-attention layer compared with its peers: better initial gates, local paths or write rules are needed.',
  },
  too_slow: {
    happened: 'trains far slower a token than the reference',
    problem: 'The token mixer is too slow: fewer sequential steps, scalar decay or shorter filters are needed.',
  },
  cancelled: null,
  budget: null,
  sandbox_unavailable: null,
  poison: null,
  infra: null,
};

/** A failure teaches what its label says about the changes, and no more: which of several did it stays open. */
export const analyseFailure = (experiment: Experiment, failure: Failure): Analysis => {
  const note = notes[failure.label];
  const changes = note === null ? [] : (experiment.proposal?.changes ?? []);
  const gates = experiment.gates.filter((gate) => gate.verdict === 'fail').map((gate) => `${gate.gate}: ${gate.evidence}`);
  const company =
    changes.length > 1 ? ` It was made together with ${changes.length - 1} other${changes.length === 2 ? '' : 's'}.` : '';
  const happened = note === null ? '' : `The program ${note.happened}.`;
  return {
    author: 'rules',
    summary: [
      `${nameOf(experiment)} ended with ${failure.label} at the stage ${failure.stage}: ${sentence(failure.detail)}`,
      note === null ? 'That says nothing about the design.' : happened,
      ...gates.map((gate) => sentence(`Gate ${gate}`)),
      ...(changes.length > 0 ? [`It had changed ${changes.map(changeWords).join('; ')}.`] : []),
    ]
      .join(' ')
      .slice(0, 4000),
    comparisons: [],
    lessons: changes.map((change) => ({
      change: changeWords(change),
      lesson: `${happened}${company} ${sentence(failure.detail)}`.slice(0, 500),
      gain: null,
    })),
    problem: (note?.problem === '' || note === null ? '' : note.problem).slice(0, 1000),
  };
};

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
