import type { Archive } from '../../services/archive/archive.ts';
import { readRungRanks } from '../../services/report/rung-ranks.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { closingLines } from '../view/closing.ts';
import { CommandError } from './command-error.ts';
import type { CliContext } from './context.ts';
import { readStandings } from './read-standings.ts';
import { withWrittenSince } from './written-since.ts';

/** The closing table of a campaign that is over. */
export const printClosing = async (context: CliContext, archive: Archive, campaign: Campaign): Promise<void> => {
  const [standings, ends, lost, rungRanks] = await Promise.all([
    readStandings(archive, campaign),
    archive.countExperiments(campaign.id),
    archive.listExperiments(campaign.id, { states: ['rejected', 'failed'] }),
    readRungRanks(archive, campaign.data.hash),
  ]);
  const scores = (
    await Promise.all(standings.map(({ experiment }) => archive.listScores({ experimentId: experiment.id })))
  ).flat();
  const { home } = context.config();
  const conclusion = withWrittenSince(campaign, home);
  context.print([
    '',
    ...closingLines(context.look(), {
      campaign: { ...campaign, conclusion },
      standings,
      ends,
      lost,
      scores,
      rungRanks,
      nowMs: Date.now(),
    }),
  ]);
};

/** What runs or watches a campaign to its end ends well only where the campaign did. */
export const requireFinished = ({ id, state }: Campaign): void => {
  if (state !== 'finished') throw new CommandError(`${id} did not finish: it is ${state}`);
};
