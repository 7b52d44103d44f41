import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import type { Archive } from '../../../services/archive/archive.ts';
import { CorruptArtifactError } from '../../../services/artifacts/artifacts.ts';
import { exportBundle } from '../../../services/export/export-bundle.ts';
import { manifestName } from '../../../services/export/manifest.ts';
import { makeFolder } from '../../../services/storage/make-folder.ts';
import { workFolder } from '../../config.ts';
import { ensureHome } from '../../home.ts';
import { overall, type VerifyReport, verifyLines } from '../../view/verify-lines.ts';
import { listsForBundle } from '../bundle-lists.ts';
import { badInput, CommandError, exitCodes } from '../command-error.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { findExperiment } from '../find-records.ts';
import { readableFolder, withoutTilde } from '../setting-paths.ts';

interface VerifyOptions {
  readonly dataFolder?: string;
  readonly json?: boolean;
}

export const verifyCommand = (context: CliContext): Command =>
  new Command('verify')
    .description('do a result again: hashes of every file, gates, seals of the rows, and the score by the judge')
    .argument('<bundle>', 'folder of a bundle, or the id of a recorded experiment')
    .option('--data-folder <folder>', "a copy of the text, where the bundle's came from a folder that this machine does not know")
    .option('--json', 'every step and number as JSON')
    .addHelpText(
      'after',
      `${examples(['npx asi verify .asi/bundles/c-quick-1121-1432-e0007', 'npx asi verify e0007 --json', 'npx asi verify ./winner --data-folder ~/texts'])}
Exit codes: 0 verified, 1 something contradicts the bundle, 2 it is no bundle, 3 nothing contradicts it but parts could not be repeated here.
`,
    )
    .action(async (given: string, options: VerifyOptions) => {
      const config = context.wholeConfig();
      ensureHome(config.home);
      const dataFolder = options.dataFolder === undefined ? null : readableFolder(options.dataFolder, process.cwd());
      const scratch = join(workFolder(config), 'verify', `${process.pid}-${randomBytes(6).toString('hex')}`);
      makeFolder(scratch);
      try {
        const report = await withOptionalArchive(context, async (archive) => {
          const folder = await bundleOf(context, { archive, given, scratch });
          // Loads what only the workers need otherwise.
          const { verify } = await import('../verify/verify.ts');
          return verify(
            { config, archive, artifacts: context.artifactsToRead() },
            { folder, scratch, dataFolder, onStep: (what) => context.note(what) },
          );
        });
        print(context, report, options.json === true);
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    });

const print = (context: CliContext, report: VerifyReport, asJson: boolean): void => {
  const result = overall(report.steps);
  if (asJson) context.printJson({ result, ...report });
  else context.print(verifyLines(context.look(), report));
  const named = (state: typeof result): string =>
    report.steps
      .filter((step) => step.state === state)
      .map(({ step }) => step)
      .join(', ');
  if (result === 'mismatch') throw new CommandError(`not verified: ${named('mismatch')}`);
  if (result === 'not-repeated')
    throw new CommandError(`not repeated here: ${named('not-repeated')}`, { exitCode: exitCodes.incomplete });
};

const withOptionalArchive = <T>(context: CliContext, work: (archive: Archive | null) => Promise<T>): Promise<T> =>
  existsSync(context.archivePath()) ? context.withArchive(work) : work(null);

/** The folder that was named, or a fresh bundle of the experiment that was. */
const bundleOf = async (
  context: CliContext,
  { archive, given, scratch }: { readonly archive: Archive | null; readonly given: string; readonly scratch: string },
): Promise<string> => {
  const whole = resolve(withoutTilde(given));
  const found = statSync(whole, { throwIfNoEntry: false });
  const right = 'right would be the folder of a bundle or the id of a recorded experiment';
  if (found !== undefined) {
    if (!found.isDirectory()) throw badInput(`bundle: value "${given}"; ${right}; ${whole} is not a folder`);
    if (!existsSync(join(whole, manifestName)))
      throw badInput(`bundle: value "${given}"; ${right}; ${whole} holds no ${manifestName}`);
    return whole;
  }
  if (archive === null) throw badInput(`bundle: value "${given}"; ${right}; there is no ${whole}, and this home has no archive`);
  const experiment = await findExperiment(archive, given);
  if (experiment.state !== 'recorded')
    throw badInput(`bundle: value "${given}"; ${right}; ${experiment.id} is ${experiment.state}`);
  context.note(`writing a bundle of ${experiment.id} to verify`);
  try {
    const artifacts = context.artifacts();
    const folder = join(scratch, 'bundle');
    const scoreLists = listsForBundle(context);
    return (await exportBundle({ experimentId: experiment.id, folder, archive, artifacts, scoreLists })).path;
  } catch (error) {
    if (!(error instanceof CorruptArtifactError)) throw error;
    throw new CommandError(`not verified: ${error.message}`, { cause: error });
  }
};
