import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { redactingArchive } from '../../../services/archive/redacting-archive.ts';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { redactor, secretMark } from '../../../workflows/rules/secrets.ts';
import { aCampaign, aHash, anExperiment, aScore, aTrial } from '../../support/builders.ts';
import { archiveSuite } from '../../support/suites/archive-suite.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const secret = 'open sesame';
const redact = redactor([{ name: 'CAVE_PASSWORD', value: secret }]);
const mark = secretMark('value of CAVE_PASSWORD');
const failure = { label: 'exit', detail: `it printed ${secret}`, stage: 'check', logArtifact: null } as const;

archiveSuite('a SQLite file behind the redaction', async () => {
  const location = join(temporaryFolder(), 'archive.db');
  const module = fileURLToPath(new URL('../../../services/archive/sqlite-archive.ts', import.meta.url));
  return {
    open: async () => redactingArchive(openSqliteArchive(location), redact),
    opener: { module, name: 'openSqliteArchive', location },
  };
});

describe('what a worker writes into the archive', () => {
  it('holds no secret, in whatever record, and score rows are as they were sealed', async () => {
    const path = join(temporaryFolder(), 'archive.db');
    const archive = redactingArchive(openSqliteArchive(path), redact);
    const experiment = anExperiment({ number: 1, state: 'checked' });
    const trial = aTrial({ experimentId: experiment.id, seed: 1 });
    const row = aScore({ trialId: trial.id });
    await archive.createCampaign(aCampaign({ reason: secret }));
    await archive.updateCampaign(experiment.campaignId, 0, { reason: `because ${secret}` });
    await archive.createExperiment({ ...experiment, attempts: [{ hash: aHash(), proposal: null, failure }] });
    await archive.createTrial(trial);
    const claimed = await archive.claimTrial(trial.id);
    await archive.updateTrial(trial.id, claimed.ok ? claimed.value.epoch : 0, { state: 'failed', failure });
    await archive.updateExperiment(experiment.id, experiment.epoch, { state: 'failed', failure });
    await archive.appendScores([row]);
    await archive.appendAudit({
      experimentId: experiment.id,
      programHash: aHash(),
      cuts: 100,
      passed: false,
      label: 'gate',
      detail: secret,
      gates: [{ gate: 'finite', verdict: 'fail', evidence: `at ${secret}`, measured: 1, limit: 0, seed: 0, seconds: 1 }],
      sandboxTier: 'S2',
      cpuSeconds: 1,
      at: trial.createdAt,
    });
    const stored = {
      campaign: (await archive.getCampaign(experiment.campaignId))?.reason,
      attempt: (await archive.getExperiment(experiment.id))?.attempts[0]?.failure.detail,
      experiment: (await archive.getExperiment(experiment.id))?.failure?.detail,
      trial: (await archive.getTrial(trial.id))?.failure?.detail,
      audit: (await archive.listAudits(experiment.id)).map(({ detail, gates }) => [detail, gates[0]?.evidence]),
    };
    expect(stored).toEqual({
      campaign: `because ${mark}`,
      attempt: `it printed ${mark}`,
      experiment: `it printed ${mark}`,
      trial: `it printed ${mark}`,
      audit: [[mark, `at ${mark}`]],
    });
    expect(await archive.listScores({ trialId: trial.id })).toEqual([row]);
    await archive.close();
  });
});
