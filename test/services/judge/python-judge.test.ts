import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { PythonJudge } from '../../../services/judge/python-judge.ts';
import { PythonProcessError } from '../../../services/python/line-process.ts';
import { rungs } from '../../../workflows/contracts/rung.ts';
import { aDataManifest, aHash, aScore } from '../../support/builders.ts';
import { isAlive, processTree } from '../../support/process-tree.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const python = process.env.ASI_PYTHON ?? '';
const limitMs = 60_000;

describe.skipIf(python === '')('the judge process (needs ASI_PYTHON)', () => {
  const opened: PythonJudge[] = [];
  const aJudge = (): { readonly judge: PythonJudge; readonly folder: string } => {
    const folder = temporaryFolder();
    const judge = new PythonJudge({ python, home: join(folder, 'judge'), channels: join(folder, 'channels') });
    opened.push(judge);
    return { judge, folder };
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((judge) => judge.stop()));
  });

  const request = (id: string) => ({
    id,
    trialId: 'c-test/e0001/tiny/s1',
    programHash: aHash(),
    checkpointHash: aHash(),
    rung: rungs.tiny,
    seed: 1,
    set: 'search' as const,
    data: aDataManifest(),
    sandboxTier: 'none' as const,
    sandboxCanaries: '0/0',
    heldOutHidden: false,
    device: 'cpu',
    answerSeconds: 10,
    kept: true,
  });

  it(
    'makes pipes, and removes them when the scoring is given up',
    async () => {
      const { judge, folder } = aJudge();
      const channels = await judge.open('a');
      for (const path of [...Object.values(channels.prefixes), ...Object.values(channels.sequences)])
        expect(statSync(path).isFIFO()).toBe(true);
      judge.close('a');
      await judge.checkSeals({ rows: [], lists: [] });
      expect(existsSync(channels.prefixes.questions)).toBe(false);
      expect(readdirSync(join(folder, 'channels'))).toEqual([]);
    },
    limitMs,
  );

  it(
    'rejects with its reason what it cannot score, and says that a foreign row is none of its own',
    async () => {
      const { judge } = aJudge();
      await judge.open('a');
      await expect(judge.score(request('a'))).rejects.toThrow(/holds no search text of data/);
      await expect(judge.score(request('nobody'))).rejects.toThrow(PythonProcessError);
      expect(await judge.checkSeals({ rows: [aScore(), aScore({ value: 1 })], lists: [] })).toEqual({
        genuine: [false, false],
        genuineLists: [],
      });
    },
    limitMs,
  );

  it(
    'comes back after its process died',
    async () => {
      const { judge } = aJudge();
      await judge.open('a');
      await judge.stop();
      expect((await judge.open('b')).prefixes.questions).toContain('prefixes-questions');
    },
    limitMs,
  );

  it(
    'is killed where it is frozen, says so, and comes back',
    async () => {
      const folder = temporaryFolder();
      const pulse = { everyMs: 100, patienceMs: 1500 };
      const breaks: string[] = [];
      const onBreak = (reason: string) => void breaks.push(reason);
      const judge = new PythonJudge({ python, home: join(folder, 'judge'), channels: join(folder, 'channels'), pulse, onBreak });
      opened.push(judge);
      await judge.open('a');
      const [pid] = processTree(process.pid).filter((one) =>
        readFileSync(`/proc/${one}/cmdline`, 'utf8').includes(join(folder, 'judge')),
      );
      if (pid === undefined) throw new Error('the judge runs nowhere');
      process.kill(pid, 'SIGSTOP');
      await expect(judge.checkSeals({ rows: [aScore()], lists: [] })).rejects.toThrow(
        /The judge stopped: it was silent for 1\.5 s/,
      );
      await expect.poll(() => isAlive(pid)).toBe(false);
      expect((await judge.checkSeals({ rows: [aScore()], lists: [] })).genuine).toEqual([false]);
      await judge.stop();
      expect(breaks).toEqual([expect.stringContaining('it was silent for 1.5 s')]);
    },
    limitMs,
  );

  it(
    'rejects when there is no such interpreter',
    async () => {
      const folder = temporaryFolder();
      const judge = new PythonJudge({ python: '/nowhere/python', home: join(folder, 'j'), channels: join(folder, 'c') });
      await expect(judge.open('a')).rejects.toThrow(/could not be started/);
    },
    limitMs,
  );
});
