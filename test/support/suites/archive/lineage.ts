import { describe, expect, it } from 'vitest';
import type { Archive } from '../../../../services/archive/archive.ts';
import type { Experiment } from '../../../../workflows/contracts/experiment.ts';
import { experimentId } from '../../../../workflows/contracts/ids.ts';
import { aFitness, anExperiment, aVerdict } from '../../builders.ts';
import { type CreateStore, freshArchive } from './harness.ts';

const id = (number: number): string => experimentId('c-test', number);

/** A chain 0 → 1 → 2 → … with a second child 90 of 0. */
const fill = async (archive: Archive, length: number): Promise<void> => {
  for (let number = 0; number < length; number++) {
    const ancestors = Array.from({ length: number }, (_, index) => id(index));
    await archive.createExperiment(anExperiment({ number, state: 'recorded', parentId: ancestors.at(-1) ?? null, ancestors }));
  }
  await archive.createExperiment(anExperiment({ number: 90, state: 'failed', parentId: id(0) }));
};

export const lineageTests = (create: CreateStore): void => {
  describe('the lineage', () => {
    it('shows an experiment as a light node that keeps up with its record', async () => {
      const archive = await freshArchive(create);
      await archive.createExperiment(anExperiment({ kind: 'start' }));
      const node = { id: id(1), number: 1, kind: 'start', parentId: null, depth: 0, state: 'planned' } as const;
      const unknown = { name: null, fitness: null, verdict: null, failureLabel: null };
      expect(await archive.lineage('c-test')).toEqual([{ ...node, ...unknown }]);
      const { proposal } = anExperiment({ state: 'proposed' });
      await archive.updateExperiment(id(1), 0, { state: 'recorded', proposal, fitness: aFitness({ value: -0.25 }) });
      await archive.setVerdict(id(1), aVerdict({ verdict: 'worse' }));
      expect(await archive.lineage('c-test')).toEqual([
        { ...node, state: 'recorded', name: 'candidate 1', fitness: -0.25, verdict: 'worse', failureLabel: null },
      ]);
    });

    it('is whole or in pages, by number, and of one campaign', async () => {
      const archive = await freshArchive(create);
      await fill(archive, 5);
      await archive.createExperiment(anExperiment({ campaignId: 'c-other' }));
      const numbers = async (page?: { after: number; limit: number }) =>
        (await archive.lineage('c-test', page)).map(({ number }) => number);
      expect(await numbers()).toEqual([0, 1, 2, 3, 4, 90]);
      expect(await numbers({ after: -1, limit: 2 })).toEqual([0, 1]);
      expect(await numbers({ after: 3, limit: 2 })).toEqual([4, 90]);
      expect(await numbers({ after: 90, limit: 2 })).toEqual([]);
      expect(await archive.lineage('c-none')).toEqual([]);
    });

    it('gives ancestors from the root to the parent and children by number', async () => {
      const archive = await freshArchive(create);
      await fill(archive, 12);
      const kin = await archive.lineageOf(id(10));
      expect(kin?.node).toMatchObject({ id: id(10), depth: 10, parentId: id(9) });
      expect(kin?.ancestors.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(kin?.children.map(({ number }) => number)).toEqual([11]);
      expect((await archive.lineageOf(id(0)))?.children).toMatchObject([{ number: 1 }, { number: 90, failureLabel: 'gate' }]);
      expect((await archive.lineageOf(id(0), 1))?.children).toMatchObject([{ number: 1 }]);
      expect(await archive.lineageOf(id(777))).toBeNull();
    });
  });

  describe('the leaderboard', () => {
    const withFitness = (number: number, value: number, state: Experiment['state'] = 'recorded'): Experiment =>
      anExperiment({ number, state, fitness: aFitness({ value }) });

    it('ranks recorded experiments by fitness, ties by number, up to the limit', async () => {
      const archive = await freshArchive(create);
      for (const experiment of [
        withFitness(1, 0.1),
        withFitness(2, 0.3),
        withFitness(3, -2),
        withFitness(5, 0.1),
        withFitness(6, 9, 'analysed'),
        withFitness(7, 9, 'failed'),
        anExperiment({ number: 8, state: 'recorded', fitness: null }),
        anExperiment({ campaignId: 'c-other', number: 9, state: 'recorded' }),
      ])
        await archive.createExperiment(experiment);
      expect((await archive.leaderboard('c-test', 10)).map(({ number }) => number)).toEqual([2, 1, 5, 3]);
      expect(await archive.leaderboard('c-test', 1)).toMatchObject([{ number: 2, fitness: 0.3 }]);
      expect(await archive.leaderboard('c-none', 1)).toEqual([]);
    });

    it('holds an experiment from the moment it is recorded', async () => {
      const archive = await freshArchive(create);
      await archive.createExperiment(withFitness(1, 0.5, 'analysed'));
      expect(await archive.leaderboard('c-test', 10)).toEqual([]);
      await archive.updateExperiment(id(1), 0, { state: 'recorded' });
      expect(await archive.leaderboard('c-test', 10)).toMatchObject([{ id: id(1), fitness: 0.5, name: 'candidate 1' }]);
    });
  });
};
