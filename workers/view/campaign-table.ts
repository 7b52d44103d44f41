import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { momentText } from './figures.ts';
import type { Look } from './look.ts';
import { table } from './table.ts';

export interface CampaignRow {
  readonly campaign: Campaign;
  readonly numExperiments: number;
}

export const campaignTable = (look: Look, rows: readonly CampaignRow[]): readonly string[] =>
  table<CampaignRow>(
    look,
    [
      { title: 'campaign', cell: ({ campaign }) => campaign.id },
      { title: 'state', cell: ({ campaign }) => campaign.state },
      { title: 'preset', cell: ({ campaign }) => campaign.settings.preset },
      { title: 'seed', cell: ({ campaign }) => String(campaign.settings.seed), align: 'right' },
      { title: 'experiments', cell: ({ numExperiments }) => String(numExperiments), align: 'right' },
      { title: 'started', cell: ({ campaign }) => momentText(campaign.createdAt) },
      { title: 'result', cell: ({ campaign }) => campaign.conclusion?.statement ?? campaign.reason ?? '–', shrink: 1, least: 12 },
    ],
    rows,
    '',
  );
