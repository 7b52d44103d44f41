import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { GateResult } from '../../../workflows/contracts/architecture.ts';
import { controlNames } from '../../../workflows/contracts/control.ts';
import { controlFalls, controlOutcome, controlsBar } from '../../../workflows/rules/controls.ts';

const row = (gate: GateResult['gate']): GateResult => {
  const numbers = { measured: null, limit: null, seed: 0, seconds: 1 };
  return { gate, verdict: 'fail', evidence: 'seen', ...numbers };
};
const fell = (gate: 'causality' | 'finite') => ({
  refusal: { label: 'gate', detail: `${gate}: seen` } as const,
  report: { gates: [row(gate)] },
});
const passed = { refusal: null, report: { gates: [] } };

describe('a control of the gates', () => {
  it.each([
    ['running-mean', passed, true],
    ['running-mean', fell('causality'), false],
    ['leak-at-few-positions', fell('causality'), true],
    ['leak-at-few-positions', fell('finite'), false],
    ['leak-at-few-positions', passed, false],
    // A process that ended says nothing about the gate.
    ['leak-told-by-content', { refusal: { label: 'signal', detail: '11' }, report: null }, false],
  ] as const)('%s ends as it must or not', (name, end, held) => {
    expect(controlOutcome(name, end)).toMatchObject({ name, held, label: end.refusal?.label ?? null });
  });

  it('bars nothing where all ended as they must, and says which is missing', () => {
    const all = controlNames.map((name) => controlOutcome(name, controlFalls[name] === null ? passed : fell('causality')));
    expect(controlsBar(all)).toBeNull();
    expect(controlsBar([])).toContain('not tried on the control running-mean, leak-at-few-positions, leak-told-by-content');
    expect(controlsBar(all.slice(1))).toContain('not tried on the control running-mean in');
    expect(controlsBar([...all.slice(0, 2), controlOutcome('leak-told-by-content', passed)])).toContain('passed every gate');
  });

  it('is a program of the package whose head says how it must end', () => {
    const folder = new URL('../../../kernels/asi_kernels/controls/', import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith('.py'));
    expect(files.toSorted()).toEqual(controlNames.map((name) => `${name.replaceAll('-', '_')}.py`).toSorted());
    for (const name of controlNames) {
      const text = readFileSync(new URL(`${name.replaceAll('-', '_')}.py`, folder), 'utf8');
      const gate = controlFalls[name];
      expect(text).toContain(gate === null ? '\nPasses: every gate.\n' : `\nCaught by: ${gate}.\n`);
    }
  });
});
