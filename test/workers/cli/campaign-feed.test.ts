import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Archive } from '../../../services/archive/archive.ts';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { CampaignFeed } from '../../../workers/cli/campaign-feed.ts';
import { aCampaign, anExperiment, aTrial, aVerdict } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { aStatus } from '../seeded-campaign.ts';

const noStatus = async () => null;
const openArchive = (): Archive => openSqliteArchive(join(temporaryFolder(), 'archive.db'));

/** Counts how often each experiment is read. */
const counting = (archive: Archive): { readonly archive: Archive; readonly reads: string[] } => {
  const reads: string[] = [];
  const getExperiment = (id: string) => {
    reads.push(id);
    return archive.getExperiment(id);
  };
  return { archive: { ...archive, getExperiment }, reads };
};

describe('the feed of a campaign', () => {
  it('has nothing to tell before the record is written', async () => {
    const feed = new CampaignFeed({ archive: openArchive(), campaignId: 'c-test', readStatus: noStatus });
    expect(await feed.read(5)).toEqual({
      campaignId: 'c-test',
      campaign: null,
      status: null,
      experiments: [],
      activeTrials: [],
      trouble: null,
      nowMs: 5,
    });
  });

  it('does not show the record of another run under the same id', async () => {
    const archive = openArchive();
    await archive.createCampaign(aCampaign({ runId: 'earlier', state: 'finished' }));
    await archive.createExperiment(anExperiment({ number: 1, state: 'recorded' }));
    const options = { archive, campaignId: 'c-test', readStatus: noStatus };
    expect(await new CampaignFeed({ ...options, runId: 'mine' }).read(0)).toMatchObject({ campaign: null, experiments: [] });
    expect((await new CampaignFeed({ ...options, runId: 'earlier' }).read(0)).campaign?.state).toBe('finished');
  });

  it('reads an experiment that is over once, and an open one each time', async () => {
    const { archive, reads } = counting(openArchive());
    await archive.createCampaign(aCampaign());
    await archive.createExperiment(anExperiment({ number: 1, state: 'recorded' }));
    await archive.createExperiment(anExperiment({ number: 2, state: 'checked' }));
    await archive.createTrial(aTrial({ experimentId: 'c-test/e0002', state: 'running' }));
    const feed = new CampaignFeed({ archive, campaignId: 'c-test', readStatus: noStatus });
    await feed.read(0);
    const { experiments, activeTrials } = await feed.read(0);
    expect(experiments.map(({ number }) => number)).toEqual([1, 2]);
    expect(activeTrials.map(({ experimentId }) => experimentId)).toEqual(['c-test/e0002']);
    expect(reads.filter((id) => id === 'c-test/e0001')).toHaveLength(1);
    expect(reads.filter((id) => id === 'c-test/e0002')).toHaveLength(2);
  });

  it('does not miss a record that comes later than one with a higher number', async () => {
    const archive = openArchive();
    await archive.createCampaign(aCampaign());
    await archive.createExperiment(anExperiment({ number: 2, state: 'recorded' }));
    const feed = new CampaignFeed({ archive, campaignId: 'c-test', readStatus: noStatus });
    expect((await feed.read(0)).experiments.map(({ number }) => number)).toEqual([2]);
    await archive.createExperiment(anExperiment({ number: 1, state: 'recorded' }));
    expect((await feed.read(0)).experiments.map(({ number }) => number)).toEqual([1, 2]);
  });

  it('sees the verdicts that come after the records, once the campaign is over', async () => {
    const archive = openArchive();
    const { value: campaign } = await archive.createCampaign(aCampaign({ state: 'verifying' }));
    await archive.createExperiment(anExperiment({ number: 1, state: 'recorded' }));
    const feed = new CampaignFeed({ archive, campaignId: 'c-test', readStatus: noStatus });
    await feed.read(0);
    await archive.setVerdict('c-test/e0001', aVerdict());
    await archive.updateCampaign('c-test', campaign.epoch, { state: 'finished', finishedAt: '2026-11-21T11:00:00.000Z' });
    expect((await feed.read(0)).experiments[0]?.verdict?.verdict).toBe('better');
  });

  it('follows the confirming trials of leaders and baselines while verifying', async () => {
    const archive = openArchive();
    await archive.createCampaign(aCampaign({ state: 'verifying' }));
    await archive.createExperiment(anExperiment({ number: 1, kind: 'baseline', state: 'recorded' }));
    await archive.createExperiment(anExperiment({ number: 2, state: 'recorded' }));
    for (const number of [1, 2]) {
      await archive.createTrial(
        aTrial({ experimentId: `c-test/e000${number}`, seed: 101, purpose: 'confirm', state: 'running' }),
      );
    }
    const best = [
      { experimentId: 'c-test/e0002', name: 'x', kind: 'candidate', fitness: 1, gain: null, changed: '', verdict: null },
    ] as const;
    for (const readStatus of [noStatus, async () => aStatus({ best })]) {
      const feed = new CampaignFeed({ archive, campaignId: 'c-test', readStatus });
      expect((await feed.read(0)).activeTrials.map(({ experimentId }) => experimentId).toSorted()).toEqual([
        'c-test/e0001',
        'c-test/e0002',
      ]);
    }
  });
});
