import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Archive } from '../../../services/archive/archive.ts';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { renderReport } from '../../../services/report/render-report.ts';
import { readRungRanks } from '../../../services/report/rung-ranks.ts';
import { trialId } from '../../../workflows/contracts/ids.ts';
import { type RungName, rungs } from '../../../workflows/contracts/rung.ts';
import type { SandboxTier } from '../../../workflows/contracts/sandbox.ts';
import { presets } from '../../../workflows/contracts/settings.ts';
import { aCampaign, aDataManifest, aHash, anArchitecture, anExperiment, aProposal, aScore } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const data = aDataManifest();

const openArchive = (): Archive => {
  const archive = openSqliteArchive(join(temporaryFolder(), 'archive.db'));
  onTestFinished(() => archive.close());
  return archive;
};

interface Measured {
  readonly rung: RungName;
  /** By program, in order. */
  readonly losses: readonly number[];
  readonly tier?: SandboxTier;
  readonly author?: 'baseline' | 'user';
  /** Steps of the recipe that its campaign was begun with; else today's. */
  readonly steps?: number;
}

const put = async (
  archive: Archive,
  id: string,
  { rung, losses, tier = 'S2', author = 'baseline', steps }: Measured,
): Promise<void> => {
  const today = rungs[rung];
  const recipe = { ...today, tasks: today.tasks.map((task) => ({ ...task, steps: steps ?? task.steps })) };
  await archive.createCampaign(aCampaign({ id, settings: { ...presets.tiny, rung }, rung: recipe, data }));
  for (const [index, value] of losses.entries()) {
    const architecture = anArchitecture({ hash: aHash(`program ${index}`) });
    const proposal = aProposal({ name: `program ${index}`, author });
    const experiment = anExperiment({ campaignId: id, number: index + 1, state: 'recorded', architecture, proposal });
    await archive.createExperiment(experiment);
    const common = { trialId: trialId(experiment.id, { rung, seed: 1 }), programHash: architecture.hash, dataHash: data.hash };
    await archive.appendScores([
      aScore({ ...common, value, sandboxTier: tier }),
      aScore({ ...common, value: 0.5 - value, set: 'promotion', sandboxTier: tier }),
    ]);
  }
};

describe('readRungRanks', () => {
  it('compares the exploring scores of programs that two campaigns measured on two rungs', async () => {
    const archive = openArchive();
    await put(archive, 'c-small', { rung: 'tiny', losses: [1, 2, 3, 4, 5] });
    expect(await readRungRanks(archive, data.hash)).toEqual([]);
    await put(archive, 'c-large', { rung: 'quick', losses: [1, 3, 2, 4] });
    const [pair, ...others] = await readRungRanks(archive, data.hash);
    expect(others).toEqual([]);
    expect(pair).toMatchObject({ metric: 'bits-per-byte', rungs: ['tiny', 'quick'], programs: 4 });
    expect(pair?.correlation?.rho).toBeCloseTo(0.8, 12);
    expect(await readRungRanks(archive, aHash('other text'))).toEqual([]);
  });

  it('trusts no row that a program may have written itself', async () => {
    const archive = openArchive();
    await put(archive, 'c-small', { rung: 'tiny', losses: [1, 2, 3], tier: 'none' });
    await put(archive, 'c-large', { rung: 'quick', losses: [1, 2, 3], tier: 'S2', author: 'user' });
    expect(await readRungRanks(archive, data.hash)).toMatchObject([{ programs: 3 }]);
    await put(archive, 'c-open', { rung: 'standard', losses: [1, 2, 3], tier: 'none', author: 'user' });
    expect(await readRungRanks(archive, data.hash)).toMatchObject([{ rungs: ['tiny', 'quick'], programs: 3 }]);
  });
});

describe('a rung whose recipe has changed', () => {
  it('is another one', async () => {
    const archive = openArchive();
    await put(archive, 'c-small', { rung: 'tiny', losses: [1, 2, 3, 4] });
    await put(archive, 'c-before', { rung: 'quick', losses: [4, 3, 2, 1], steps: 7 });
    expect(await readRungRanks(archive, data.hash)).toEqual([]);
    await put(archive, 'c-large', { rung: 'quick', losses: [1, 2, 3] });
    const [pair] = await readRungRanks(archive, data.hash);
    expect(pair).toMatchObject({ programs: 3, correlation: { rho: 1 } });
  });
});

describe('the report', () => {
  it('says how alike rungs rank, and that nothing is known of it before', async () => {
    const archive = openArchive();
    await put(archive, 'c-small', { rung: 'tiny', losses: [1, 2, 3, 4, 5] });
    expect(await renderReport({ archive, campaignId: 'c-small' })).toContain('No program was measured on two rungs');
    await put(archive, 'c-large', { rung: 'quick', losses: [1, 3, 2, 4, 5] });
    for (const campaignId of ['c-small', 'c-large'])
      expect(await renderReport({ archive, campaignId })).toMatch(
        /<li>tiny and quick, bits per byte: 5 programs on both: rank correlation \+0\.90, 95 % interval \[-0\.17, \+1\.00\]/,
      );
  });
});
