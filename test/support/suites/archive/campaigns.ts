import { describe, expect, it } from 'vitest';
import { aCampaign, aConclusion, aPool } from '../../builders.ts';
import { type CreateStore, connect, freshArchive } from './harness.ts';

export const campaignTests = (create: CreateStore): void => {
  describe('campaigns', () => {
    it('keeps a campaign as it was given, for later connections too', async () => {
      const store = await create();
      const first = await connect(store);
      const campaign = aCampaign({ reason: 'quotes "\' and \u0000 and \u{1F600}' });
      expect(await first.createCampaign(campaign)).toEqual({ created: true, value: campaign });
      await first.close();
      expect(await (await connect(store)).getCampaign(campaign.id)).toEqual(campaign);
    });

    it('answers null for a campaign that does not exist', async () => {
      expect(await (await freshArchive(create)).getCampaign('c-none')).toBeNull();
    });

    it('returns the stored campaign when the id exists already', async () => {
      const archive = await freshArchive(create);
      const stored = aCampaign({ runId: 'first' });
      await archive.createCampaign(stored);
      expect(await archive.createCampaign(aCampaign({ runId: 'second' }))).toEqual({ created: false, value: stored });
      expect(await archive.listCampaigns()).toHaveLength(1);
    });

    it('lists the newest first', async () => {
      const archive = await freshArchive(create);
      for (const [id, day] of [
        ['c-b', '20'],
        ['c-c', '22'],
        ['c-a', '21'],
      ] as const)
        await archive.createCampaign(aCampaign({ id, createdAt: `2026-11-${day}T00:00:00.000Z` }));
      expect((await archive.listCampaigns()).map(({ id }) => id)).toEqual(['c-c', 'c-a', 'c-b']);
    });

    it('merges a patch and raises the epoch by one', async () => {
      const archive = await freshArchive(create);
      const campaign = aCampaign({ state: 'calibrating' });
      await archive.createCampaign(campaign);
      const written = await archive.updateCampaign(campaign.id, 0, { state: 'exploring', updatedAt: '2026-11-22T00:00:00.000Z' });
      const expected = { ...campaign, state: 'exploring', epoch: 1, updatedAt: '2026-11-22T00:00:00.000Z' };
      expect(written).toEqual({ ok: true, value: expected });
      expect(await archive.getCampaign(campaign.id)).toEqual(expected);
    });

    it('refuses a patch that was made for an older epoch and says what is stored', async () => {
      const archive = await freshArchive(create);
      await archive.createCampaign(aCampaign());
      const first = await archive.updateCampaign('c-test', 0, { reason: 'first' });
      expect(await archive.updateCampaign('c-test', 0, { reason: 'second' })).toEqual({
        ok: false,
        reason: 'stale',
        current: first.ok ? first.value : null,
      });
      expect((await archive.getCampaign('c-test'))?.reason).toBe('first');
    });

    it('says that a campaign to be changed is missing', async () => {
      const archive = await freshArchive(create);
      expect(await archive.updateCampaign('c-none', 0, { reason: 'x' })).toEqual({ ok: false, reason: 'missing', current: null });
    });

    it.each(['finished', 'cancelled', 'failed'] as const)('never changes a campaign that is %s', async (state) => {
      const archive = await freshArchive(create);
      await archive.createCampaign(aCampaign());
      const ended = await archive.updateCampaign('c-test', 0, { state, conclusion: aConclusion() });
      expect(ended.ok && ended.value.finishedAt).toBeTruthy();
      const stored = await archive.getCampaign('c-test');
      expect(await archive.updateCampaign('c-test', 1, { state: 'exploring' })).toEqual({
        ok: false,
        reason: 'terminal',
        current: stored,
      });
      expect(await archive.getCampaign('c-test')).toEqual(stored);
    });

    it('refuses a record that its schema does not allow, naming field and value, and writes nothing', async () => {
      const archive = await freshArchive(create);
      const campaign = aCampaign();
      await archive.createCampaign(campaign);
      const noise = [{ metric: 'bits-per-byte' as const, pairedSd: Number.NaN, degreesOfFreedom: 3, minimumDetectable: 0.1 }];
      await expect(archive.updateCampaign('c-test', 0, { noise })).rejects.toThrow(/campaign c-test.*noise\.0\.pairedSd is NaN/);
      await expect(archive.createCampaign({ ...campaign, id: 'Not An Id' })).rejects.toThrow(/id is "Not An Id"/);
      expect(await archive.listCampaigns()).toEqual([campaign]);
    });
  });

  describe('pools', () => {
    it('has none at first', async () => {
      expect(await (await freshArchive(create)).getPool('c-test')).toBeNull();
    });

    it('takes versions one after the other and nothing else', async () => {
      const archive = await freshArchive(create);
      expect(await archive.putPool('c-test', aPool({ version: 2 }))).toEqual({ ok: false, reason: 'missing', current: null });
      const first = aPool();
      expect(await archive.putPool('c-test', first)).toEqual({ ok: true, value: first });
      expect(await archive.putPool('c-test', aPool({ entries: [] }))).toEqual({ ok: false, reason: 'stale', current: first });
      expect(await archive.putPool('c-test', aPool({ version: 3 }))).toEqual({ ok: false, reason: 'stale', current: first });
      const second = aPool({ version: 2, entries: [] });
      expect(await archive.putPool('c-test', second)).toEqual({ ok: true, value: second });
      expect(await archive.getPool('c-test')).toEqual(second);
    });

    it('keeps the pools of two campaigns apart', async () => {
      const archive = await freshArchive(create);
      await archive.putPool('c-one', aPool());
      expect(await archive.getPool('c-two')).toBeNull();
      expect(await archive.putPool('c-two', aPool({ entries: [] }))).toMatchObject({ ok: true });
      expect((await archive.getPool('c-one'))?.entries).toHaveLength(1);
    });

    it('refuses a fitness that is not a number', async () => {
      const archive = await freshArchive(create);
      const pool = { ...aPool(), entries: [{ experimentId: 'c-test/e0001', fitness: Number.NaN, depth: 0 }] };
      await expect(archive.putPool('c-test', pool)).rejects.toThrow(/pool of c-test.*entries\.0\.fitness is NaN/);
      expect(await archive.getPool('c-test')).toBeNull();
    });
  });
};
