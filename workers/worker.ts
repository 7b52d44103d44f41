/** `npm run worker -- <role>`: one process of the system. Prints `ready <role>` when it polls; ends on SIGTERM or when its stdin closes. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { ConfigError, readConfig } from './config.ts';
import { ensureHome } from './home.ts';
import { isRole, roles } from './roles/role.ts';
import { openRole } from './roles/roles.ts';
import { installRuntime } from './roles/runtime.ts';
import { readHeldBack } from './supervisor/held-back.ts';

const isSupervised = process.env.ASI_SUPERVISED === '1';

const main = async (): Promise<number> => {
  const role = process.argv[2] ?? '';
  if (!isRole(role)) {
    process.stderr.write(`worker: "${role}" is not a role; the roles are ${roles.join(', ')}\n`);
    return 2;
  }
  const own = readConfig();
  const config = isSupervised ? { ...own, secrets: [...own.secrets, ...readHeldBack()] } : own;
  ensureHome(config.home);
  installRuntime();
  const connection = await NativeConnection.connect({ address: config.temporalAddress });
  const opened = await openRole(role, config);
  const worker = await Worker.create({
    connection,
    namespace: config.namespace,
    shutdownGraceTime: '5 seconds',
    shutdownForceTime: '20 seconds',
    ...opened.worker,
  });
  const stop = (): void => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // The supervisor holds the other end: when it is gone, so are we. A terminal or /dev/null is nobody's leash.
  if (isSupervised) process.stdin.resume().once('end', stop).once('error', stop);
  process.stdout.write(`ready ${role}\n`);
  try {
    await worker.run();
  } finally {
    await opened.close();
    await connection.close();
  }
  return 0;
};

try {
  process.exitCode = await main();
} catch (error) {
  const text =
    error instanceof ConfigError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`worker ${process.argv[2] ?? ''}: ${text}\n`);
  process.exitCode = 1;
}
// Native threads of the SDK may keep the loop alive after the worker has drained.
process.exit();
