import type { GateResult } from '../contracts/architecture.ts';
import type { ControlName, ControlOutcome } from '../contracts/control.ts';
import type { FailureLabel } from '../contracts/failure.ts';
import type { CheckResult } from '../contracts/trial.ts';

/** The gate that a control must fall at; null for the honest one. */
export const controlFalls: Readonly<Record<ControlName, GateResult['gate'] | null>> = {
  'running-mean': null,
  'leak-at-few-positions': 'causality',
  'leak-told-by-content': 'causality',
};

/** How the check of a control ended: what the gates reported, or the label that its process got instead. */
export interface ControlEnd {
  readonly refusal: { readonly label: FailureLabel; readonly detail: string } | null;
  readonly report: Pick<CheckResult, 'gates'> | null;
}

export const controlOutcome = (name: ControlName, { refusal, report }: ControlEnd): ControlOutcome => {
  const gate = controlFalls[name];
  const fell = report?.gates.filter(({ verdict }) => verdict === 'fail').map((row) => row.gate) ?? [];
  return {
    name,
    held: gate === null ? refusal === null : refusal?.label === 'gate' && fell.includes(gate),
    label: refusal?.label ?? null,
    detail: (refusal?.detail ?? '').slice(0, 4000),
  };
};

/** Why nothing of this campaign may be called better, in words that follow "because"; null where every control ended as it must. */
export const controlsBar = (outcomes: readonly ControlOutcome[]): string | null => {
  const wrong = outcomes.find(({ held }) => !held);
  if (wrong !== undefined) return wrongWords(wrong);
  const missing = Object.keys(controlFalls).filter((name) => !outcomes.some((outcome) => outcome.name === name));
  return missing.length === 0 ? null : `the gates were not tried on the control ${missing.join(', ')} in this campaign`;
};

const wrongWords = ({ name, label, detail }: ControlOutcome): string => {
  const gate = controlFalls[name];
  const end = label === null ? 'passed every gate' : `ended with ${label}: ${detail}`;
  return gate === null
    ? `the gates refused the honest control ${name}: it ${end}`
    : `the planted cheat ${name}, which must fall at the gate ${gate}, ${end}`;
};
