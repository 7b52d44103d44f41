import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { makeFolder } from '../../../services/storage/make-folder.ts';
import { badInput, CommandError } from '../command-error.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { findCampaign } from '../find-records.ts';
import { withoutTilde } from '../setting-paths.ts';

interface ReportOptions {
  readonly json?: boolean;
  readonly out?: string;
}

export const reportCommand = (context: CliContext): Command =>
  new Command('report')
    .description('write the report of a campaign, one HTML file that opens offline, and print its path')
    .argument('[campaign]', 'campaign id; the newest one if not given')
    .option('--out <file.html>', 'where to write it; reports/<campaign>.html in ASI_HOME if not given')
    .option('--json', 'the path as JSON')
    .addHelpText('after', examples(['npx asi report', 'npx asi report c-quick-1121-1432 --out report.html']))
    .action(async (id: string | undefined, options: ReportOptions) => {
      await context.readArchive(async (archive) => {
        const campaign = await findCampaign(archive, id);
        const path =
          options.out === undefined
            ? join(context.config().home, 'reports', `${campaign.id}.html`)
            : resolve(withoutTilde(options.out));
        if (isFolder(path)) throw inPlaceOf(path, campaign.id, options);
        // The plotting library is loaded for this command alone.
        const { renderReport } = await import('../../../services/report/render-report.ts');
        const html = await renderReport({ campaignId: campaign.id, archive, artifacts: context.artifactsToRead() });
        writeWhole(path, html);
        if (options.json === true) context.printJson({ campaignId: campaign.id, path });
        else context.print([path]);
      });
    });

const inPlaceOf = (path: string, id: string, { out }: ReportOptions): CommandError =>
  out === undefined
    ? new CommandError(`the report belongs at ${path}, where a folder is; move that away, or name another file with --out`)
    : badInput(`--out: "${path}" is a folder; right would be a file, ${join(path, `${id}.html`)} for example`);

const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Nothing there yet, or nothing that may be seen: writing says what is wrong with it.
    return false;
  }
};

/** Written aside and renamed, so that nobody opens half a report. */
const writeWhole = (path: string, text: string): void => {
  const aside = `${path}.${process.pid}.part`;
  try {
    makeFolder(dirname(path));
    writeFileSync(aside, text);
    renameSync(aside, path);
  } catch (error) {
    removeIfThere(aside);
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`the report cannot be written to ${path}: ${reason}; --out names another file`, { cause: error });
  }
};

const removeIfThere = (path: string): void => {
  try {
    rmSync(path, { force: true });
  } catch {
    // Where not even that can be done, what failed before says more.
  }
};
