import { expect, it } from 'vitest';
import { verdictSchema } from '../../../workflows/contracts/experiment.ts';
import { asKnownBaseline } from '../../../workflows/rules/known-baseline.ts';
import { concludeFrom } from '../../../workflows/rules/verdict.ts';
import { aVerdict } from '../../support/builders.ts';

it('names the baseline that a finalist is, keeps what was measured, and never lets it be found', () => {
  const measured = aVerdict({ verdict: 'better', against: 'deltanet' });
  const verdict = verdictSchema.parse(asKnownBaseline(measured, 'gla'));
  expect(verdict).toMatchObject({ verdict: 'known-baseline', against: 'gla', effect: measured.effect });
  expect(verdict.statement).toContain(measured.statement);
  const conclusion = concludeFrom([{ name: 'my mixer', verdict }], null);
  expect(conclusion.verdict).toBe('nothing-found');
  expect(conclusion.statement).toContain('The fittest finalist, my mixer, is the baseline gla, by its genome, by its program');
});
