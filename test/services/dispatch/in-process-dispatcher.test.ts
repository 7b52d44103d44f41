import { describe, expect, it } from 'vitest';
import type { Job } from '../../../services/dispatch/dispatcher.ts';
import { InProcessDispatcher } from '../../../services/dispatch/in-process-dispatcher.ts';
import { ScriptedRunner } from '../../support/scripted-runner.ts';
import { dispatchSuite } from '../../support/suites/dispatch-suite.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
/** All that follows from one step follows within a few turns of the event loop. */
const settle = async (): Promise<void> => {
  for (let count = 0; count < 6; count++) await turn();
};

dispatchSuite('the in-process dispatcher', async () => ({ open: async (options) => new InProcessDispatcher(options), settle }));

describe('the in-process dispatcher', () => {
  const job = (id: string, workdir = temporaryFolder()): Job => ({
    id,
    command: 'train',
    request: {},
    workdir,
    limits: { wallSeconds: 1, idleSeconds: 1, memoryBytes: 1, logBytes: 1 },
  });

  it('keeps the last thousand ends and no more, so that it does not grow for ever', async () => {
    const runner = new ScriptedRunner();
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    const workdir = temporaryFolder();
    const run = async (id: string) => {
      const end = dispatcher.run(job(id, workdir));
      await settle();
      if (runner.running.includes(id)) runner.finish(id);
      await end;
    };
    for (let place = 0; place <= 1000; place++) await run(`j${place}`);
    expect(runner.started).toHaveLength(1001);
    await run('j1');
    expect(runner.started).toHaveLength(1001);
    await run('j0');
    expect(runner.started).toHaveLength(1002);
  });

  it('calls it an outage when the runner throws, as where no process can be started', async () => {
    const runner = new ScriptedRunner();
    runner.run = () => Promise.reject(new Error('no interpreter'));
    const dispatcher = new InProcessDispatcher({ slots: 1, runner });
    expect(await dispatcher.run(job('a'))).toMatchObject({ ok: false, label: 'infra', detail: 'no interpreter' });
  });
});
