import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { openFolderArtifacts } from '../../../services/artifacts/folder-artifacts.ts';
import { createDiscoveryActivities } from '../../../workers/activities/discovery.ts';
import { aCampaign, aFailure, anExperiment, aTrial } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

it('a seed that waits to be tried again when the other one ends its experiment is cancelled, in words of its own', async () => {
  const folder = temporaryFolder();
  const archive = openSqliteArchive(join(folder, 'archive.db'));
  onTestFinished(() => archive.close());
  const experiment = anExperiment({ number: 3, state: 'checked' });
  await archive.createCampaign(aCampaign());
  await archive.createExperiment(experiment);
  const poison = { label: 'poison', detail: '3 of its runs ended in an outage', stage: 'train' } as const;
  const trial = (seed: number) => aTrial({ experimentId: experiment.id, seed, state: 'running' as const, cpuSeconds: 4 });
  await archive.createTrial({ ...trial(1), state: 'failed', failure: aFailure(poison) });
  await archive.createTrial(trial(2));
  const activities = createDiscoveryActivities({
    archive,
    artifacts: openFolderArtifacts(join(folder, 'artifacts')),
    python: 'python3',
    workFolder: join(folder, 'work'),
    dataFolder: folder,
    judgeFolder: folder,
    reportsFolder: folder,
    bundlesFolder: folder,
    scoreLists: async () => [],
    versions: {},
    now: () => new Date('2026-01-02T03:04:05Z'),
  });
  await activities.finishExperiment({ experimentId: experiment.id, end: { state: 'failed', ...poison } });
  const [first, second] = await archive.listTrials({ experimentId: experiment.id });
  expect(first).toMatchObject({ state: 'failed', failure: poison });
  expect(second).toMatchObject({
    state: 'cancelled',
    failure: { label: 'cancelled', detail: expect.stringMatching(/^called off/) },
  });
  expect((await archive.ledgerTotals('c-test'))['trial-seconds'].settled).toBe(4);
});
