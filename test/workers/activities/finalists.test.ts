import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { chooseFinalists, readBars } from '../../../workers/activities/finalists.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import type { Experiment, Proposal } from '../../../workflows/contracts/experiment.ts';
import { experimentId } from '../../../workflows/contracts/ids.ts';
import type { SandboxTier } from '../../../workflows/contracts/sandbox.ts';
import { scoreSets } from '../../../workflows/contracts/score.ts';
import { presets } from '../../../workflows/contracts/settings.ts';
import { calibrationSeeds } from '../../../workflows/rules/trial-seeds.ts';
import { aCampaign, aFitness, anArchitecture, anExperiment, aProposal, aScore } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const settings = { ...presets.tiny, baselines: ['deltanet', 'ssd', 'kda', 'gla'] as const, finalists: 2 };
const seeds = calibrationSeeds({ ...settings });
const id = (number: number): string => experimentId('c-test', number);

interface Made {
  /** Bits per byte of baselines 1 to 4 on each exploring seed; e0005 and on are candidates. */
  readonly levels: readonly (readonly [number, number])[];
  readonly confirmBaselines?: number;
  readonly changes?: Readonly<Record<number, Partial<Experiment>>>;
  readonly authors?: Readonly<Record<number, Proposal['author']>>;
  readonly tier?: SandboxTier;
}

const made = async ({ levels, confirmBaselines, changes = {}, authors = {}, tier = 'S1' }: Made) => {
  const archive = openSqliteArchive(join(temporaryFolder(), 'archive.db'));
  onTestFinished(() => archive.close());
  const own = {
    ...settings,
    baselines: [...settings.baselines],
    ...(confirmBaselines === undefined ? {} : { confirmBaselines }),
  };
  await archive.createCampaign(aCampaign({ settings: own, state: 'verifying' }));
  for (const [index, bits] of levels.entries()) {
    const number = index + 1;
    const kind = number <= settings.baselines.length ? 'baseline' : 'candidate';
    const author = authors[number] ?? (kind === 'baseline' ? 'baseline' : 'evolver');
    const gain = (levels[0]?.[0] ?? 0) - (bits[0] + bits[1]) / 2;
    await archive.createExperiment(
      anExperiment({
        number,
        kind,
        state: 'recorded',
        fitness: aFitness({ value: gain }),
        proposal: aProposal({ name: settings.baselines[index] ?? `candidate ${number}`, author }),
        ...changes[number],
      }),
    );
    for (const [at, value] of bits.entries())
      await archive.appendScores([aScore({ trialId: `${id(number)}/tiny/s${seeds[at]}`, value, sandboxTier: tier })]);
  }
  return archive;
};

/** ssd leads, kda is as good, gla far behind; two candidates. */
const tied = [
  [3, 3.1],
  [2.5, 2.6],
  [2.51, 2.6],
  [2.9, 3.0],
  [2.4, 2.5],
  [2.45, 2.54],
] as const;

describe('the baselines that finalists must beat', () => {
  it('are the reference and every one that may be the strongest', async () => {
    const archive = await made({ levels: tied, confirmBaselines: 4 });
    expect(await chooseFinalists(archive, 'c-test')).toEqual({
      finalists: [id(5), id(6)],
      baselines: [id(1), id(2), id(3)],
      leftOut: [],
    });
  });

  it('are no more than the campaign allows, and what is left out is known', async () => {
    const archive = await made({ levels: tied, confirmBaselines: 2 });
    expect(await chooseFinalists(archive, 'c-test')).toMatchObject({ baselines: [id(1), id(2)], leftOut: [id(3)] });
  });
});

describe('what bars a finalist from being a discovery', () => {
  it('is that it is a known baseline, told by its genome where the record does not say', async () => {
    const gla = { architecture: anArchitecture({ genome: baselineGenomes.gla }) };
    const archive = await made({ levels: tied, changes: { 5: gla } });
    expect((await chooseFinalists(archive, 'c-test')).finalists).toEqual([id(6), id(5)]);
    const experiments = await archive.listExperiments('c-test');
    const bars = await readBars(archive, { experiments, beside: [], sets: scoreSets });
    expect(bars.get(id(5))).toEqual({ tier: 'S1', knownAs: 'gla', silence: null });
    expect(bars.get(id(6))).toEqual({ tier: 'S1', knownAs: null, silence: null });
  });

  it('is a row without a wall of its own, or of what it is compared with, where a program is not ours', async () => {
    const foreign = await made({ levels: tied, tier: 'none', authors: { 6: 'user' } });
    const [reference, , , , candidate] = await foreign.listExperiments('c-test');
    if (candidate === undefined || reference === undefined) throw new Error('made above');
    const all = { experiments: [candidate], beside: [], sets: scoreSets };
    expect((await readBars(foreign, all)).get(candidate.id)).toMatchObject({ tier: 'none', silence: 'no-wall' });
    const ours = await made({ levels: tied, tier: 'none' });
    expect((await readBars(ours, all)).get(candidate.id)).toMatchObject({ tier: 'none', silence: null });
    const walled = await made({ levels: tied, authors: { 6: 'user' } });
    expect((await readBars(walled, all)).get(candidate.id)).toMatchObject({ tier: 'S1', silence: null });
    await walled.appendScores([aScore({ trialId: `${reference.id}/tiny/s77`, set: 'promotion' })]);
    const beside = { ...all, beside: [reference.id] };
    expect((await readBars(walled, beside)).get(candidate.id)).toMatchObject({ tier: 'none', silence: 'no-wall' });
    const readable = await made({ levels: tied, tier: 'S0P', authors: { 6: 'user' } });
    expect((await readBars(readable, all)).get(candidate.id)).toMatchObject({ tier: 'S0P', silence: 'readable-text' });
    // Who was chosen by exploring rows stays chosen, whatever later rows say.
    expect((await readBars(walled, { ...beside, sets: ['search'] })).get(candidate.id)).toMatchObject({ silence: null });
  });
});
