import { NativeConnection, Worker } from '@temporalio/worker';
import type { Judge } from '../../services/judge/judge.ts';
import type { Config } from '../config.ts';
import { roles } from './role.ts';
import { type Host, openRole } from './roles.ts';

export interface RunningWorkers {
  /** Drains and closes all of them; rejects if one of them had failed. */
  stop(): Promise<void>;
}

/** Every role in this process, for benchmarks of the loop and tests of the workflows; the product runs each in its own. */
export const runAllRoles = async (
  config: Config,
  createHost?: () => Host,
  createJudge?: () => Judge,
): Promise<RunningWorkers> => {
  const connection = await NativeConnection.connect({ address: config.temporalAddress });
  const opened = await Promise.all(roles.map((role) => openRole(role, config, createHost, createJudge)));
  const workers = await Promise.all(
    opened.map(({ worker }) =>
      Worker.create({
        connection,
        namespace: config.namespace,
        shutdownGraceTime: '1 second',
        shutdownForceTime: '10 seconds',
        ...worker,
      }),
    ),
  );
  const runs = Promise.all(workers.map((worker) => worker.run()));
  // Reported by stop(); until then nobody awaits it.
  runs.catch(() => undefined);
  return {
    async stop() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      try {
        await runs;
      } finally {
        await Promise.all(opened.map((role) => role.close()));
        await connection.close();
      }
    },
  };
};
