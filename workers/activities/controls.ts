import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditCuts } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { type ControlName, type ControlOutcome, controlNames } from '../../workflows/contracts/control.ts';
import { controlOutcome } from '../../workflows/rules/controls.ts';
import { changeCampaign } from './experiment-record.ts';
import { type CheckDependencies, runGates } from './run-gates.ts';
import { checkFolder } from './workdir.ts';

/**
 * Sends the controls through the gates as a finalist goes through them: the same activity worker, host, wall, rung and cuts. One job after the
 * other, so that the audits of finalists, which others wait for, come in between.
 */
export const runControls = async (dependencies: CheckDependencies, campaign: Campaign): Promise<void> => {
  if (campaign.controls !== undefined) return;
  const controls: ControlOutcome[] = [];
  for (const name of controlNames) controls.push(await runControl(dependencies, { campaign, name }));
  await changeCampaign(dependencies.archive, campaign.id, (current) => (current.controls === undefined ? { controls } : null));
};

const runControl = async (
  dependencies: CheckDependencies,
  { campaign, name }: { readonly campaign: Campaign; readonly name: ControlName },
): Promise<ControlOutcome> => {
  const text = await readFile(join(dependencies.controlsFolder, `${name.replaceAll('-', '_')}.py`), 'utf8');
  const hash = await dependencies.artifacts.put(text);
  const workdir = join(checkFolder(dependencies.workFolder), campaign.id, `control-${name}`);
  await mkdir(workdir, { recursive: true });
  return controlOutcome(
    name,
    await runGates(dependencies, {
      jobId: `${campaign.id}#control-${name}`,
      campaign,
      hash,
      cuts: auditCuts.finalist,
      // Cheap as they are, no limit on cost may be what refuses one.
      kind: 'baseline',
      workdir,
    }),
  );
};
