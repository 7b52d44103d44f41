import { join } from 'node:path';
import type { Judge } from '../../services/judge/judge.ts';
import { PythonJudge } from '../../services/judge/python-judge.ts';
import { type Config, workFolder } from '../config.ts';

/** The judge of this home; its process starts when it is first asked. */
export const openJudge = (config: Pick<Config, 'home' | 'python'>, onBreak?: (reason: string) => void): Judge =>
  new PythonJudge({
    python: config.python,
    home: join(config.home, 'judge'),
    channels: join(workFolder(config), '.channels'),
    ...(onBreak === undefined ? {} : { onBreak }),
  });
