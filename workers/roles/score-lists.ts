import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Judge } from '../../services/judge/judge.ts';
import type { ScoreList } from '../../workflows/contracts/score-list.ts';
import type { Config } from '../config.ts';
import { openJudge } from './judge.ts';

/** Whether this home has a judge; asking one where there is none would make a key. */
export const hasJudge = ({ home }: Pick<Config, 'home'>): boolean => existsSync(join(home, 'judge', 'key'));

/** The sealed lists of some experiments from a judge that runs for this question alone; none where this home has no judge. */
export const readScoreLists = async (
  config: Pick<Config, 'home' | 'python'>,
  experimentIds: readonly string[],
  createJudge: () => Judge = () => openJudge(config),
): Promise<readonly ScoreList[]> => {
  if (!hasJudge(config)) return [];
  const judge = createJudge();
  try {
    return await judge.lists(experimentIds);
  } finally {
    await judge.stop();
  }
};
