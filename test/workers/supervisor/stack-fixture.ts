/** A process that starts a stack and stays until it is killed: prints its processes as JSON when the stack is up. */
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../../workers/config.ts';
import { startStack } from '../../../workers/supervisor/index.ts';

const stack = await startStack({
  config: readConfig(),
  roles: process.argv.slice(2),
  workerEntry: fileURLToPath(new URL('worker-fixture.ts', import.meta.url)),
  freePorts: true,
  onLine: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(stack.processes())}\n`);
