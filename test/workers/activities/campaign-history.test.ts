import { expect, test } from 'vitest';
import type { ExperimentFilter } from '../../../services/archive/archive.ts';
import { CampaignHistory } from '../../../workers/activities/campaign-history.ts';
import type { Experiment } from '../../../workflows/contracts/experiment.ts';
import { anExperiment } from '../../support/builders.ts';

const campaign = (...states: readonly Experiment['state'][]) => {
  const experiments = states.map((state, index) => anExperiment({ number: index + 1, state }));
  let numRead = 0;
  return {
    experiments,
    takeRead: () => {
      const read = numRead;
      numRead = 0;
      return read;
    },
    listExperiments: async (_: string, { above = 0 }: ExperimentFilter = {}) => {
      const found = experiments.filter(({ number }) => number > above);
      numRead += found.length;
      return found;
    },
  };
};

test('reads what has ended once, and what is open each time', async () => {
  const archive = campaign('recorded', 'rejected', 'checked', 'recorded', 'planned');
  const history = new CampaignHistory(archive);
  const ids = async () => (await history.of('c-test', 'c-test/e0005')).map(({ id }) => id);
  expect(await ids()).toEqual(['c-test/e0001', 'c-test/e0002', 'c-test/e0003', 'c-test/e0004']);
  expect(archive.takeRead()).toBe(5);
  archive.experiments[2] = anExperiment({ number: 3, state: 'recorded' });
  const third = (await history.of('c-test', 'c-test/e0005')).find(({ id }) => id === 'c-test/e0003');
  expect(third?.state).toBe('recorded');
  expect(archive.takeRead()).toBe(3);
  expect(await ids()).toHaveLength(4);
  expect(archive.takeRead()).toBe(1);
});

test('never gives the one that asks, though it has ended', async () => {
  const history = new CampaignHistory(campaign('recorded', 'recorded'));
  expect((await history.of('c-test', 'c-test/e0002')).map(({ id }) => id)).toEqual(['c-test/e0001']);
  expect((await history.of('c-test', 'c-test/e0009')).map(({ id }) => id)).toEqual(['c-test/e0001', 'c-test/e0002']);
});

test('waits for a number that is not there yet, as ids are given before records are written', async () => {
  const archive = campaign('recorded', 'recorded', 'recorded');
  const late = archive.experiments.splice(1, 1);
  const history = new CampaignHistory(archive);
  expect(await history.of('c-test', 'c-test/e0009')).toHaveLength(2);
  archive.experiments.splice(1, 0, ...late);
  expect(await history.of('c-test', 'c-test/e0009')).toHaveLength(3);
});

test('two calls at the same time settle nothing twice', async () => {
  const history = new CampaignHistory(campaign('recorded', 'rejected', 'recorded'));
  await Promise.all([history.of('c-test', 'x'), history.of('c-test', 'x')]);
  expect(await history.of('c-test', 'x')).toHaveLength(3);
});
