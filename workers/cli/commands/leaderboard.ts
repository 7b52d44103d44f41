import { Command } from 'commander';
import { readRungRanks } from '../../../services/report/rung-ranks.ts';
import { rungRankLines } from '../../view/rung-rank-lines.ts';
import { rankStandings, standingsTable } from '../../view/standing.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { findCampaign } from '../find-records.ts';
import { withConfirmations } from '../read-standings.ts';
import { wholeNumber } from '../whole-number.ts';

interface LeaderboardOptions {
  readonly json?: boolean;
  readonly limit: number;
}

export const leaderboardCommand = (context: CliContext): Command =>
  new Command('leaderboard')
    .description('the best architectures of a campaign with intervals, baselines among them, and whether rungs rank alike')
    .argument('[campaign]', 'campaign id; the newest one if not given')
    .option('--limit <n>', 'rows to show', wholeNumber('--limit', 1, 1000), 20)
    .option('--json', 'as JSON')
    .addHelpText('after', examples(['npx asi leaderboard', 'npx asi leaderboard c-quick-1121-1432 --limit 50 --json']))
    .action(async (id: string | undefined, options: LeaderboardOptions) => {
      await context.readArchive(async (archive) => {
        const campaign = await findCampaign(archive, id);
        const nodes = await archive.leaderboard(campaign.id, options.limit);
        const experiments = (await Promise.all(nodes.map((node) => archive.getExperiment(node.id)))).filter(
          (one) => one !== null,
        );
        const ranked = rankStandings(await withConfirmations(archive, campaign, experiments));
        const rungCorrelations = await readRungRanks(archive, campaign.data.hash);
        if (options.json === true) return context.printJson({ campaignId: campaign.id, standings: ranked, rungCorrelations });
        const heading = `${campaign.id}, ${campaign.state}: bits per byte gained over ${campaign.settings.baselines[0] ?? 'the reference'}, with interval`;
        context.print([
          heading,
          ...(ranked.length === 0 ? ['  nothing is measured yet'] : standingsTable(context.look(), ranked)),
          ...rungRankLines(context.look(), rungCorrelations),
        ]);
      });
    });
