import type { Archive } from '../../services/archive/archive.ts';
import { type Relative, relativeOf } from '../../services/researcher/researcher.ts';
import { type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';

/** What drafting needs of another experiment. */
export interface PastExperiment {
  readonly id: string;
  readonly kind: Experiment['kind'];
  readonly state: Experiment['state'];
  readonly ancestors: readonly string[];
  readonly relative: Relative;
}

interface Settled {
  /** Every experiment up to this number has ended. */
  number: number;
  readonly past: PastExperiment[];
}

const campaignsKept = 8;

/**
 * The experiments of a campaign that have a proposal, by number. What has ended never changes, so it is read once; each call reads only from the
 * first experiment that was still open on: a campaign of many thousands costs as much a proposal as one of ten.
 */
export class CampaignHistory {
  readonly #archive: Pick<Archive, 'listExperiments'>;
  readonly #settled = new Map<string, Settled>();

  constructor(archive: Pick<Archive, 'listExperiments'>) {
    this.#archive = archive;
  }

  /** All but the experiment that asks. */
  async of(campaignId: string, exceptId: string): Promise<readonly PastExperiment[]> {
    const settled = this.#settledOf(campaignId);
    const rest = await this.#archive.listExperiments(campaignId, { above: settled.number });
    const firstOpen = rest.findIndex(
      (experiment, index) => !isTerminal(experiment.state) || experiment.number !== settled.number + 1 + index,
    );
    const ended = firstOpen === -1 ? rest : rest.slice(0, firstOpen);
    const open = rest.slice(ended.length);
    // Another call may have settled these meanwhile.
    const news = ended.filter((experiment) => experiment.number > settled.number);
    settled.past.push(...news.flatMap(pastOf));
    settled.number = Math.max(settled.number, news.at(-1)?.number ?? 0);
    return [...settled.past, ...open.flatMap(pastOf)].filter(({ id }) => id !== exceptId);
  }

  #settledOf(campaignId: string): Settled {
    const settled = this.#settled.get(campaignId) ?? { number: 0, past: [] };
    // Deleted and set again, so that the first key is the campaign that was asked for longest ago.
    this.#settled.delete(campaignId);
    this.#settled.set(campaignId, settled);
    const oldest = this.#settled.keys().next().value;
    if (this.#settled.size > campaignsKept && oldest !== undefined) this.#settled.delete(oldest);
    return settled;
  }
}

const pastOf = (experiment: Experiment): readonly PastExperiment[] => {
  const relative = relativeOf(experiment);
  if (relative === null) return [];
  const { id, kind, state, ancestors } = experiment;
  return [{ id, kind, state, ancestors, relative }];
};
