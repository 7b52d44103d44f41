import type { Proposal, Verdict } from '../contracts/experiment.ts';
import type { SandboxTier } from '../contracts/sandbox.ts';

type Author = Proposal['author'];

/** Programs that our own generator wrote. The others may hold anything. */
const ours: Readonly<Record<Author, boolean>> = { baseline: true, evolver: true, agents: false, user: false };

export interface Provenance {
  /** Weakest tier that any row of the result was made in; null where it has no row. */
  readonly tier: SandboxTier | null;
  /** Who wrote the programs of the whole campaign, baselines included. */
  readonly authors: Iterable<Author>;
}

/**
 * Whether a result may be ranked and called better. Without a wall a program has the rights of the operator: it can write its own score, and
 * those of every other trial of the campaign. So a result with a row of tier none counts only where each program of the campaign is
 * ours. A result behind a wall counts whoever else is there.
 */
export const maySpeak = ({ tier, authors }: Provenance): boolean =>
  tier !== 'none' || [...authors].every((author) => ours[author]);

/** The verdict of a result that may not speak; what was measured stays in the effect. */
export const asUnsandboxed = (verdict: Verdict): Verdict => ({
  ...verdict,
  verdict: 'unsandboxed',
  statement: `Not ranked: it was scored without a sandbox (tier none) in a campaign with programs that asi-arch did not write, which could have written any score. As measured: ${verdict.statement}`,
});
