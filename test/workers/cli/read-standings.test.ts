import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { openFolderArtifacts } from '../../../services/artifacts/folder-artifacts.ts';
import { readStandings } from '../../../workers/cli/read-standings.ts';
import { presets } from '../../../workflows/contracts/settings.ts';
import { aCampaign, aConclusion, aFitness, anEffect, anExperiment, aProposal, aScore, aTrial } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { seedCampaign, seededId } from '../seeded-campaign.ts';

describe('the standings of a campaign', () => {
  it('hold baselines, finalists and the next best candidates, the reference at zero', async () => {
    const folder = temporaryFolder();
    const archive = openSqliteArchive(join(folder, 'archive.db'));
    await seedCampaign(archive, openFolderArtifacts(join(folder, 'artifacts')));
    const campaign = await archive.getCampaign(seededId);
    if (campaign === null) throw new Error('not seeded');
    const standings = await readStandings(archive, campaign);
    expect(standings.map(({ experiment, isReference }) => [experiment.number, isReference])).toEqual([
      [1, true],
      [2, false],
      [3, false],
      [4, false],
    ]);
    // Seeded scores: 0.02 bits per byte a number below the one before, on every confirming seed.
    expect(standings.map(({ confirmed }) => confirmed?.mean.toFixed(4) ?? null)).toEqual([null, '0.0200', '0.0400', null]);
    expect(standings[2]?.confirmed?.seeds).toBe(3);
  });

  it('hold a start that became a finalist once, and confirm it on the confirming seeds alone', async () => {
    const archive = openSqliteArchive(join(temporaryFolder(), 'archive.db'));
    const effect = anEffect();
    const { value: campaign } = await archive.createCampaign(
      aCampaign({
        settings: { ...presets.tiny, starts: ['/mine.py'] },
        conclusion: aConclusion({ finalists: [{ experimentId: 'c-test/e0002', name: 'mine', effect, verdict: 'better' }] }),
      }),
    );
    const proposal = aProposal({ name: 'deltanet', author: 'baseline', changes: [] });
    await archive.createExperiment(anExperiment({ number: 1, kind: 'baseline', state: 'recorded', proposal }));
    await archive.createExperiment(
      anExperiment({ number: 2, kind: 'start', state: 'recorded', fitness: aFitness({ value: 0.5 }) }),
    );
    for (const number of [1, 2]) {
      for (const [seed, purpose] of [
        [1, 'explore'],
        [101, 'confirm'],
        [102, 'confirm'],
      ] as const) {
        const { value: trial } = await archive.createTrial(
          aTrial({ experimentId: `c-test/e000${number}`, seed, purpose, state: 'scored' }),
        );
        const value = purpose === 'explore' ? 9 : 3 - number / 10 + seed / 1e4;
        await archive.appendScores([aScore({ trialId: trial.id, value })]);
      }
    }
    const standings = await readStandings(archive, campaign);
    expect(standings.map(({ experiment }) => experiment.number)).toEqual([1, 2]);
    expect(standings[1]?.confirmed).toMatchObject({ seeds: 2 });
    expect(standings[1]?.confirmed?.mean).toBeCloseTo(0.1);
  });
});
