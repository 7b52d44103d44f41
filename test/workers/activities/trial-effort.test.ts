import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { effortOf } from '../../../workers/activities/trial-effort.ts';
import type { Trial, TrialUsage } from '../../../workflows/contracts/trial.ts';
import { aCampaign, aModelSize, anArchitecture, anExperiment, aScore, aTrial } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const sizes = (['bytes', 'recall'] as const).map((task) => aModelSize({ task, operators: 400, bytesPerToken: 40_000 }));
const architecture = anArchitecture({ sizes });
const usage = (trainSeconds: number, answerSeconds: number | null = null): TrialUsage => ({
  ...{ trainSeconds, answerSeconds },
  ...{ timesExpected: null, timesReference: null, mark: null },
});

const campaign = aCampaign();
const context = (number: number, kind: 'baseline' | 'candidate') => ({
  campaign,
  experiment: anExperiment({ number, kind, state: 'checked', architecture }),
  programHash: architecture.hash,
  workdir: '',
});

/** A reference whose training took ten seconds on two seeds and whose answers took one, and a candidate. */
const opened = async () => {
  const archive = openSqliteArchive(join(temporaryFolder(), 'archive.db'));
  await archive.createCampaign(campaign);
  const store = async (trial: Trial) => archive.createTrial(trial);
  for (const number of [1, 2])
    await archive.createExperiment(context(number, number === 1 ? 'baseline' : 'candidate').experiment);
  for (const seed of [1, 2]) await store(aTrial({ experimentId: 'c-test/e0001', seed, state: 'scored', usage: usage(10, 1) }));
  return { archive, store };
};
const trained = (trainSeconds: number, part: Partial<Trial> = {}): Trial =>
  aTrial({ experimentId: 'c-test/e0002', state: 'trained', usage: usage(trainSeconds), ...part });

describe('what a trial used', () => {
  it('stands beside what the reference used', async () => {
    const { archive } = await opened();
    const effort = await effortOf(archive, context(2, 'candidate'), { trial: trained(14), answerSeconds: 1.4, rows: [] });
    expect(effort?.verdict.kind).toBe('plain');
    expect(effort?.usage).toMatchObject({ trainSeconds: 14, answerSeconds: 1.4, timesReference: 1.4, mark: null });
    expect(effort?.usage.timesExpected).toBeCloseTo(1);
  });

  it('is refused where neither its counted work nor its answers explain it', async () => {
    const { archive } = await opened();
    const effort = await effortOf(archive, context(2, 'candidate'), { trial: trained(30), answerSeconds: 1, rows: [] });
    expect(effort?.verdict.kind).toBe('refused');
    expect(effort?.usage.timesReference).toBe(3);
  });

  it('is marked in between, in words that the record keeps', async () => {
    const { archive } = await opened();
    const effort = await effortOf(archive, context(2, 'candidate'), { trial: trained(19), answerSeconds: 1, rows: [] });
    expect(effort?.usage.mark).toContain('19.0 CPU seconds, 1.90 times');
  });

  it('is the measure and not measured where it is a baseline', async () => {
    const { archive } = await opened();
    const effort = await effortOf(archive, context(1, 'baseline'), {
      trial: aTrial({ state: 'trained', usage: usage(90) }),
      answerSeconds: 1,
      rows: [],
    });
    expect(effort).toMatchObject({ verdict: { kind: 'plain' }, usage: { timesExpected: null, mark: null } });
  });

  it('of a confirming trial is held against the answers that its program gave while exploring', async () => {
    const { archive, store } = await opened();
    const confirming = trained(30, { purpose: 'confirm', seed: 1001 });
    const judge = () => effortOf(archive, context(2, 'candidate'), { trial: confirming, answerSeconds: 20, rows: [] });
    expect((await judge())?.verdict.kind).toBe('marked');
    await store(aTrial({ experimentId: 'c-test/e0002', seed: 1, state: 'scored', usage: usage(10, 1) }));
    expect((await judge())?.verdict.kind).toBe('refused');
  });

  it('says how far the score lies below the last loss, beyond the baselines', async () => {
    const { archive, store } = await opened();
    const curve = [40, 80].map((step) => ({ task: 'bytes', step, loss: (4 - step / 80) * Math.LN2, cpuSeconds: 1 }));
    const rows = [aScore({ metric: 'bits-per-byte', value: 2 }), aScore({ metric: 'copy-loss', value: 1 })];
    const judge = () => effortOf(archive, context(2, 'candidate'), { trial: trained(14, { curve }), answerSeconds: 1, rows });
    expect((await judge())?.usage).toMatchObject({ aheadOfTraining: expect.closeTo(1), aheadOfBaselines: null });
    for (const [seed, aheadOfTraining] of [
      [3, 0.2],
      [4, 0.3],
      [5, 0.1],
    ] as const)
      await store(aTrial({ experimentId: 'c-test/e0001', seed, state: 'scored', usage: { ...usage(10, 1), aheadOfTraining } }));
    expect((await judge())?.usage).toMatchObject({ aheadOfTraining: expect.closeTo(1), aheadOfBaselines: expect.closeTo(0.8) });
  });

  it('is not known of a record of an older version', async () => {
    const { archive } = await opened();
    const { usage: _, ...older } = trained(30);
    expect(await effortOf(archive, context(2, 'candidate'), { trial: older, answerSeconds: 1, rows: [] })).toBeNull();
  });
});
