import type { SandboxFacts } from '../../workflows/contracts/sandbox.ts';
import type { CheckResult } from '../../workflows/contracts/trial.ts';
import { wrap } from './cells.ts';
import { counted } from './figures.ts';
import { gateLines } from './gate-table.ts';
import { type Look, tint } from './look.ts';

/** `sandbox S2` or `sandbox none (bubblewrap is not installed)`. */
export const sandboxText = ({ tier, missing, canaries }: SandboxFacts): string => {
  const held = canaries.filter((canary) => canary.held).length;
  const proved = canaries.length === 0 ? '' : `, ${held} of ${canaries.length} canaries held`;
  return `sandbox ${tier}${proved}${missing === '' ? '' : ` (${missing})`}`;
};

/** What the gates found in one program, and where it was run. */
export const gateResultLines = (
  look: Look,
  result: {
    readonly fileName: string;
    readonly rung: string;
    readonly seed: number;
    readonly report: CheckResult;
    readonly sandbox: SandboxFacts;
  },
): readonly string[] => {
  const { fileName, rung, seed, report, sandbox } = result;
  const count = (verdict: 'pass' | 'fail' | 'not-applicable'): number =>
    report.gates.filter((gate) => gate.verdict === verdict).length;
  const rest = count('not-applicable') === 0 ? '' : `, ${count('not-applicable')} do not apply`;
  const verdict =
    report.status === 'pass'
      ? `passes ${counted(count('pass'), 'gate')}${rest}`
      : `fails ${counted(count('fail'), 'gate')} of ${report.gates.length}`;
  return [
    tint(look, report.status === 'pass' ? 'green' : 'red', `${fileName} ${verdict}`),
    ...wrap(`rung ${rung}, seed ${seed}, ${report.cpuSeconds.toFixed(1)} CPU seconds; ${sandboxText(sandbox)}`, look.width),
    '',
    ...gateLines(look, report.gates),
  ];
};
