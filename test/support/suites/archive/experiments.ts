import { describe, expect, it } from 'vitest';
import { experimentStates, terminalStates } from '../../../../workflows/contracts/experiment.ts';
import { aFailure, aFitness, aHash, anAnalysis, anArchitecture, anExperiment, aProposal, aVerdict } from '../../builders.ts';
import { type CreateStore, freshArchive } from './harness.ts';

export const experimentTests = (create: CreateStore): void => {
  describe('experiments', () => {
    it('keeps an experiment as it was given', async () => {
      const archive = await freshArchive(create);
      const experiment = anExperiment({
        state: 'recorded',
        verdict: aVerdict(),
        attempts: [{ hash: aHash('x'), proposal: null, failure: aFailure() }],
      });
      expect(await archive.createExperiment(experiment)).toEqual({ created: true, value: experiment });
      expect(await archive.getExperiment(experiment.id)).toEqual(experiment);
      expect(await archive.getExperiment('c-test/e9999')).toBeNull();
    });

    it('returns the stored experiment when the id exists already', async () => {
      const archive = await freshArchive(create);
      const stored = anExperiment({ state: 'proposed' });
      await archive.createExperiment(stored);
      expect(await archive.createExperiment(anExperiment())).toEqual({ created: false, value: stored });
    });

    it('refuses an experiment whose id is that of another number or campaign', async () => {
      const archive = await freshArchive(create);
      await expect(archive.createExperiment({ ...anExperiment(), number: 2 })).rejects.toThrow(/number 2 of campaign c-test/);
      await expect(archive.createExperiment({ ...anExperiment(), campaignId: 'c-other' })).rejects.toThrow(/campaign c-other/);
      expect(await archive.listExperiments('c-test')).toEqual([]);
    });

    it('writes each step of an experiment and raises the epoch by one each time', async () => {
      const archive = await freshArchive(create);
      const planned = anExperiment();
      await archive.createExperiment(planned);
      const patches = [
        { state: 'proposed', proposal: aProposal(), architecture: anArchitecture() },
        { state: 'checked' },
        { state: 'trained' },
        { state: 'judged', fitness: aFitness() },
        { state: 'analysed', analysis: anAnalysis() },
        { state: 'recorded' },
      ] as const;
      for (const [epoch, patch] of patches.entries()) {
        const written = await archive.updateExperiment(planned.id, epoch, patch);
        expect(written).toMatchObject({ ok: true, value: { ...patch, epoch: epoch + 1 } });
        expect(await archive.getExperiment(planned.id)).toEqual(written.ok ? written.value : null);
      }
      const recorded = await archive.getExperiment(planned.id);
      expect(recorded).toEqual({
        ...planned,
        ...Object.assign({}, ...patches),
        epoch: patches.length,
        updatedAt: recorded?.updatedAt,
        finishedAt: recorded?.updatedAt,
      });
      expect(Date.parse(recorded?.finishedAt ?? '')).toBeGreaterThan(0);
    });

    it('never lets a patch change what an experiment is', async () => {
      const archive = await freshArchive(create);
      const experiment = anExperiment();
      await archive.createExperiment(experiment);
      const sly = {
        id: 'c-test/e0002',
        campaignId: 'c-other',
        number: 7,
        epoch: 40,
        createdAt: 'never',
        state: 'proposed',
      } as const;
      const written = await archive.updateExperiment(experiment.id, 0, sly);
      expect(written).toMatchObject({
        ok: true,
        value: { ...experiment, state: 'proposed', epoch: 1, updatedAt: expect.any(String) },
      });
      expect(await archive.getExperiment('c-test/e0002')).toBeNull();
    });

    it('refuses a writer that read an older epoch, and one that names a newer', async () => {
      const archive = await freshArchive(create);
      const { id } = anExperiment();
      await archive.createExperiment(anExperiment());
      await archive.updateExperiment(id, 0, { state: 'proposed' });
      const stored = await archive.getExperiment(id);
      for (const epoch of [0, 2])
        expect(await archive.updateExperiment(id, epoch, { state: 'failed' })).toEqual({
          ok: false,
          reason: 'stale',
          current: stored,
        });
      expect(await archive.getExperiment(id)).toEqual(stored);
      expect(await archive.updateExperiment('c-test/e0077', 0, {})).toEqual({ ok: false, reason: 'missing', current: null });
    });

    it.each(terminalStates)('never changes an experiment that is %s, whatever epoch the writer names', async (state) => {
      const archive = await freshArchive(create);
      const experiment = anExperiment({ state: 'analysed' });
      await archive.createExperiment(experiment);
      await archive.updateExperiment(experiment.id, 0, { state });
      const stored = await archive.getExperiment(experiment.id);
      for (const epoch of [0, 1, 2])
        expect(
          await archive.updateExperiment(experiment.id, epoch, { state: 'proposed', fitness: aFitness({ value: 9 }) }),
        ).toEqual({
          ok: false,
          reason: 'terminal',
          current: stored,
        });
      expect(await archive.getExperiment(experiment.id)).toEqual(stored);
    });

    it('refuses NaN for a fitness and keeps the record as it was', async () => {
      const archive = await freshArchive(create);
      const experiment = anExperiment({ state: 'trained' });
      await archive.createExperiment(experiment);
      const fitness = { ...aFitness(), value: Number.NaN };
      await expect(archive.updateExperiment(experiment.id, 0, { fitness })).rejects.toThrow(/e0001.*fitness\.value is NaN/);
      expect(await archive.getExperiment(experiment.id)).toEqual(experiment);
    });
  });

  describe('verdicts', () => {
    it('is set once on a recorded experiment and then never changes', async () => {
      const archive = await freshArchive(create);
      const recorded = anExperiment({ state: 'recorded', epoch: 6 });
      await archive.createExperiment(recorded);
      const written = await archive.setVerdict(recorded.id, aVerdict());
      expect(written).toMatchObject({
        ok: true,
        value: { ...recorded, verdict: aVerdict(), epoch: 7, updatedAt: expect.any(String) },
      });
      const stored = await archive.getExperiment(recorded.id);
      expect(stored).toEqual(written.ok ? written.value : null);
      expect(await archive.setVerdict(recorded.id, aVerdict())).toEqual({ ok: true, value: stored });
      const other = aVerdict({ verdict: 'worse', statement: 'Worse than deltanet.' });
      expect(await archive.setVerdict(recorded.id, other)).toEqual({ ok: false, reason: 'terminal', current: stored });
      expect(await archive.getExperiment(recorded.id)).toEqual(stored);
    });

    it.each(experimentStates.filter((state) => state !== 'recorded'))(
      'is refused for an experiment that is %s',
      async (state) => {
        const archive = await freshArchive(create);
        const experiment = anExperiment({ state });
        await archive.createExperiment(experiment);
        const reason = (terminalStates as readonly string[]).includes(state) ? 'terminal' : 'stale';
        expect(await archive.setVerdict(experiment.id, aVerdict())).toEqual({ ok: false, reason, current: experiment });
        expect(await archive.getExperiment(experiment.id)).toEqual(experiment);
      },
    );

    it('is refused for an experiment that does not exist', async () => {
      const archive = await freshArchive(create);
      expect(await archive.setVerdict('c-test/e0001', aVerdict())).toEqual({ ok: false, reason: 'missing', current: null });
    });
  });

  describe('lists of experiments', () => {
    it('are by number, of one campaign, and filtered by state, kind, program and parent', async () => {
      const archive = await freshArchive(create);
      const all = [
        anExperiment({ number: 10, state: 'recorded', kind: 'baseline' }),
        anExperiment({ number: 2, state: 'failed', parentId: 'c-test/e0010' }),
        anExperiment({
          number: 100,
          state: 'recorded',
          parentId: 'c-test/e0010',
          architecture: anArchitecture({ hash: aHash('same') }),
        }),
        anExperiment({ number: 33, state: 'proposed', architecture: anArchitecture({ hash: aHash('same') }) }),
      ];
      for (const experiment of all) await archive.createExperiment(experiment);
      await archive.createExperiment(anExperiment({ campaignId: 'c-other', state: 'recorded' }));
      const numbers = async (filter?: Parameters<typeof archive.listExperiments>[1]) =>
        (await archive.listExperiments('c-test', filter)).map(({ number }) => number);
      expect(await numbers()).toEqual([2, 10, 33, 100]);
      expect(await numbers({ states: ['recorded', 'proposed'] })).toEqual([10, 33, 100]);
      expect(await numbers({ states: [] })).toEqual([]);
      expect(await numbers({ kinds: ['baseline'] })).toEqual([10]);
      expect(await numbers({ programHash: aHash('same') })).toEqual([33, 100]);
      expect(await numbers({ parentId: 'c-test/e0010' })).toEqual([2, 100]);
      expect(await numbers({ parentId: 'c-test/e0010', states: ['failed'], kinds: ['candidate'] })).toEqual([2]);
      expect(await numbers({ above: 10 })).toEqual([33, 100]);
      expect(await numbers({ latest: 2 })).toEqual([33, 100]);
      expect(await numbers({ latest: 0 })).toEqual([]);
      expect(await archive.listExperiments('c-test', { kinds: ['baseline'] })).toEqual([all[0]]);
    });

    it('follow the program when it is repaired', async () => {
      const archive = await freshArchive(create);
      await archive.createExperiment(
        anExperiment({ state: 'proposed', architecture: anArchitecture({ hash: aHash('broken') }) }),
      );
      await archive.updateExperiment('c-test/e0001', 0, { architecture: anArchitecture({ hash: aHash('mended') }) });
      expect(await archive.listExperiments('c-test', { programHash: aHash('broken') })).toEqual([]);
      expect(await archive.listExperiments('c-test', { programHash: aHash('mended') })).toHaveLength(1);
    });

    it('are counted by state, zero included', async () => {
      const archive = await freshArchive(create);
      const states = ['recorded', 'recorded', 'failed', 'planned'] as const;
      for (const [index, state] of states.entries()) await archive.createExperiment(anExperiment({ number: index, state }));
      await archive.createExperiment(anExperiment({ campaignId: 'c-other' }));
      await archive.updateExperiment('c-test/e0003', 0, { state: 'cancelled' });
      expect(await archive.countExperiments('c-test')).toEqual({
        ...Object.fromEntries(experimentStates.map((state) => [state, 0])),
        recorded: 2,
        failed: 1,
        cancelled: 1,
      });
    });
  });
};
