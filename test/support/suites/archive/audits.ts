import { describe, expect, it } from 'vitest';
import type { Audit } from '../../../../workflows/contracts/audit.ts';
import { aGateResult, aHash } from '../../builders.ts';
import { type CreateStore, freshArchive } from './harness.ts';

const anAudit = (part: Partial<Audit> = {}): Audit => ({
  experimentId: 'c-test/e0007',
  programHash: aHash('program'),
  cuts: 100,
  passed: true,
  label: null,
  detail: '19 gates passed',
  gates: [aGateResult()],
  sandboxTier: 'S2',
  cpuSeconds: 4.2,
  at: '2026-01-01T00:00:00.000Z',
  ...part,
});

export const auditTests = (create: CreateStore): void => {
  describe('audits', () => {
    it('are kept by rising cuts, each of one experiment', async () => {
      const archive = await freshArchive(create);
      const deep = anAudit({ cuts: 300, passed: false, label: 'gate', detail: 'causality: cut 71' });
      await archive.appendAudit(deep);
      await archive.appendAudit(anAudit());
      await archive.appendAudit(anAudit({ experimentId: 'c-test/e0008' }));
      expect(await archive.listAudits('c-test/e0007')).toEqual([anAudit(), deep]);
      expect(await archive.listAudits('c-test/e0001')).toEqual([]);
    });

    it('stay as they were first written', async () => {
      const archive = await freshArchive(create);
      await archive.appendAudit(anAudit({ passed: false, label: 'gate' }));
      await archive.appendAudit(anAudit());
      expect(await archive.listAudits('c-test/e0007')).toEqual([anAudit({ passed: false, label: 'gate' })]);
    });

    it('are refused where they do not fit their schema', async () => {
      const archive = await freshArchive(create);
      await expect(archive.appendAudit(anAudit({ cuts: 0 }))).rejects.toThrow(/cuts/);
      expect(await archive.listAudits('c-test/e0007')).toEqual([]);
    });
  });
};
