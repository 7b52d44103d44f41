import { ApplicationFailure } from '@temporalio/activity';
import type { Archive, Write } from '../../services/archive/archive.ts';
import { failureTypes } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';

export type ExperimentPatch = Parameters<Archive['updateExperiment']>[2];
export type CampaignPatch = Parameters<Archive['updateCampaign']>[2];

const maxRaces = 20;

/** No such record: nothing that a retry could cure. */
const missing = (what: string, id: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`there is no ${what} ${id} in the archive`, failureTypes.missingRecord);

export const requireCampaign = async (archive: Archive, id: string): Promise<Campaign> => {
  const campaign = await archive.getCampaign(id);
  if (campaign === null) throw missing('campaign', id);
  return campaign;
};

export const requireExperiment = async (archive: Archive, id: string): Promise<Experiment> => {
  const experiment = await archive.getExperiment(id);
  if (experiment === null) throw missing('experiment', id);
  return experiment;
};

/**
 * Read, decide, compare-and-set; again when another writer was first. `decide` returns null to leave the record as it is. A terminal record
 * is returned unchanged.
 */
export const changeExperiment = async (
  archive: Archive,
  id: string,
  decide: (current: Experiment) => ExperimentPatch | null,
): Promise<Experiment> => {
  for (let race = 0; race < maxRaces; race++) {
    const current = await requireExperiment(archive, id);
    if (isTerminal(current.state)) return current;
    const patch = decide(current);
    if (patch === null) return current;
    const written = await archive.updateExperiment(id, current.epoch, patch);
    if (written.ok) return written.value;
    if (written.reason === 'missing') throw missing('experiment', id);
  }
  throw new Error(`${maxRaces} writers in a row were faster on ${id}`);
};

export const changeCampaign = async (
  archive: Archive,
  id: string,
  decide: (current: Campaign) => CampaignPatch | null,
): Promise<Campaign> => {
  for (let race = 0; race < maxRaces; race++) {
    const current = await requireCampaign(archive, id);
    const patch = decide(current);
    if (patch === null) return current;
    const written: Write<Campaign> = await archive.updateCampaign(id, current.epoch, patch);
    if (written.ok) return written.value;
    if (written.reason === 'missing') throw missing('campaign', id);
    if (written.reason === 'terminal') return current;
  }
  throw new Error(`${maxRaces} writers in a row were faster on ${id}`);
};

/** The record of an experiment that has an id and nothing else yet. */
export const plannedExperiment = (planned: {
  readonly campaignId: string;
  readonly id: string;
  readonly number: number;
  readonly kind: Experiment['kind'];
  readonly at: string;
}): Experiment => ({
  id: planned.id,
  campaignId: planned.campaignId,
  number: planned.number,
  kind: planned.kind,
  arm: 'none',
  state: 'planned',
  epoch: 0,
  parentId: null,
  referenceIds: [],
  ancestors: [],
  poolVersion: 0,
  proposal: null,
  architecture: null,
  gates: [],
  attempts: [],
  fitness: null,
  analysis: null,
  verdict: null,
  failure: null,
  createdAt: planned.at,
  updatedAt: planned.at,
  finishedAt: null,
});
