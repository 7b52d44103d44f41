import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureLabels, failureSchema } from '../../../workflows/contracts/failure.ts';
import { classifyFailure, lostLabel } from '../../../workflows/rules/retry.ts';

const stages = failureSchema.shape.stage.options;
const anyFailure = fc.record({ label: fc.constantFrom(...failureLabels), stage: fc.constantFrom(...stages) });

describe('classifyFailure', () => {
  it('charges a candidate with everything but outages, cancels, spent budgets and a machine without a wall', () => {
    fc.assert(
      fc.property(anyFailure, ({ label, stage }) => {
        const blameless = ['infra', 'cancelled', 'budget', 'sandbox_unavailable', 'poison'].includes(label);
        expect(classifyFailure({ label, stage }).chargeCandidate).toBe(!blameless);
      }),
    );
  });

  it('tries an outage again and nothing else', () => {
    fc.assert(
      fc.property(anyFailure, ({ label, stage }) => {
        expect(classifyFailure({ label, stage }).retry === 'temporal').toBe(label === 'infra');
      }),
    );
  });

  it.each(['gate', 'unmatched', 'import_error', 'exit', 'oom_host', 'nonfinite'] as const)(
    'has %s repaired while checking, and not later',
    (label) => {
      expect(classifyFailure({ label, stage: 'check' })).toEqual({
        chargeCandidate: true,
        retry: 'repair',
        terminalState: 'rejected',
      });
      expect(classifyFailure({ label, stage: 'train' })).toEqual({
        chargeCandidate: true,
        retry: 'none',
        terminalState: 'failed',
      });
    },
  );

  it('rejects a repeated architecture', () => {
    for (const stage of ['novelty', 'propose', 'check'] as const)
      expect(classifyFailure({ label: 'duplicate', stage })).toEqual({
        chargeCandidate: true,
        retry: 'none',
        terminalState: 'rejected',
      });
  });

  it('calls it poison where the worker died with the program of a candidate, each time that it was tried', () => {
    const lost = { activity: 'trainTrial', isWorkerLost: true, isOurs: false };
    expect(lostLabel(lost)).toBe('poison');
    expect(lostLabel({ ...lost, isOurs: true })).toBe('infra');
    expect(lostLabel({ ...lost, isWorkerLost: false })).toBe('infra');
    expect(lostLabel({ ...lost, activity: 'proposeExperiment' })).toBe('infra');
  });

  it('has a program that is not what it says neither repaired nor tried again', () => {
    expect(classifyFailure({ label: 'integrity', stage: 'check' })).toEqual({
      chargeCandidate: true,
      retry: 'none',
      terminalState: 'rejected',
    });
  });

  it.each([
    ['infra', 'failed'],
    ['cancelled', 'cancelled'],
    ['budget', 'cancelled'],
    ['sandbox_unavailable', 'failed'],
    ['poison', 'failed'],
  ] as const)('ends %s as %s at every stage', (label, terminalState) => {
    for (const stage of stages) expect(classifyFailure({ label, stage }).terminalState).toBe(terminalState);
  });
});
