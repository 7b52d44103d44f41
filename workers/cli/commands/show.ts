import { Command } from 'commander';
import type { Archive } from '../../../services/archive/archive.ts';
import type { Artifacts } from '../../../services/artifacts/artifacts.ts';
import type { Experiment } from '../../../workflows/contracts/experiment.ts';
import { type ExperimentPage, experimentPage } from '../../view/experiment-page.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { findExperiment } from '../find-records.ts';

interface ShowOptions {
  readonly json?: boolean;
  readonly program?: boolean;
  readonly gates?: boolean;
}

export const showCommand = (context: CliContext): Command =>
  new Command('show')
    .description('one experiment: motivation, genome, code against its parent, gates, curves, scores, analysis, failures')
    .argument('<experiment>', 'experiment id; e0007 alone is one of the newest campaign')
    .option('--program', 'the whole program instead of the difference from the parent')
    .option('--gates', 'the whole evidence of every gate')
    .option('--json', 'record, programs, trials and scores as JSON')
    .addHelpText(
      'after',
      examples([
        'npx asi show c-quick-1121-1432/e0007',
        'npx asi show e0007 --program',
        'npx asi show e0007 --gates',
        'npx asi show e0007 --json',
      ]),
    )
    .action(async (id: string, options: ShowOptions) => {
      await context.readArchive(async (archive) => {
        const page = await readPage(archive, context.artifactsToRead(), await findExperiment(archive, id));
        if (options.json === true) context.printJson(page);
        else
          context.print(
            experimentPage(context.look(), page, {
              wholeProgram: options.program === true,
              wholeEvidence: options.gates === true,
            }),
          );
      });
    });

const readPage = async (archive: Archive, artifacts: Artifacts, experiment: Experiment): Promise<ExperimentPage> => {
  const parent = experiment.parentId === null ? null : await archive.getExperiment(experiment.parentId);
  const log = experiment.failure?.logArtifact ?? null;
  return {
    experiment,
    program: await programOf(artifacts, experiment),
    parent: parent === null ? null : { experiment: parent, program: await programOf(artifacts, parent) },
    trials: (await archive.listTrials({ experimentId: experiment.id })).toSorted((a, b) => a.seed - b.seed),
    scores: await archive.listScores({ experimentId: experiment.id }),
    audits: await archive.listAudits(experiment.id),
    failureLog: log === null ? null : await artifacts.getText(log),
  };
};

const programOf = async (artifacts: Artifacts, { architecture }: Experiment): Promise<string | null> =>
  architecture === null ? null : artifacts.getText(architecture.hash);
