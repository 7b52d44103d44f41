import { describe, expect, it } from 'vitest';
import { verdictSchema } from '../../../workflows/contracts/experiment.ts';
import { asUnsandboxed, maySpeak } from '../../../workflows/rules/unsandboxed.ts';
import { concludeFrom } from '../../../workflows/rules/verdict.ts';
import { aVerdict } from '../../support/builders.ts';

describe('maySpeak', () => {
  it('lets any result behind a wall speak, whoever wrote the other programs', () => {
    for (const tier of ['S2', 'S1', 'S0L', 'S0P', null] as const)
      expect(maySpeak({ tier, authors: ['user', 'agents'] })).toBe(true);
  });

  it('lets a result without a wall speak only where every program of the campaign is ours', () => {
    expect(maySpeak({ tier: 'none', authors: ['baseline', 'evolver'] })).toBe(true);
    for (const author of ['user', 'agents'] as const)
      expect(maySpeak({ tier: 'none', authors: ['baseline', 'evolver', author] })).toBe(false);
  });
});

it('a verdict that may not speak is named, keeps what was measured, and finds nothing', () => {
  const measured = aVerdict({ verdict: 'better' });
  const verdict = verdictSchema.parse(asUnsandboxed(measured));
  expect(verdict).toMatchObject({ verdict: 'unsandboxed', effect: measured.effect });
  expect(verdict.statement).toMatch(/^Not ranked: it was scored without a sandbox \(tier none\)/);
  expect(concludeFrom([{ name: 'mine', verdict }], null)).toMatchObject({ verdict: 'nothing-found' });
});
