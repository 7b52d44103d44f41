import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { InProcessDispatcher } from '../../../../services/dispatch/in-process-dispatcher.ts';
import { sourceOf } from '../../../../services/export/bundle-source.ts';
import { exportBundle } from '../../../../services/export/export-bundle.ts';
import { PythonHost } from '../../../../services/python/host.ts';
import { InstantHost } from '../../../../workers/bench/instant-host.ts';
import { InstantJudge } from '../../../../workers/bench/instant-judge.ts';
import { gateStep } from '../../../../workers/cli/verify/gates-again.ts';
import { rescore } from '../../../../workers/cli/verify/rescore.ts';
import { readConfig } from '../../../../workers/config.ts';
import { aDataManifest } from '../../../support/builders.ts';
import { freshStores } from '../../../support/exportable.ts';
import { recordOf } from '../../../support/forge-bundle.ts';
import { storeJudgedCampaign, winnerId } from '../../../support/judged-campaign.ts';

/** A host that runs nothing of any program, on a machine without a sandbox. */
class UnwalledHost extends PythonHost {
  readonly instant = new InstantHost({ tier: 'none' });
  override start = () => this.instant.start();
  override run = (job: Parameters<PythonHost['run']>[0]) => this.instant.run(job);
}

it('the program of a bundle is not run without a sandbox, unless the operator names its campaign', async () => {
  const stores = freshStores();
  await storeJudgedCampaign(stores);
  const { path } = await exportBundle({ ...stores, experimentId: winnerId, folder: join(stores.folder, 'bundles') });
  const source = sourceOf(recordOf(path));
  if (source === null) throw new Error('stored above');
  const scratch = join(stores.folder, 'scratch');
  mkdirSync(scratch);
  const python = process.env.ASI_PYTHON ?? 'python3';
  const run = async (named: string) => {
    const config = readConfig({ ASI_PYTHON: python, ASI_HOME: stores.folder, ASI_ALLOW_UNSANDBOXED: named });
    const host = new UnwalledHost({ python });
    const opened = { host, dispatcher: new InProcessDispatcher({ slots: 2, runner: host }) };
    const gates = await gateStep({ config, opened }, path, source);
    const request = { folder: path, scratch, source, data: aDataManifest(), isSameJudge: false };
    const scores = await rescore({ config, judge: new InstantJudge(), opened }, request);
    await opened.dispatcher.close();
    return { gates, scores: scores.step, ran: host.instant.spans.map(({ command }) => command) };
  };
  const refused = { state: 'not-repeated', detail: expect.stringContaining('ASI_ALLOW_UNSANDBOXED=c-test allows it') };
  expect(await run('c-other')).toMatchObject({ gates: refused, scores: refused, ran: [] });
  expect((await run('c-test')).ran).toContain('check');
});
