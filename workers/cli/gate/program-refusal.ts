import type { Checked } from './check-program.ts';

/** no-mixer: the file is not a program with the contract of a mixer. gate: a mixer that breaks a rule, or ended while it was looked at. */
export interface ProgramRefusal {
  readonly kind: 'no-mixer' | 'gate';
  readonly detail: string;
}

/** Labels of programs that are no mixer. */
const notAMixer: readonly string[] = ['rejected_static', 'compile_error', 'import_error'];

/** Labels of trouble that is not the program's. */
export const outages: readonly string[] = ['infra', 'cancelled', 'sandbox_unavailable'];

/** Why the gates refused a program, on one line; null when they did not. */
export const refusalOf = (checked: Checked): ProgramRefusal | null => {
  if (!checked.ok) {
    const said = oneLine(`${checked.label}: ${checked.detail}`);
    if (notAMixer.includes(checked.label)) return { kind: 'no-mixer', detail: said };
    return { kind: 'gate', detail: outages.includes(checked.label) ? `the gates could not run here: ${said}` : said };
  }
  const { report } = checked;
  if (report.status === 'pass') return null;
  if (report.label !== null && notAMixer.includes(report.label)) return { kind: 'no-mixer', detail: oneLine(report.detail) };
  const shape = report.gates.find(({ gate, verdict }) => gate === 'shape' && verdict === 'fail');
  if (shape !== undefined) return { kind: 'no-mixer', detail: oneLine(`shape: ${shape.evidence}`) };
  const fallen = report.gates.filter(({ verdict }) => verdict === 'fail').map(({ gate }) => gate);
  return { kind: 'gate', detail: `failed ${fallen.join(', ')}` };
};

const longest = 600;
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, longest);
