import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { readConfig } from '../config.ts';
import { runAllRoles } from '../roles/in-process.ts';
import { startStack } from '../supervisor/index.ts';
import { InstantHost } from './instant-host.ts';
import { InstantJudge } from './instant-judge.ts';
import { gapsOf, type Quantiles } from './spans.ts';

export interface LoopBench {
  readonly numExperiments: number;
  readonly wallSeconds: number;
  readonly experimentsAnHour: number;
  /** Processor time of this process (all workers) per experiment; the server's is not in it. */
  readonly cpuMsAnExperiment: number;
  /** Time between the end of one training of three seconds and the start of the next on a slot. */
  readonly idleGapMs: Quantiles;
}

const slots = 2;
const campaignId = 'c-bench';

/**
 * Whole campaigns on the real server, workflows, archive, evolver and program generator, with a host that answers at once: what is left is the
 * cost of the loop. A second, short campaign with trainings of three seconds, shorter than those of any rung but
 * `tiny`, shows how long a slot waits between two of them. Every number is
 * of this machine and this run. Aborting the signal ends the stack and rejects.
 */
export const benchLoop = async (numExperiments: number, signal: AbortSignal): Promise<LoopBench> => {
  const fast = await runCampaign({ numExperiments, host: new InstantHost(), signal });
  const paced = new InstantHost({ trainingMs: 3000 });
  await runCampaign({ numExperiments: 20, host: paced, signal });
  return {
    numExperiments: fast.numCandidates,
    wallSeconds: fast.wallSeconds,
    experimentsAnHour: (3600 * fast.numCandidates) / fast.wallSeconds,
    cpuMsAnExperiment: (1000 * fast.cpuSeconds) / fast.numCandidates,
    idleGapMs: gapsOf(
      paced.spans.filter(({ command }) => command === 'train'),
      slots,
    ).idleMs,
  };
};

const runCampaign = async ({
  numExperiments,
  host,
  signal,
}: {
  readonly numExperiments: number;
  readonly host: InstantHost;
  readonly signal: AbortSignal;
}) => {
  const home = mkdtempSync(join(tmpdir(), 'asi-bench-'));
  const config = { ...readConfig(), home, slots };
  const stack = await startStack({ config, roles: [], onLine: () => undefined, freePorts: true, signal });
  try {
    const workers = await runAllRoles(
      { ...config, temporalAddress: stack.temporalAddress },
      () => host,
      () => new InstantJudge(),
    );
    const connection = await Connection.connect({ address: stack.temporalAddress });
    try {
      const client = new Client({ connection });
      const cpuBefore = process.cpuUsage();
      const startedAtMs = performance.now();
      await client.withAbortSignal(signal, () =>
        client.workflow.execute(workflowTypes.campaign, {
          taskQueue: taskQueues.discovery,
          workflowId: campaignId,
          args: [
            {
              preset: 'tiny',
              experiments: numExperiments,
              exploreSeeds: 1,
              slots,
              poolBatch: 5,
              minutes: 600,
              trialSeconds: 1e8,
            },
          ],
        }),
      );
      const wallSeconds = (performance.now() - startedAtMs) / 1000;
      const cpu = process.cpuUsage(cpuBefore);
      return { numCandidates: await countCandidates(home), wallSeconds, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
    } finally {
      await connection.close();
      await workers.stop();
    }
  } finally {
    await stack.stop();
    rmSync(home, { recursive: true, force: true });
  }
};

const countCandidates = async (home: string): Promise<number> => {
  const archive = openSqliteArchive(join(home, 'archive.db'));
  try {
    return (await archive.listExperiments(campaignId, { kinds: ['candidate'] })).length;
  } finally {
    await archive.close();
  }
};
