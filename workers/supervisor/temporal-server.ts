import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { searchAttributes } from '../../workflows/contracts/messages.ts';
import type { Command } from './guarded-process.ts';
import type { Ports } from './ports.ts';

/** The server forgets closed workflows after a day otherwise, and with them yesterday's campaign in the Web UI. */
const RETENTION_SECONDS = 720 * 3600;
const PROBE_PAUSE_MS = 100;

export interface ServerOptions {
  readonly binary: string;
  readonly home: string;
  readonly namespace: string;
  readonly ports: Ports;
}

/** The development server with a database file, bound to the loopback address. */
export const temporalCommand = ({ binary, home, namespace, ports }: ServerOptions): Command => ({
  program: binary,
  parameters: [
    'server',
    'start-dev',
    ...['--ip', '127.0.0.1', '--port', String(ports.temporal), '--ui-port', String(ports.ui)],
    ...['--db-filename', join(home, 'temporal.db'), '--namespace', namespace],
    // A write-ahead log that is synced at checkpoints keeps all that was acknowledged when the process is killed.
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    // Priorities of tasks; servers from 1.31 on have it on by themselves.
    ...['--dynamic-config-value', 'matching.useNewMatcher=true'],
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ...['--ui-disable-news-fetch', '--log-format', 'json', '--log-level', 'warn'],
  ],
  environment: withoutTemporalSettings(process.env),
});

/** Settings of the user's own Temporal would be read by the server's command line too. */
const withoutTemporalSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('TEMPORAL_')));

/** Resolves when the server answers for the namespace and keeps its closed workflows for a month. */
export const waitForServer = async (address: string, namespace: string, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    if (await prepareNamespace(address, namespace)) return;
    await new Promise((resolve) => setTimeout(resolve, PROBE_PAUSE_MS));
  }
};

const prepareNamespace = async (address: string, namespace: string): Promise<boolean> => {
  let connection: Connection | null = null;
  try {
    connection = await Connection.connect({ address, connectTimeout: '1s' });
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) < RETENTION_SECONDS) {
      // protobufjs takes a plain number where its typings want the Long class of another package.
      const seconds = RETENTION_SECONDS as never;
      await connection.workflowService.updateNamespace({
        namespace,
        config: { workflowExecutionRetentionTtl: { seconds } },
      });
    }
    return true;
  } catch {
    // Not up yet: the caller asks again until it is, ends, or runs out of time.
    return false;
  } finally {
    await connection?.close();
  }
};
