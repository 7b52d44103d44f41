import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { closeTrials } from '../../../workers/activities/close-trials.ts';
import { settleSeconds } from '../../../workers/activities/trial-budget.ts';
import { workdirOf } from '../../../workers/activities/workdir.ts';
import { trialId } from '../../../workflows/contracts/naming.ts';
import { aLedgerRow, anExperiment, aTrial } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const now = (): Date => new Date();
const experiment = anExperiment();
const why = { label: 'cancelled', detail: 'the campaign ended: cancelled by a person' } as const;

const trialOf = (seed: number) =>
  aTrial({ id: trialId(experiment.id, { rung: 'tiny', seed }), experimentId: experiment.id, seed });

/** One trial that a worker held when it died, and one that ended before; both with their reserves. */
const leftByDeadWorker = async () => {
  const folder = temporaryFolder();
  const archive = openSqliteArchive(join(folder, 'archive.db'));
  const workFolder = join(folder, 'work');
  onTestFinished(() => archive.close());
  const [open, ended] = [trialOf(1), trialOf(2)];
  for (const trial of [open, ended]) {
    mkdirSync(join(workdirOf(workFolder, trial.id), 'checkpoints'), { recursive: true });
    writeFileSync(`${workdirOf(workFolder, trial.id)}.state`, 'a checkpoint that was kept');
    await archive.createTrial({ ...trial, state: 'queued', epoch: 0, failure: null });
    await archive.appendLedger(
      aLedgerRow({
        id: `${trial.id}#reserve`,
        campaignId: experiment.campaignId,
        purpose: trial.id,
        kind: 'reserve',
        amount: 30,
      }),
    );
  }
  const claimed = await archive.claimTrial(open.id);
  const other = await archive.claimTrial(ended.id);
  if (!claimed.ok || !other.ok) throw new Error('the trials were not claimed');
  await archive.updateTrial(open.id, claimed.value.epoch, { cpuSeconds: 4 });
  await settleSeconds({ archive, now }, ended.id, 10);
  await archive.updateTrial(ended.id, other.value.epoch, { state: 'scored', cpuSeconds: 10 });
  return { archive, workFolder, open: claimed.value, ended };
};

describe('trials of an experiment that is over', () => {
  it('are ended with the reason, and what they used takes the place of their reserve', async () => {
    const { archive, workFolder, open } = await leftByDeadWorker();
    await closeTrials({ archive, now, workFolder }, await archive.listTrials({ experimentId: experiment.id }), why);
    expect(await archive.getTrial(open.id)).toMatchObject({ state: 'cancelled', failure: why });
    const totals = await archive.ledgerTotals(experiment.campaignId);
    expect(totals['trial-seconds']).toEqual({ settled: 14, open: 0 });
  });

  it('leave no work folder behind, nor what was kept beside it, whoever ended them', async () => {
    const { archive, workFolder } = await leftByDeadWorker();
    await closeTrials({ archive, now, workFolder }, await archive.listTrials({ experimentId: experiment.id }), why);
    expect(readdirSync(workFolder, { recursive: true })).toEqual([]);
  });

  it('stay as they are when they had ended by themselves', async () => {
    const { archive, workFolder, ended } = await leftByDeadWorker();
    const before = await archive.getTrial(ended.id);
    await closeTrials({ archive, now, workFolder }, await archive.listTrials({ experimentId: experiment.id }), why);
    expect(await archive.getTrial(ended.id)).toEqual(before);
  });

  it('take no more writes from a worker that still believes to hold them', async () => {
    const { archive, workFolder, open } = await leftByDeadWorker();
    await closeTrials({ archive, now, workFolder }, await archive.listTrials({ experimentId: experiment.id }), {
      label: 'infra',
      detail: 'outage',
    });
    expect(await archive.updateTrial(open.id, open.epoch, { state: 'trained' })).toMatchObject({ ok: false });
    expect((await archive.getTrial(open.id))?.state).toBe('failed');
  });
});
