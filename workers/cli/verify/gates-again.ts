import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleSource } from '../../../services/export/bundle-source.ts';
import { programName } from '../../../services/export/manifest.ts';
import { checkCuts, flopsLimits } from '../../../workflows/contracts/gate-limits.ts';
import type { CheckResult } from '../../../workflows/contracts/trial.ts';
import type { Config } from '../../config.ts';
import type { VerifyStep } from '../../view/verify-lines.ts';
import { checkProgramOn, type OpenHost } from '../gate/check-program.ts';
import { refuseNamedProgram } from '../gate/own-file.ts';
import { outages } from '../gate/program-refusal.ts';
import { cutsFor } from './figures.ts';
import { compareGates, sizeDifferences } from './gate-differences.ts';

interface Tools {
  readonly config: Config;
  readonly opened: OpenHost;
}
type Ran = { readonly ok: true; readonly report: CheckResult } | { readonly ok: false; readonly step: VerifyStep };

/**
 * The gates twice: as the campaign ran them, whose results must be those of the bundle, and deeper, where none may fail. Limits, seed and
 * reference are those that a campaign gives, whatever the bundle says.
 */
export const gateStep = async (tools: Tools, folder: string, source: BundleSource): Promise<VerifyStep> => {
  const { record } = source;
  const first = await run(tools, folder, { source, cuts: checkCuts });
  if (!first.ok) return first.step;
  const { host } = tools.opened;
  const { device, torchVersion, sandbox } = await host.start();
  const isSameArithmetic = record.campaign.versions.torch === torchVersion && record.scores.every((row) => row.device === device);
  const again = compareGates(record.experiment.gates, { found: first.report.gates, isSameArithmetic });
  const differences = [...sizeDifferences(record.experiment.architecture.sizes, first.report.sizes), ...again.differences];
  if (differences.length > 0) return step('mismatch', `gates.json is altered: ${differences.join('; ')}`);
  const cuts = cutsFor(record);
  const deep = await run(tools, folder, { source, cuts });
  if (!deep.ok) return deep.step;
  const evidence = isSameArithmetic
    ? `with the same evidence${again.otherEffort.length === 0 ? '' : `, except of ${again.otherEffort.join(' and ')}, which probe more or less as the machine is fast`}`
    : 'evidence not compared, since device or PyTorch are others';
  return step(
    'verified',
    `${first.report.gates.length} gates as in gates.json, ${evidence}; none fails with ${cuts} cuts; sandbox ${sandbox.tier}`,
  );
};

const step = (state: VerifyStep['state'], detail: string): VerifyStep => ({ step: 'gates', state, detail });

const run = async (
  { config, opened }: Tools,
  folder: string,
  { source, cuts }: { readonly source: BundleSource; readonly cuts: number },
): Promise<Ran> => {
  const { record, rung } = source;
  const { settings } = record.campaign;
  const [reference] = settings.baselines;
  if (reference === undefined)
    return { ok: false, step: step('mismatch', 'record.json is altered: its campaign has no baseline') };
  const checked = await checkProgramOn(opened, config, {
    text: readFileSync(join(folder, programName), 'utf8'),
    fileName: programName,
    rung,
    cuts,
    seed: settings.seed,
    reference,
    flopsLimit: flopsLimits[record.experiment.kind],
    refuse: refuseNamedProgram({ command: 'asi verify', id: record.campaign.id, unsandboxed: config.unsandboxed }),
  });
  if (!checked.ok) {
    const state = outages.includes(checked.label) ? 'not-repeated' : 'mismatch';
    return { ok: false, step: step(state, `${checked.label}: ${checked.detail}; sandbox ${checked.sandbox.tier}`) };
  }
  const failed = checked.report.gates.filter(({ verdict }) => verdict === 'fail');
  if (failed.length === 0) return { ok: true, report: checked.report };
  const detail = failed.map(({ gate, evidence }) => `${gate} fails with ${cuts} cuts: ${evidence}`).join('; ');
  return { ok: false, step: step('mismatch', detail) };
};
