import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFolderArtifacts } from '../../services/artifacts/folder-artifacts.ts';
import { InstantHost } from '../../workers/bench/instant-host.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { secretMark } from '../../workflows/rules/secrets.ts';
import { type Loop, startLoop } from '../support/loop.ts';

const secret = 'hunter2-hunter2';
const id = 'c-that-tells';

/** Its candidates found a secret of the worker, and say it in their refusal and in their log. */
class TellingHost extends InstantHost {
  override async run(job: Parameters<InstantHost['run']>[0]) {
    const end = await super.run(job);
    if (job.command !== 'check' || /\/e000[12]#/.test(job.id)) return end;
    const path = join(job.workdir, 'result.json');
    const told = { status: 'fail', label: 'gate', detail: `finite: the output is ${secret}` };
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...told }));
    return { ...end, logTail: `I know ${secret} and AKIAIOSFODNN7EXAMPLE` };
  }
}

let loop: Loop;
beforeAll(async () => {
  loop = await startLoop({ host: new TellingHost(), secrets: [{ name: 'DB_PASSWORD', value: secret }] });
}, 120_000);
afterAll(async () => {
  await loop?.stop();
}, 60_000);

it('a secret of the workers that a candidate tells stands in no record, log or history', { timeout: 120_000 }, async () => {
  await loop.client.workflow.execute(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId: id,
    args: [{ preset: 'tiny', experiments: 1, maxRepairs: 0 }],
  });
  const candidates = await loop.archive.listExperiments(id, { kinds: ['candidate'] });
  const failures = candidates.flatMap(({ failure }) => failure ?? []);
  expect(failures[0]?.detail).toBe(`finite: the output is ${secretMark('value of DB_PASSWORD')}`);
  const logs = await Promise.all(
    failures.map(({ logArtifact }) => openFolderArtifacts(join(loop.config.home, 'artifacts')).getText(logArtifact ?? '')),
  );
  expect(logs[0]).toBe(`I know ${secretMark('value of DB_PASSWORD')} and ${secretMark('AWS access key')}`);
  for (const workflowId of [id, ...candidates.map((one) => one.id)]) {
    const history = await loop.client.workflow.getHandle(workflowId).fetchHistory();
    // The contents of its payloads are JSON behind base64.
    const texts = [...JSON.stringify(history).matchAll(/"data":"([^"]+)"/g)]
      .map(([, data = '']) => Buffer.from(data, 'base64').toString())
      .join('\n');
    expect(texts).toContain('campaignId');
    expect(texts).not.toContain(secret);
  }
});
