import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { readConfig } from '../config.ts';
import { runAllRoles } from '../roles/in-process.ts';
import { startStack } from '../supervisor/index.ts';
import { InstantHost, type Span } from './instant-host.ts';
import { InstantJudge } from './instant-judge.ts';

export interface LoopBench {
  readonly numExperiments: number;
  readonly wallSeconds: number;
  readonly experimentsAnHour: number;
  /** Processor time of this process (all workers) per experiment; the server's is not in it. */
  readonly cpuMsAnExperiment: number;
  /** Time between the end of one training of three seconds and the start of the next on a slot. */
  readonly idleGapMs: { readonly p50: number; readonly p95: number; readonly max: number };
}

const slots = 2;
const campaignId = 'c-bench';

/**
 * Whole campaigns on the real server, workflows, archive, evolver and program generator, with a host that answers at once: what is left is the
 * cost of the loop. A second, short campaign with trainings of three seconds, shorter than those of any rung but
 * `tiny`, shows how long a slot waits between two of them. Every number is
 * of this machine and this run.
 */
export const benchLoop = async (numExperiments: number): Promise<LoopBench> => {
  const fast = await runCampaign({ numExperiments, host: new InstantHost() });
  const paced = new InstantHost({ trainingMs: 3000 });
  await runCampaign({ numExperiments: 20, host: paced });
  return {
    numExperiments: fast.numCandidates,
    wallSeconds: fast.wallSeconds,
    experimentsAnHour: (3600 * fast.numCandidates) / fast.wallSeconds,
    cpuMsAnExperiment: (1000 * fast.cpuSeconds) / fast.numCandidates,
    idleGapMs: gaps(paced.spans),
  };
};

const runCampaign = async ({ numExperiments, host }: { readonly numExperiments: number; readonly host: InstantHost }) => {
  const home = mkdtempSync(join(tmpdir(), 'asi-bench-'));
  const config = { ...readConfig(), home, slots };
  const stack = await startStack({ config, roles: [], onLine: () => undefined, freePorts: true });
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
      await client.workflow.execute(workflowTypes.campaign, {
        taskQueue: taskQueues.discovery,
        workflowId: campaignId,
        args: [
          { preset: 'tiny', experiments: numExperiments, exploreSeeds: 1, slots, poolBatch: 5, minutes: 600, trialSeconds: 1e8 },
        ],
      });
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

/** Trainings in order of their start, each given to the slot that has been free for longest. */
const gaps = (spans: readonly Span[]): LoopBench['idleGapMs'] => {
  const trainings = spans.filter((span) => span.command === 'train').toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  const freeSince = Array.from({ length: slots }, () => Number.NEGATIVE_INFINITY);
  const idle: number[] = [];
  for (const span of trainings) {
    const slot = freeSince.indexOf(Math.min(...freeSince));
    const since = freeSince[slot] ?? Number.NEGATIVE_INFINITY;
    if (since > Number.NEGATIVE_INFINITY) idle.push(Math.max(0, span.startedAtMs - since));
    freeSince[slot] = span.endedAtMs;
  }
  idle.sort((a, b) => a - b);
  const at = (share: number) => idle[Math.min(idle.length - 1, Math.floor(share * idle.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
};
