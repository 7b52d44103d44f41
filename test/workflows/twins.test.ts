import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InstantHost } from '../../workers/bench/instant-host.ts';
import { type Loop, startLoop } from '../support/loop.ts';
import { runTiny } from '../support/planted-campaign.ts';

/** Losses of each experiment's trainings: the start is gla but for rounding, the first candidate deltanet to the last bit. */
const losses: Readonly<Record<string, readonly number[]>> = {
  e0001: [5, 4],
  e0002: [5.5, 4.5],
  e0003: [5.5 * (1 + 3e-8), 4.51],
  e0004: [5, 4],
  e0005: [5.2, 4],
};

class TellingHost extends InstantHost {
  override async run(job: Parameters<InstantHost['run']>[0]): ReturnType<InstantHost['run']> {
    const end = await super.run(job);
    if (job.command !== 'train') return end;
    const path = join(job.workdir, 'result.json');
    const result = JSON.parse(readFileSync(path, 'utf8'));
    const own = losses[result.trialId.split('/')[1]] ?? [];
    const curve = own.map((loss, index) => ({ task: 'bytes', step: 5 * (index + 1), loss, cpuSeconds: 0.001 }));
    writeFileSync(path, JSON.stringify({ ...result, curve }));
    return end;
  }
}

let loop: Loop;
beforeAll(async () => {
  loop = await startLoop({ host: new TellingHost(), unsandboxed: ['c-twins'] });
}, 120_000);
afterAll(() => loop?.stop(), 60_000);

it('what trains as another architecture does is that one: a drawn one is a duplicate, a file of a person bears the name', async () => {
  const mine = join(loop.config.home, 'mine.py');
  writeFileSync(mine, 'class Mixer:\n    """The instant host runs nothing of it."""\n');
  const input = { baselines: ['deltanet', 'gla'], starts: [mine], experiments: 2, slots: 1 } as const;
  await runTiny(loop, 'c-twins', { ...input, baselines: [...input.baselines], starts: [...input.starts] });
  const [, , start, copied, own] = await loop.archive.listExperiments('c-twins');
  expect(start).toMatchObject({ kind: 'start', state: 'recorded', architecture: { knownAs: 'gla' } });
  expect(copied).toMatchObject({ state: 'failed', failure: { label: 'duplicate', stage: 'train' } });
  expect(copied?.failure?.detail).toContain('those of c-twins/e0001 "deltanet"');
  expect(await loop.archive.listScores({ experimentId: copied?.id ?? '' })).toEqual([]);
  expect(own).toMatchObject({ state: 'recorded', architecture: { knownAs: null } });
}, 120_000);
