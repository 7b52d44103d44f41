import { join } from 'node:path';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { openFolderArtifacts } from '../../../services/artifacts/folder-artifacts.ts';
import { CliContext } from '../../../workers/cli/context.ts';
import { buildProgram } from '../../../workers/cli/program.ts';
import { runProgram } from '../../../workers/cli/run-program.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { seedCampaign } from '../seeded-campaign.ts';

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command in this process on a home of its own and gives back what it printed. */
export const runAsi = async (
  words: readonly string[],
  options: { readonly home: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Ran> => {
  const out: string[] = [];
  const err: string[] = [];
  const context = new CliContext({
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ASI_HOME: options.home, COLUMNS: '120', ...options.env },
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
  });
  const exitCode = await runProgram(context, buildProgram(context), words);
  return { exitCode, out: out.join(''), err: err.join('') };
};

/** A home whose archive and artifacts hold the seeded campaign. */
export const seededHome = async (): Promise<string> => {
  const home = temporaryFolder();
  const archive = openSqliteArchive(join(home, 'archive.db'));
  await seedCampaign(archive, openFolderArtifacts(join(home, 'artifacts')));
  await archive.close();
  return home;
};
