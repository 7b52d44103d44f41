import type { DataSource } from '../contracts/data.ts';
import type { Proposal, Verdict } from '../contracts/experiment.ts';
import type { SandboxTier } from '../contracts/sandbox.ts';
import type { Score } from '../contracts/score.ts';
import { weakestTier } from './sandbox.ts';

type Author = Proposal['author'];

/** Programs that our own generator wrote. The others may hold anything. */
const ours: Readonly<Record<Author, boolean>> = { baseline: true, evolver: true, agents: false, user: false };

/** no-wall: a row was made with the operator's rights. readable-text: the held-out text lay open to the program. */
export type Silence = 'no-wall' | 'readable-text';

type Row = Pick<Score, 'sandboxTier' | 'heldOutHidden'>;

/** What a tier promises of held-out text of the standard library, for rows from before its canary stood in them. */
const hides: Readonly<Record<SandboxTier, boolean>> = { S3: true, S2: true, S1: true, S0L: true, S0P: false, none: false };

/**
 * What these rows leave open to a program that is not ours; null where nothing. A folder's held-out text belongs to the judge at every tier with a
 * wall; that of the standard library lies on every machine, and is hidden where the canary that looks for it found none.
 */
export const openIn = (rows: readonly Row[], source: DataSource): Silence | null => {
  if (weakestTier(rows.map(({ sandboxTier }) => sandboxTier)) === 'none') return 'no-wall';
  const isReadable = ({ sandboxTier, heldOutHidden }: Row): boolean => !(heldOutHidden ?? hides[sandboxTier]);
  return source.kind === 'stdlib' && rows.some(isReadable) ? 'readable-text' : null;
};

export interface Provenance {
  /** Of the rows behind the result. */
  readonly open: Silence | null;
  /** Who wrote the programs of the whole campaign, baselines included. */
  readonly authors: Iterable<Author>;
}

/**
 * Why a result may not be ranked and called better; null where it may. Without a wall a program has the rights of the operator: it can write its
 * own score, and those of every other trial of the campaign. Where it can read the held-out text it can know the answers. So such a result counts
 * only where each program of the campaign is ours. Any other counts whoever else is there.
 */
export const silencedBy = ({ open, authors }: Provenance): Silence | null =>
  open === null || [...authors].every((author) => ours[author]) ? null : open;

const reasons: Readonly<Record<Silence, string>> = {
  'no-wall':
    'it was scored without a sandbox (tier none) in a campaign with programs that asi-arch did not write, which could have written any score',
  'readable-text':
    'it was scored where the held-out text of the standard library could be read (the canary held-out-text got through, as at tier S0P), in a campaign with programs that asi-arch did not write, which could have known the answers; with text of your own (setting data), or at S0L or better, it would count',
};

/** The verdict of a result that may not speak; what was measured stays in the effect. */
export const asUnsandboxed = (verdict: Verdict, silence: Silence): Verdict => ({
  ...verdict,
  verdict: 'unsandboxed',
  statement: `Not ranked: ${reasons[silence]}. As measured: ${verdict.statement}`,
});
