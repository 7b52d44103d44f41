import type { Archive } from '../../services/archive/archive.ts';
import { type Campaign, isCampaignOver } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { experimentId } from '../../workflows/contracts/ids.ts';
import { nearNames } from '../../workflows/contracts/near-names.ts';
import { badInput, CommandError } from './command-error.ts';
import { howToStart } from './context.ts';

/** The campaign with this id, `c-` or not; the newest one when none is named. */
export const findCampaign = async (archive: Archive, id: string | undefined): Promise<Campaign> => {
  if (id !== undefined) {
    const found = (await archive.getCampaign(id)) ?? (await archive.getCampaign(`c-${id}`));
    if (found !== null) return found;
  }
  const campaigns = await archive.listCampaigns();
  const newest = campaigns[0];
  if (newest === undefined) throw new CommandError(`There is no campaign yet. ${howToStart}`);
  if (id === undefined) return newest;
  throw badInput(
    unknownCampaign(
      id,
      campaigns.map((campaign) => campaign.id),
    ),
  );
};

/** The campaign to steer: the one named, or the only one that is not over. */
export const findRunningCampaign = async (archive: Archive, id: string | undefined): Promise<Campaign> => {
  if (id !== undefined) return findCampaign(archive, id);
  const running = (await archive.listCampaigns()).filter(({ state }) => !isCampaignOver(state));
  const only = running[0];
  if (only === undefined) throw new CommandError(`No campaign is running. ${howToStart}`);
  if (running.length === 1) return only;
  throw badInput(`${running.length} campaigns are running; name one of ${running.map((campaign) => campaign.id).join(', ')}`);
};

const unknownCampaign = (id: string, ids: readonly string[]): string => {
  const near = nearNames(id, ids);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${ids.slice(0, 5).join(', ')}`;
  return `campaign: there is none with id "${id}"; ${hint} ("npx asi campaign list" shows all)`;
};

/** The experiment with this id, `c-` or not; `e0007` or `7` alone is one of the newest campaign. */
export const findExperiment = async (archive: Archive, id: string): Promise<Experiment> => {
  const short = /^e?(\d{1,6})$/.exec(id);
  const newest = short === null ? undefined : (await archive.listCampaigns())[0];
  const whole = short !== null && newest !== undefined ? experimentId(newest.id, Number(short[1])) : id;
  const found = (await archive.getExperiment(whole)) ?? (await archive.getExperiment(`c-${whole}`));
  if (found !== null) return found;
  throw badInput(await unknownExperiment(archive, whole));
};

const unknownExperiment = async (archive: Archive, id: string): Promise<string> => {
  const campaign = await findCampaign(archive, id.split('/')[0] === '' ? undefined : id.split('/')[0]);
  const all = (await archive.lineage(campaign.id)).map((node) => node.id);
  if (all.length === 0) return `experiment: there is none with id "${id}"; campaign ${campaign.id} has none yet`;
  const wanted = Number(/e(\d+)$/.exec(id)?.[1] ?? Number.NaN);
  const near = Number.isNaN(wanted) ? nearNames(id, all) : nearestNumbers(wanted, all);
  const hint = near.length > 0 ? `near it are ${near.join(', ')}` : `an experiment id looks like ${all[0]}`;
  return `experiment: there is none with id "${id}"; ${hint}; ${campaign.id} has ${all.length}, from ${all[0]} to ${all.at(-1)}`;
};

const nearestNumbers = (wanted: number, ids: readonly string[]): readonly string[] => {
  const distance = (id: string): number => Math.abs(Number(/e(\d+)$/.exec(id)?.[1] ?? Number.NaN) - wanted);
  return ids.toSorted((a, b) => distance(a) - distance(b)).slice(0, 3);
};
