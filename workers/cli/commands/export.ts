import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { exportBundle } from '../../../services/export/export-bundle.ts';
import { listsForBundle } from '../bundle-lists.ts';
import { CommandError } from '../command-error.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { findExperiment } from '../find-records.ts';
import { withoutTilde } from '../setting-paths.ts';

interface ExportOptions {
  readonly json?: boolean;
  readonly out?: string;
}

export const exportCommand = (context: CliContext): Command =>
  new Command('export')
    .description('write a self-contained bundle of a recorded experiment: program, weights, recipe, scores, lineage, loader')
    .argument('<experiment>', 'experiment id; e0007 alone is one of the newest campaign')
    .option('--out <folder>', 'folder that the bundle goes into; bundles/ in ASI_HOME if not given')
    .option('--json', 'path and files as JSON')
    .addHelpText('after', examples(['npx asi export c-quick-1121-1432/e0007', 'npx asi export e0007 --out ./winner']))
    .action(async (id: string, options: ExportOptions) => {
      await context.withArchive(async (archive) => {
        const experiment = await findExperiment(archive, id);
        if (experiment.state !== 'recorded') {
          throw new CommandError(
            `${experiment.id} is ${experiment.state}; only a recorded experiment has weights and scores to export`,
          );
        }
        const folder = options.out === undefined ? join(context.config().home, 'bundles') : resolve(withoutTilde(options.out));
        const scoreLists = listsForBundle(context);
        const artifacts = context.artifacts();
        const bundle = await exportBundle({ experimentId: experiment.id, folder, archive, artifacts, scoreLists }).catch(
          (error: unknown) => {
            if (!isOfTheSystem(error)) throw error;
            const message = `the bundle cannot be written below ${folder}: ${error.message}; --out names another folder`;
            throw new CommandError(message, { cause: error });
          },
        );
        if (options.json === true) context.printJson({ experimentId: experiment.id, ...bundle });
        else context.print([bundle.path]);
      });
    });

/** A folder that cannot be made, or a file that cannot be written in it. */
const isOfTheSystem = (error: unknown): error is Error => error instanceof Error && 'code' in error;
