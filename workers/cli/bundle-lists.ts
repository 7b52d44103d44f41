import { PythonProcessError } from '../../services/python/line-process.ts';
import type { ScoreList } from '../../workflows/contracts/score-list.ts';
import { hasJudge, readScoreLists } from '../roles/score-lists.ts';
import { CommandError } from './command-error.ts';
import type { CliContext } from './context.ts';

/** The judge's lists for a bundle. Python is needed where this home has a judge, and nowhere else. */
export const listsForBundle =
  (context: CliContext): ((experimentIds: readonly string[]) => Promise<readonly ScoreList[]>) =>
  async (experimentIds) => {
    if (!hasJudge(context.config())) return [];
    try {
      return await readScoreLists(context.wholeConfig(), experimentIds);
    } catch (error) {
      if (!(error instanceof PythonProcessError)) throw error;
      throw new CommandError(`${error.message}\nLook at "npx asi doctor"; "npm run setup" mends a broken Python environment.`, {
        cause: error,
      });
    }
  };
