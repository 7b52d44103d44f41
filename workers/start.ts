/** `npm start`: the whole stack of one machine, until Ctrl-C. */
import { isDiskFull } from '../services/storage/disk-space.ts';
import { taskQueues, workflowTypes } from '../workflows/contracts/messages.ts';
import { ConfigError, readConfig } from './config.ts';
import { roles } from './roles/role.ts';
import { isSpoken, namingFullDisk } from './spoken-errors.ts';
import { startStack } from './supervisor/index.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** One key press may arrive twice, from the terminal and from a wrapper that hands it on. */
const samePressMs = 300;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const main = async (): Promise<number> => {
  const stopping = new AbortController();
  for (const signal of signals) process.on(signal, () => stopping.abort());
  const config = readConfig();
  const stack = await startStack({ config, roles, onLine: say, signal: stopping.signal });
  say(describe(stack.uiUrl, stack.namespace));
  if (!stopping.signal.aborted) await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
  say('stopping; running campaigns go on where they are at the next start');
  const hurry = setTimeout(() => {
    for (const signal of signals) process.once(signal, () => void stack.stop({ atOnce: true }));
  }, samePressMs).unref();
  await stack.stop();
  clearTimeout(hurry);
  return 0;
};

const describe = (uiUrl: string, namespace: string): string => {
  const form = new URLSearchParams({ taskQueue: taskQueues.discovery, workflowType: workflowTypes.campaign });
  const examples = ['(nothing)', '{}', '{"preset":"quick","seed":7}', '{"preset":"standard","minutes":60}'];
  return `
asi-arch is up: ${['temporal', ...roles].join(', ')}

  Temporal Web UI    ${uiUrl}/namespaces/${namespace}/workflows
  start a campaign   ${uiUrl}/namespaces/${namespace}/workflows/start-workflow?${form}
                     input, one of: ${examples.join('   ')}
  or from here       npx asi campaign start
                     npx asi campaign watch

Ctrl-C stops it; a second one does so at once.
`;
};

try {
  process.exitCode = await main();
} catch (error) {
  const named = isDiskFull(error) ? namingFullDisk(error, readConfig()) : error;
  if (!isSpoken(named)) throw error;
  process.stderr.write(`${named.message}\n`);
  process.exitCode = named instanceof ConfigError ? 2 : 1;
}
