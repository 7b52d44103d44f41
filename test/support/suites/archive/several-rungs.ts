import { describe, expect, it } from 'vitest';
import type { Archive } from '../../../../services/archive/archive.ts';
import type { Experiment } from '../../../../workflows/contracts/experiment.ts';
import { trialId } from '../../../../workflows/contracts/ids.ts';
import type { RungName } from '../../../../workflows/contracts/rung.ts';
import type { Score } from '../../../../workflows/contracts/score.ts';
import { presets } from '../../../../workflows/contracts/settings.ts';
import { aCampaign, aDataManifest, aHash, anArchitecture, anExperiment, aScore } from '../../builders.ts';
import { type CreateStore, freshArchive } from './harness.ts';

const data = aDataManifest();
const query = { dataHash: data.hash, set: 'search' } as const;

const putCampaign = async (archive: Archive, id: string, rung: RungName, dataHash = data.hash): Promise<void> => {
  await archive.createCampaign(aCampaign({ id, settings: { ...presets.tiny, rung }, data: { ...data, hash: dataHash } }));
};

interface Program {
  readonly campaignId: string;
  readonly number?: number;
  readonly name: string;
  readonly rung: RungName;
  readonly state?: Experiment['state'];
  readonly set?: Score['set'];
  readonly dataHash?: string;
}

const putProgram = async (archive: Archive, program: Program): Promise<Score> => {
  const { campaignId, number = 1, name, rung, state = 'recorded', set = 'search', dataHash = data.hash } = program;
  const programHash = aHash(name);
  const experiment = anExperiment({ campaignId, number, state, architecture: anArchitecture({ hash: programHash }) });
  await archive.createExperiment(experiment);
  const score = aScore({ trialId: trialId(experiment.id, { rung, seed: 1 }), programHash, set, dataHash });
  await archive.appendScores([score]);
  return score;
};

export const severalRungsTests = (create: CreateStore): void => {
  describe('scores on several rungs', () => {
    it('are those of programs that two campaigns measured on two rungs, and of no other program', async () => {
      const archive = await freshArchive(create);
      await putCampaign(archive, 'c-a', 'tiny');
      await putCampaign(archive, 'c-b', 'quick');
      await putCampaign(archive, 'c-c', 'quick');
      const met = [
        await putProgram(archive, { campaignId: 'c-a', name: 'met', rung: 'tiny' }),
        await putProgram(archive, { campaignId: 'c-b', name: 'met', rung: 'quick' }),
        await putProgram(archive, { campaignId: 'c-c', name: 'met', rung: 'quick' }),
      ];
      await putProgram(archive, { campaignId: 'c-a', number: 2, name: 'tiny alone', rung: 'tiny' });
      await putProgram(archive, { campaignId: 'c-b', number: 2, name: 'quick alone', rung: 'quick' });
      await putProgram(archive, { campaignId: 'c-c', number: 2, name: 'quick alone', rung: 'quick' });
      expect(await archive.listScoresOnSeveralRungs(query)).toEqual(met);
      expect(await archive.listScoresOnSeveralRungs({ ...query, set: 'promotion' })).toEqual([]);
      expect(await archive.listScoresOnSeveralRungs({ ...query, dataHash: aHash('other text') })).toEqual([]);
    });

    it.each([
      ['an experiment that was not recorded', { state: 'failed' }],
      ['rows of another set', { set: 'promotion' }],
      ['rows of other data', { dataHash: aHash('other text') }],
    ] as const)('need more than %s on the second rung', async (_, part) => {
      const archive = await freshArchive(create);
      await putCampaign(archive, 'c-a', 'tiny');
      await putCampaign(archive, 'c-b', 'quick');
      await putProgram(archive, { campaignId: 'c-a', name: 'met', rung: 'tiny' });
      await putProgram(archive, { campaignId: 'c-b', name: 'met', rung: 'quick', ...part });
      expect(await archive.listScoresOnSeveralRungs(query)).toEqual([]);
    });

    it('are none where all campaigns of these data share a rung', async () => {
      const archive = await freshArchive(create);
      await putCampaign(archive, 'c-a', 'tiny');
      await putCampaign(archive, 'c-b', 'tiny');
      await putCampaign(archive, 'c-c', 'quick', aHash('other text'));
      for (const campaignId of ['c-a', 'c-b', 'c-c']) await putProgram(archive, { campaignId, name: 'met', rung: 'tiny' });
      expect(await archive.listScoresOnSeveralRungs(query)).toEqual([]);
    });
  });
};
