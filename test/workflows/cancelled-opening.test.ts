import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../../workers/config.ts';
import { openRole } from '../../workers/roles/roles.ts';
import { startStack } from '../../workers/supervisor/index.ts';
import { type CampaignStatus, statusQuery, taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { quietTemporal } from '../support/quiet-temporal.ts';

/** Notices that it is to end, and does not come to say so, as one whose worker dies then. */
const openCampaign = async (): Promise<never> => {
  for (;;) {
    Context.current().heartbeat();
    if (Context.current().cancellationSignal.aborted) throw new Error('the worker is gone');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const closers: (() => Promise<void>)[] = [];
let client: Client;
beforeAll(async () => {
  quietTemporal();
  const base = { ...readConfig(), home: mkdtempSync(join(tmpdir(), 'asi-orphan-')), slots: 2 };
  const stack = await startStack({ config: base, roles: [], onLine: () => undefined, freePorts: true });
  const config = { ...base, temporalAddress: stack.temporalAddress };
  const role = await openRole('orchestrator', config);
  const [native, connection] = await Promise.all([
    NativeConnection.connect({ address: config.temporalAddress }),
    Connection.connect({ address: config.temporalAddress }),
  ]);
  client = new Client({ connection });
  const worker = await Worker.create({
    connection: native,
    namespace: config.namespace,
    ...role.worker,
    activities: { ...role.worker.activities, openCampaign },
  });
  const running = worker.run();
  closers.push(async () => {
    worker.shutdown();
    await running;
    await Promise.all([role.close(), native.close(), connection.close()]);
    await stack.stop();
    rmSync(base.home, { recursive: true, force: true });
  });
}, 120_000);
afterAll(async () => {
  for (const close of closers) await close();
}, 60_000);

it('a campaign whose worker dies while its opening is cancelled ends as cancelled, not as failed', async () => {
  const handle = await client.workflow.start(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId: 'c-orphaned',
    args: [{ preset: 'tiny' }],
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await handle.cancel();
  await handle.result().catch(() => undefined);
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  const { state, stage } = await handle.query<CampaignStatus>(statusQuery);
  expect({ state, stage }).toEqual({ state: 'cancelled', stage: 'cancelled by a person while it opened' });
}, 60_000);
