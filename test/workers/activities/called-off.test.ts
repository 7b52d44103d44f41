import { expect, it, onTestFinished } from 'vitest';
import { aCampaign, aFailure, anExperiment, aTrial } from '../../support/builders.ts';
import { discoveryOn } from '../../support/discovery-on.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

it('a seed that waits to be tried again when the other one ends its experiment is cancelled, in words of its own', async () => {
  const { archive, activities } = discoveryOn(temporaryFolder());
  onTestFinished(() => archive.close());
  const experiment = anExperiment({ number: 3, state: 'checked' });
  await archive.createCampaign(aCampaign());
  await archive.createExperiment(experiment);
  const poison = { label: 'poison', detail: '3 of its runs ended in an outage', stage: 'train' } as const;
  const trial = (seed: number) => aTrial({ experimentId: experiment.id, seed, state: 'running' as const, cpuSeconds: 4 });
  await archive.createTrial({ ...trial(1), state: 'failed', failure: aFailure(poison) });
  await archive.createTrial(trial(2));
  await activities.finishExperiment({ experimentId: experiment.id, end: { state: 'failed', ...poison } });
  const [first, second] = await archive.listTrials({ experimentId: experiment.id });
  expect(first).toMatchObject({ state: 'failed', failure: poison });
  expect(second).toMatchObject({
    state: 'cancelled',
    failure: { label: 'cancelled', detail: expect.stringMatching(/^called off/) },
  });
  expect((await archive.ledgerTotals('c-test'))['trial-seconds'].settled).toBe(4);
});
