import type { Archive } from '../../services/archive/archive.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';

type Peer = Pick<Trial, 'id' | 'experimentId' | 'seed' | 'curve' | 'cpuSeconds' | 'tokensPerSecond'>;

/** More than the watch and the estimate need; keeps long campaigns light. */
const peersKept = 200;
const campaignsKept = 4;

/** Finished trials of the campaigns that this worker serves: read once from the archive, then kept up as trials end here. */
export class TrialPeers {
  readonly #archive: Archive;
  readonly #speeds = new Map<string, number>();
  readonly #byCampaign = new Map<string, Promise<Peer[]>>();

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  async curves(campaignId: string): Promise<readonly Peer[]> {
    return await this.#load(campaignId);
  }

  /** Those of the baselines that `curves` has lost sight of: empty while it holds every finished trial. */
  async baselineCurves(campaignId: string): Promise<readonly Peer[]> {
    if ((await this.#load(campaignId)).length < peersKept) return [];
    const baselines = await this.#archive.listExperiments(campaignId, { kinds: ['baseline'] });
    return (await Promise.all(baselines.map(({ id }) => this.#archive.listTrials({ experimentId: id })))).flat();
  }

  async longestCpuSeconds(campaignId: string): Promise<number | null> {
    const peers = await this.#load(campaignId);
    return peers.length === 0 ? null : Math.max(...peers.map((peer) => peer.cpuSeconds));
  }

  /** Training speed of one experiment; null while none of its trials has ended. Kept apart from the window of peers, which moves on. */
  async tokensPerSecond(experimentId: string): Promise<number | null> {
    const known = this.#speeds.get(experimentId);
    if (known !== undefined) return known;
    const trials = await this.#archive.listTrials({ experimentId });
    const speed = trials.find((trial) => isDone(trial) && trial.tokensPerSecond !== null)?.tokensPerSecond ?? null;
    if (speed !== null) this.#speeds.set(experimentId, speed);
    return speed;
  }

  add(trial: Trial): void {
    const campaignId = campaignOf(trial.id);
    const loaded = this.#byCampaign.get(campaignId);
    if (loaded === undefined || !isDone(trial)) return;
    this.#byCampaign.set(
      campaignId,
      loaded.then((peers) => [...peers.filter((peer) => peer.id !== trial.id), trial].slice(-peersKept)),
    );
  }

  #load(campaignId: string): Promise<Peer[]> {
    let loaded = this.#byCampaign.get(campaignId);
    if (loaded === undefined) {
      loaded = this.#archive.listTrials({ campaignId }).then((trials) => trials.filter(isDone).slice(-peersKept));
      this.#byCampaign.set(campaignId, loaded);
      // An outage of the archive must not stay in the cache.
      loaded.catch(() => this.#byCampaign.delete(campaignId));
      const oldest = this.#byCampaign.size > campaignsKept ? this.#byCampaign.keys().next() : undefined;
      if (oldest !== undefined && oldest.done !== true) this.#byCampaign.delete(oldest.value);
    }
    return loaded;
  }
}

/** One at another learning rate is no peer: it is shorter, and its curve another. */
const isDone = ({ state, purpose }: Trial): boolean => purpose !== 'rate' && (state === 'trained' || state === 'scored');
