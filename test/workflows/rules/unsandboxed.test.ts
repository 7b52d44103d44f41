import { describe, expect, it } from 'vitest';
import { verdictSchema } from '../../../workflows/contracts/experiment.ts';
import { asUnsandboxed, openIn, silencedBy } from '../../../workflows/rules/unsandboxed.ts';
import { concludeFrom } from '../../../workflows/rules/verdict.ts';
import { aVerdict } from '../../support/builders.ts';

const stdlib = { kind: 'stdlib' } as const;
const folder = { kind: 'folder', path: '/home/alice/texts' } as const;
const foreign = ['baseline', 'evolver', 'user'] as const;

describe('what rows leave open to a program', () => {
  it('is everything, where one of them was made without a wall', () => {
    expect(openIn([{ sandboxTier: 'S2', heldOutHidden: true }, { sandboxTier: 'none' }], folder)).toBe('no-wall');
    expect(openIn([], stdlib)).toBeNull();
  });

  it('is the text of the standard library, where its canary got through, whatever the tier is called', () => {
    expect(openIn([{ sandboxTier: 'S0P', heldOutHidden: false }], stdlib)).toBe('readable-text');
    expect(openIn([{ sandboxTier: 'S1', heldOutHidden: false }], stdlib)).toBe('readable-text');
    expect(openIn([{ sandboxTier: 'S0P', heldOutHidden: true }], stdlib)).toBeNull();
    // A folder's held-out text belongs to the judge.
    expect(openIn([{ sandboxTier: 'S0P', heldOutHidden: false }], folder)).toBeNull();
  });

  it('follows from the tier, in rows from before the canary stood in them', () => {
    for (const sandboxTier of ['S2', 'S1', 'S0L'] as const) expect(openIn([{ sandboxTier }], stdlib)).toBeNull();
    expect(openIn([{ sandboxTier: 'S0P' }], stdlib)).toBe('readable-text');
  });
});

describe('a result', () => {
  it('speaks where nothing is open, whoever wrote the programs', () => {
    expect(silencedBy({ open: null, authors: ['user', 'agents'] })).toBeNull();
  });

  it('speaks where something is open only if every program of the campaign is ours', () => {
    for (const open of ['no-wall', 'readable-text'] as const) {
      expect(silencedBy({ open, authors: ['baseline', 'evolver'] })).toBeNull();
      expect(silencedBy({ open, authors: foreign })).toBe(open);
      expect(silencedBy({ open, authors: ['agents'] })).toBe(open);
    }
  });
});

it('a verdict that may not speak is named, keeps what was measured, and finds nothing', () => {
  const measured = aVerdict({ verdict: 'better' });
  const verdict = verdictSchema.parse(asUnsandboxed(measured, 'no-wall'));
  expect(verdict).toMatchObject({ verdict: 'unsandboxed', effect: measured.effect });
  expect(verdict.statement).toMatch(/^Not ranked: it was scored without a sandbox \(tier none\)/);
  expect(asUnsandboxed(measured, 'readable-text').statement).toContain('the canary held-out-text got through');
  expect(concludeFrom([{ name: 'mine', verdict }], null)).toMatchObject({ verdict: 'nothing-found' });
});
