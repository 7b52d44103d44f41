import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Archive } from '../../../services/archive/archive.ts';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { openFolderArtifacts } from '../../../services/artifacts/folder-artifacts.ts';
import { endCampaign } from '../../../workers/activities/end-campaign.ts';
import { createTrainingActivities } from '../../../workers/activities/training.ts';
import { aCampaign, anExperiment, aTrial } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const now = (): Date => new Date('2026-01-02T03:04:05Z');
const isOpen = ({ state }: { readonly state: string }): boolean => state === 'queued' || state === 'running';

/** A campaign with one trial to train; `archiveOf` says what happens to the campaign while the step opens it. */
const trainWhile = async (archiveOf: (archive: Archive) => Archive) => {
  const folder = temporaryFolder();
  const archive = openSqliteArchive(join(folder, 'archive.db'));
  const [experiment, trial] = [
    anExperiment({ number: 2, state: 'checked' }),
    aTrial({ experimentId: 'c-test/e0002', state: 'queued' }),
  ];
  await archive.createCampaign(aCampaign());
  await archive.createExperiment(experiment);
  const notReached = (): never => {
    throw new Error('the training of a campaign that is over was begun');
  };
  const activities = createTrainingActivities({
    archive: archiveOf(archive),
    artifacts: openFolderArtifacts(join(folder, 'artifacts')),
    dispatcher: { run: notReached, close: notReached } as never,
    judge: { score: notReached } as never,
    workFolder: folder,
    now,
    peers: notReached as never,
    idleSeconds: 60,
    hostFacts: notReached,
  });
  const { id: trialId, experimentId, seed, purpose } = trial;
  const answer = await activities.trainTrial({ trialId, experimentId, seed, purpose });
  return { answer, archive, trials: await archive.listTrials({ campaignId: 'c-test' }) };
};
const end = (archive: Archive) =>
  endCampaign(
    { archive, now, workFolder: temporaryFolder() },
    { campaignId: 'c-test', state: 'cancelled', reason: 'ended outside: terminated' },
  );

describe('a step that opens its trial while the campaign ends', () => {
  it('finds the campaign over and closes the trial', async () => {
    const { answer, trials } = await trainWhile((archive) => ({
      ...archive,
      createTrial: async (trial) => {
        await end(archive);
        return archive.createTrial(trial);
      },
    }));
    expect(answer).toEqual({ ok: false, label: 'cancelled', detail: 'the campaign ended: ended outside: terminated' });
    expect(trials).toHaveLength(1);
    expect(trials.filter(isOpen)).toEqual([]);
  });

  it('has its trial closed by the end, where that comes after the list of trials', async () => {
    const { trials } = await trainWhile((archive) => ({
      ...archive,
      createTrial: async (trial) => {
        await end({
          ...archive,
          updateCampaign: async (...write) => {
            await archive.createTrial(trial);
            return archive.updateCampaign(...write);
          },
        });
        return archive.createTrial(trial);
      },
    }));
    expect(trials).toHaveLength(1);
    expect(trials.filter(isOpen)).toEqual([]);
  });
});

describe('a step that opens its experiment while the campaign ends', () => {
  it('has it closed by the end, where that comes after the list of experiments', async () => {
    const archive = openSqliteArchive(join(temporaryFolder(), 'archive.db'));
    await archive.createCampaign(aCampaign());
    await end({
      ...archive,
      updateCampaign: async (...write) => {
        await archive.createExperiment(anExperiment({ number: 3, state: 'planned' }));
        return archive.updateCampaign(...write);
      },
    });
    expect(await archive.listExperiments('c-test')).toMatchObject([{ state: 'cancelled', failure: { label: 'cancelled' } }]);
  });
});
