import type { Archive } from '../../services/archive/archive.ts';
import { isCampaignOver } from '../../workflows/contracts/campaign.ts';
import { type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';
import type { CampaignStatus } from '../../workflows/contracts/messages.ts';
import type { CampaignSnapshot } from '../view/snapshot.ts';

const lineagePage = 1000;

/**
 * Snapshots of one campaign, cheap enough for twice a second: an experiment that is over is read once, since its record does not
 * change any more, but for its verdict, which is read when the campaign is over.
 */
export class CampaignFeed {
  readonly #archive: Archive;
  readonly #campaignId: string;
  readonly #runId: string | undefined;
  readonly #readStatus: () => Promise<CampaignStatus | null>;
  readonly #readTrouble: () => string | null;
  readonly #over = new Map<number, Experiment>();
  /** Every number from 1 to this one is over and read. A record may come later than one with a higher number. */
  #settledNumber = 0;
  #isFinal = false;

  constructor(options: {
    readonly archive: Archive;
    readonly campaignId: string;
    /** The run that was just started: a record of an earlier one under the same id is not this campaign's. */
    readonly runId?: string;
    readonly readStatus: () => Promise<CampaignStatus | null>;
    /** What is wrong on this machine now; null if nothing is. */
    readonly readTrouble?: () => string | null;
  }) {
    this.#archive = options.archive;
    this.#campaignId = options.campaignId;
    this.#runId = options.runId;
    this.#readStatus = options.readStatus;
    this.#readTrouble = options.readTrouble ?? (() => null);
  }

  async read(nowMs: number): Promise<CampaignSnapshot> {
    const [stored, status] = await Promise.all([this.#archive.getCampaign(this.#campaignId), this.#readStatus()]);
    const campaign = this.#runId === undefined || stored?.runId === this.#runId ? stored : null;
    if (campaign !== null && isCampaignOver(campaign.state) && !this.#isFinal) {
      this.#isFinal = true;
      this.#over.clear();
      this.#settledNumber = 0;
    }
    const experiments = campaign === null ? [] : await this.#readExperiments();
    const open = experiments.filter(({ state }) => !isTerminal(state)).map(({ id }) => id);
    const confirmed = campaign?.state === 'verifying' ? await this.#confirmedIds(status, experiments) : [];
    const trials = await Promise.all([...open, ...confirmed].map((experimentId) => this.#archive.listTrials({ experimentId })));
    const trouble = this.#readTrouble();
    return { campaignId: this.#campaignId, campaign, status, experiments, activeTrials: trials.flat(), trouble, nowMs };
  }

  async #readExperiments(): Promise<readonly Experiment[]> {
    const current = new Map(this.#over);
    let after = this.#settledNumber === 0 ? -1 : this.#settledNumber;
    for (;;) {
      const nodes = await this.#archive.lineage(this.#campaignId, { after, limit: lineagePage });
      for (const node of nodes) {
        after = node.number;
        if (this.#over.has(node.number)) continue;
        const experiment = await this.#archive.getExperiment(node.id);
        if (experiment === null) continue;
        current.set(node.number, experiment);
        if (isTerminal(experiment.state)) this.#over.set(node.number, experiment);
      }
      if (nodes.length < lineagePage) break;
    }
    while (this.#over.has(this.#settledNumber + 1)) this.#settledNumber += 1;
    return [...current.values()].toSorted((a, b) => a.number - b.number);
  }

  /** Experiments that may be in confirmation: the leaders and the baselines. */
  async #confirmedIds(status: CampaignStatus | null, experiments: readonly Experiment[]): Promise<readonly string[]> {
    const leaders =
      status?.best.map(({ experimentId }) => experimentId) ??
      (await this.#archive.leaderboard(this.#campaignId, 8)).map(({ id }) => id);
    const baselines = experiments.filter(({ kind }) => kind === 'baseline').map(({ id }) => id);
    return [...new Set([...leaders, ...baselines])];
  }
}
