import { describe, expect, it } from 'vitest';
import { aFailure, aHash, aScore, aTrial } from '../../builders.ts';
import { type CreateStore, freshArchive } from './harness.ts';

export const trialTests = (create: CreateStore): void => {
  describe('trials', () => {
    it('keeps a trial as it was given and returns the stored one the second time', async () => {
      const archive = await freshArchive(create);
      const trial = aTrial({ state: 'trained', curve: [{ task: 'bytes', step: 1, loss: null, cpuSeconds: 0.1 }] });
      expect(await archive.createTrial(trial)).toEqual({ created: true, value: trial });
      expect(await archive.createTrial(aTrial({ purpose: 'confirm' }))).toEqual({ created: false, value: trial });
      expect(await archive.getTrial(trial.id)).toEqual(trial);
      expect(await archive.getTrial('c-test/e0001/tiny/s99')).toBeNull();
    });

    it('refuses a trial whose id is that of another seed, rung or experiment', async () => {
      const archive = await freshArchive(create);
      await expect(archive.createTrial({ ...aTrial(), seed: 2 })).rejects.toThrow(/seed 2/);
      await expect(archive.createTrial({ ...aTrial(), rung: 'quick' })).rejects.toThrow(/rung quick/);
      await expect(archive.createTrial({ ...aTrial(), experimentId: 'c-test/e0002' })).rejects.toThrow(
        /experiment c-test\/e0002/,
      );
    });

    it('gives each claim a higher epoch and lets only the last holder write', async () => {
      const archive = await freshArchive(create);
      const { id } = aTrial();
      await archive.createTrial(aTrial());
      expect(await archive.updateTrial(id, 1, { state: 'trained' })).toMatchObject({ ok: false, reason: 'stale' });
      expect(await archive.claimTrial(id)).toMatchObject({ ok: true, value: { epoch: 1, state: 'running' } });
      expect(await archive.claimTrial(id)).toMatchObject({ ok: true, value: { epoch: 2, state: 'running' } });
      const stored = await archive.getTrial(id);
      expect(await archive.updateTrial(id, 1, { state: 'scored' })).toEqual({ ok: false, reason: 'stale', current: stored });
      expect(await archive.getTrial(id)).toEqual(stored);
      const patch = { state: 'trained', checkpointArtifact: aHash('c'), cpuSeconds: 4 } as const;
      expect(await archive.updateTrial(id, 2, patch)).toMatchObject({ ok: true, value: { ...patch, epoch: 2 } });
      expect(await archive.updateTrial(id, 2, { state: 'scored' })).toMatchObject({
        ok: true,
        value: { ...patch, state: 'scored' },
      });
    });

    it.each(['scored', 'failed', 'cancelled'] as const)('never changes or hands out a trial that is %s', async (state) => {
      const archive = await freshArchive(create);
      const { id } = aTrial();
      await archive.createTrial(aTrial());
      await archive.claimTrial(id);
      await archive.updateTrial(id, 1, { state, failure: state === 'scored' ? null : aFailure({ stage: 'train' }) });
      const stored = await archive.getTrial(id);
      expect(await archive.claimTrial(id)).toEqual({ ok: false, reason: 'terminal', current: stored });
      expect(await archive.updateTrial(id, 1, { state: 'running' })).toEqual({ ok: false, reason: 'terminal', current: stored });
      expect(await archive.getTrial(id)).toEqual(stored);
    });

    it('says that a trial is missing', async () => {
      const archive = await freshArchive(create);
      const missing = { ok: false, reason: 'missing', current: null };
      expect(await archive.claimTrial('c-test/e0001/tiny/s1')).toEqual(missing);
      expect(await archive.updateTrial('c-test/e0001/tiny/s1', 0, {})).toEqual(missing);
    });

    it('never lets a patch change what a trial is', async () => {
      const archive = await freshArchive(create);
      const trial = aTrial();
      await archive.createTrial(trial);
      const sly = { id: 'c-test/e0001/tiny/s9', seed: 9, rung: 'quick', epoch: 40, experimentId: 'c-test/e0002', cpuSeconds: 2 };
      expect(await archive.updateTrial(trial.id, 0, sly)).toMatchObject({
        ok: true,
        value: { ...trial, cpuSeconds: 2, updatedAt: expect.any(String) },
      });
    });

    it('are listed by experiment and by campaign', async () => {
      const archive = await freshArchive(create);
      const trials = [
        aTrial({ seed: 1 }),
        aTrial({ seed: 2 }),
        aTrial({ experimentId: 'c-test/e0002' }),
        aTrial({ experimentId: 'c-test2/e0001' }),
      ];
      for (const trial of trials) await archive.createTrial(trial);
      expect(await archive.listTrials({ experimentId: 'c-test/e0001' })).toEqual(trials.slice(0, 2));
      expect(await archive.listTrials({ campaignId: 'c-test' })).toEqual(trials.slice(0, 3));
      expect(await archive.listTrials({ campaignId: 'c-none' })).toEqual([]);
    });
  });

  describe('scores', () => {
    it('are appended and never replaced', async () => {
      const archive = await freshArchive(create);
      const first = aScore({ value: 2.5 });
      await archive.appendScores([first]);
      await archive.appendScores([aScore({ value: 0.1 }), aScore({ metric: 'recall-auc', value: 1 })]);
      expect(await archive.listScores({ trialId: first.trialId })).toEqual([first, aScore({ metric: 'recall-auc', value: 1 })]);
    });

    it('are one for each set, and say how often a set was looked at', async () => {
      const archive = await freshArchive(create);
      const search = aScore({ set: 'search' });
      const champion = aScore({ set: 'champion', value: 2.6 });
      const other = aScore({ trialId: 'c-test2/e0001/tiny/s1', set: 'champion' });
      await archive.appendScores([search, champion, aScore({ set: 'champion', metric: 'recall-auc', value: 1 })]);
      await archive.appendScores([other, aScore({ set: 'champion', value: 0.1 })]);
      expect((await archive.listScores({ trialId: search.trialId })).filter((row) => row.metric === 'bits-per-byte')).toEqual([
        champion,
        search,
      ]);
      const { dataHash } = search;
      await archive.appendScores([aScore({ trialId: 'c-test2/e0001/tiny/s2', set: 'champion' })]);
      const nothing = { trials: 0, campaigns: 0 };
      expect(await archive.countLooks({ dataHash, set: 'search' })).toEqual({ trials: 1, campaigns: 1 });
      expect(await archive.countLooks({ dataHash, set: 'champion' })).toEqual({ trials: 3, campaigns: 2 });
      expect(await archive.countLooks({ dataHash, set: 'champion', uncounted: ['tiny'] })).toEqual(nothing);
      await archive.appendScores([aScore({ trialId: 'c-test2/e0001/quick/s1', set: 'champion' })]);
      const one = { trials: 1, campaigns: 1 };
      expect(await archive.countLooks({ dataHash, set: 'champion', uncounted: ['tiny', 'standard'] })).toEqual(one);
      expect(await archive.countLooks({ dataHash, set: 'promotion' })).toEqual(nothing);
      expect(await archive.countLooks({ dataHash: '0'.repeat(64), set: 'champion' })).toEqual(nothing);
    });

    it('are all written or none', async () => {
      const archive = await freshArchive(create);
      const rows = [aScore(), { ...aScore({ metric: 'recall-auc' }), value: Number.POSITIVE_INFINITY }];
      await expect(archive.appendScores(rows)).rejects.toThrow(/recall-auc.*value is Infinity/);
      expect(await archive.listScores({ trialId: aScore().trialId })).toEqual([]);
    });

    it('are listed by trial, experiment and campaign', async () => {
      const archive = await freshArchive(create);
      const rows = ['c-test/e0001/tiny/s1', 'c-test/e0001/tiny/s2', 'c-test/e0002/tiny/s1', 'c-test2/e0001/tiny/s1'].map(
        (trialId) => aScore({ trialId }),
      );
      await archive.appendScores(rows);
      expect(await archive.listScores({ trialId: 'c-test/e0001/tiny/s2' })).toEqual([rows[1]]);
      expect(await archive.listScores({ experimentId: 'c-test/e0001' })).toEqual(rows.slice(0, 2));
      expect(await archive.listScores({ campaignId: 'c-test' })).toEqual(rows.slice(0, 3));
    });
  });
};
