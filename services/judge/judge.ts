import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import type { Channel, JudgeRequest } from '../../workflows/contracts/judge.ts';
import type { Score } from '../../workflows/contracts/score.ts';
import type { ScoreList } from '../../workflows/contracts/score-list.ts';

type Requested<Op extends JudgeRequest['op']> = Omit<Extract<JudgeRequest, { op: Op }>, 'op'>;

export interface JudgeChannels {
  /** For the process that is asked for prefixes. */
  readonly prefixes: Channel;
  /** For the process that is asked for whole sequences. */
  readonly sequences: Channel;
}

/** What came of a scoring: sealed rows, or why there are none. `cpuSeconds` are the judge's own. */
export type Judgement =
  | { readonly ok: true; readonly rows: readonly Score[]; readonly cpuSeconds: number }
  | { readonly ok: false; readonly label: FailureLabel; readonly detail: string; readonly cpuSeconds: number };

export interface SealedThings {
  readonly rows: readonly Score[];
  readonly lists: readonly ScoreList[];
}
export interface SealCheck {
  readonly genuine: readonly boolean[];
  readonly genuineLists: readonly boolean[];
}

/**
 * The only writer of scores: a process of its own that alone holds held-out data, secret seeds and the key of the seals. Methods reject with
 * PythonProcessError where there is no judge; what a candidate did is a value.
 */
export interface Judge {
  /** Makes the pipes of a scoring. The id is the caller's; opening it again replaces what was there. */
  open(id: string): Promise<JudgeChannels>;
  /** Scores over the channels of this id, as soon as both processes are there. `close` ends it with label `cancelled`. */
  score(request: Requested<'score'>): Promise<Judgement>;
  /** Gives a scoring up and removes its pipes; without effect when it is over. */
  close(id: string): void;
  /** Which rows and lists carry this judge's seal, in the order given. */
  checkSeals(asked: SealedThings): Promise<SealCheck>;
  /** The sealed list of each experiment that this judge has sealed rows of. */
  lists(experimentIds: readonly string[]): Promise<readonly ScoreList[]>;
  /** Ends the process. */
  stop(): Promise<void>;
}
