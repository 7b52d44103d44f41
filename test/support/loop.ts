import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Archive } from '../../services/archive/archive.ts';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import { InstantHost } from '../../workers/bench/instant-host.ts';
import { InstantJudge } from '../../workers/bench/instant-judge.ts';
import { type Config, readConfig } from '../../workers/config.ts';
import { runAllRoles } from '../../workers/roles/in-process.ts';
import { startStack } from '../../workers/supervisor/index.ts';
import { quietTemporal } from './quiet-temporal.ts';

export interface Loop {
  readonly config: Config;
  readonly client: Client;
  /** Opened for reading what the campaign wrote. */
  readonly archive: Archive;
  readonly host: InstantHost;
  stop(): Promise<void>;
}

interface LoopOptions {
  readonly trainingMs?: number;
  readonly host?: InstantHost;
  readonly judge?: InstantJudge;
  /** Campaigns that the operator named in ASI_ALLOW_UNSANDBOXED. */
  readonly unsandboxed?: readonly string[];
  readonly secrets?: Config['secrets'];
}

/**
 * The real server, workflows, activities and archive in a private home; only the Python host and the judge answer at once, or after
 * `trainingMs`, or as `host` and `judge` do.
 */
export const startLoop = async (options: LoopOptions = {}): Promise<Loop> => {
  quietTemporal();
  const home = mkdtempSync(join(tmpdir(), 'asi-loop-'));
  const base = { ...readConfig(), home, slots: 2, unsandboxed: new Set(options.unsandboxed), secrets: options.secrets ?? [] };
  const stack = await startStack({ config: base, roles: [], onLine: () => undefined, freePorts: true });
  const config = { ...base, temporalAddress: stack.temporalAddress };
  const host = options.host ?? new InstantHost(options);
  const workers = await runAllRoles(
    config,
    () => host,
    () => options.judge ?? new InstantJudge(),
  );
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const archive = openSqliteArchive(join(home, 'archive.db'));
  return {
    config,
    client: new Client({ connection }),
    archive,
    host,
    async stop() {
      await archive.close();
      await connection.close();
      await workers.stop();
      await stack.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
};
