import type { Archive } from '../../services/archive/archive.ts';
import type { Failure } from '../../workflows/contracts/failure.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { settleSeconds } from './trial-budget.ts';
import { removeWorkdir, workdirOf } from './workdir.ts';

export interface CloseDependencies {
  readonly archive: Archive;
  readonly now: () => Date;
  /** Folder of all work on this machine. */
  readonly workFolder: string;
}

/**
 * Ends trials that nobody will run any more, because their experiment or campaign is over: a worker that died before it could do so left
 * them open, and their reserves would keep others waiting for ever, and their checkpoints would stay. A job
 * that still runs is left to its worker, which removes what it writes from here on. Trials that ended are left as they are.
 */
export const closeTrials = async (
  { archive, now, workFolder }: CloseDependencies,
  trials: readonly Trial[],
  why: Pick<Failure, 'label' | 'detail'>,
): Promise<void> => {
  for (const { id } of trials) {
    // The claim raises the epoch, so that a worker that is still at it can write no more.
    const claimed = await archive.claimTrial(id);
    if (claimed.ok) {
      const { epoch, cpuSeconds } = claimed.value;
      await settleSeconds({ archive, now }, id, cpuSeconds);
      await archive.updateTrial(id, epoch, {
        state: why.label === 'cancelled' ? 'cancelled' : 'failed',
        failure: { label: why.label, detail: why.detail.slice(0, 4000), stage: 'train', logArtifact: null },
      });
    }
    // Also of one that ended before: whoever ended it may have died before its folder was gone.
    await removeWorkdir(workFolder, workdirOf(workFolder, id));
  }
};

/** Closes what is open when a campaign concludes: no workflow waits for it any more, since each attempt at it was lost. */
export const closeLostTrials = async (dependencies: CloseDependencies, campaignId: string): Promise<void> => {
  const lost = (await dependencies.archive.listTrials({ campaignId })).filter(({ state }) => openStates.has(state));
  const detail = 'every attempt at it was lost to an outage, and the campaign ended without it';
  await closeTrials(dependencies, lost, { label: 'infra', detail });
};

const openStates: ReadonlySet<Trial['state']> = new Set(['queued', 'running', 'trained']);
