import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleSource } from '../../../services/export/bundle-source.ts';
import { programName } from '../../../services/export/manifest.ts';
import type { GateResult } from '../../../workflows/contracts/architecture.ts';
import { checkCuts, flopsLimits } from '../../../workflows/contracts/gate-limits.ts';
import type { CheckResult } from '../../../workflows/contracts/trial.ts';
import type { Config } from '../../config.ts';
import type { VerifyStep } from '../../view/verify-lines.ts';
import { checkProgramOn, type OpenHost } from '../gate/check-program.ts';
import { refuseNamedProgram } from '../gate/own-file.ts';
import { outages } from '../gate/program-refusal.ts';
import { cutsFor } from './figures.ts';

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
  const differences = [
    ...sizeDifferences(record.experiment.architecture.sizes, first.report.sizes),
    ...gateDifferences(record.experiment.gates, first.report.gates, isSameArithmetic),
  ];
  if (differences.length > 0) return step('mismatch', `gates.json is altered: ${differences.join('; ')}`);
  const cuts = cutsFor(record);
  const deep = await run(tools, folder, { source, cuts });
  if (!deep.ok) return deep.step;
  const evidence = isSameArithmetic ? 'with the same evidence' : 'evidence not compared, since device or PyTorch are others';
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

const sizeDifferences = (stated: CheckResult['sizes'], found: CheckResult['sizes']): readonly string[] =>
  JSON.stringify(stated) === JSON.stringify(found) ? [] : [`sizes are ${JSON.stringify(found)}, not ${JSON.stringify(stated)}`];

/** Fields that follow from the program and the seed everywhere, and those whose last digits depend on device and PyTorch. */
const fixedFields = ['verdict', 'limit', 'seed'] as const;
const measuredFields = ['measured', 'evidence'] as const;

const gateDifferences = (
  stated: readonly GateResult[],
  found: readonly GateResult[],
  isSameArithmetic: boolean,
): readonly string[] => {
  const names = (rows: readonly GateResult[]): string => rows.map(({ gate }) => gate).join(', ');
  if (names(stated) !== names(found)) return [`its gates are ${names(stated)}; run again they are ${names(found)}`];
  const fields = isSameArithmetic ? [...fixedFields, ...measuredFields] : fixedFields;
  return stated.flatMap((row, index) => {
    const again = found[index];
    return fields
      .filter((field) => again === undefined || row[field] !== again[field])
      .map((field) => `${field} of gate ${row.gate} is ${String(row[field])}, run again ${String(again?.[field])}`);
  });
};
