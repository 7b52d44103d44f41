import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack } from '../../../workers/supervisor/index.ts';
import { type Loop, startLoop } from '../../support/loop.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { runAsi } from './run-asi.ts';

let loop: Loop;
beforeAll(async () => {
  loop = await startLoop();
}, 120_000);
afterAll(() => loop?.stop(), 60_000);

/** Another home sees the loop's server as one of the user's own. */
const start = (env: NodeJS.ProcessEnv) =>
  runAsi(['campaign', 'start', '--preset', 'tiny', '--id', 'own'], { home: temporaryFolder(), env });

describe("asi campaign start on a server of the user's own", () => {
  it('says that the namespace is missing and how to make it', async () => {
    const ran = await start({ TEMPORAL_ADDRESS: loop.config.temporalAddress, TEMPORAL_NAMESPACE: 'nowhere' });
    expect(ran).toMatchObject({ exitCode: 1, out: '' });
    expect(ran.err).toContain('TEMPORAL_NAMESPACE=nowhere: the server');
    expect(ran.err).toContain('temporal operator namespace create');
  }, 30_000);

  it('says which roles have no worker there', async () => {
    const home = temporaryFolder();
    const stack = await startStack({
      config: { ...loop.config, home, temporalAddress: `127.0.0.1:${loop.config.temporalPort}` },
      roles: [],
      onLine: () => {},
      freePorts: true,
    });
    try {
      const ran = await start({ TEMPORAL_ADDRESS: stack.temporalAddress });
      expect(ran.err).toContain(`No worker polls discovery, agents, checks, training at ${stack.temporalAddress}`);
      expect(ran.err).toContain('"npm run worker -- orchestrator"');
      expect(ran.out).toContain('no worker has opened it yet');
    } finally {
      await stack.stop();
    }
  }, 60_000);
});
