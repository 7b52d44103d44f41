import { describe, expect, it } from 'vitest';
import { sandboxTiers } from '../../../workflows/contracts/sandbox.ts';
import { decideSandbox, isAtLeast, neededTier } from '../../../workflows/rules/sandbox.ts';

const settings = { sandbox: 'none', modelSandbox: 'S1' } as const;
const host = (tier: (typeof sandboxTiers)[number]) => ({ tier, missing: 'bubblewrap is not installed' });

describe('the tier that a program needs', () => {
  it('orders the tiers as the contract lists them', () => {
    for (const [place, tier] of sandboxTiers.entries())
      expect(sandboxTiers.filter((needed) => isAtLeast(tier, needed))).toEqual(sandboxTiers.slice(place));
  });

  it.each(['baseline', 'evolver', 'user'] as const)('is the setting "sandbox" for a program by %s', (author) => {
    expect(neededTier({ author, settings, isNamedUnsandboxed: false })).toBe('none');
    expect(neededTier({ author, settings: { ...settings, sandbox: 'S2' }, isNamedUnsandboxed: false })).toBe('S2');
  });

  it('is the setting "modelSandbox" for a program of a model, and never none by a setting alone', () => {
    expect(neededTier({ author: 'agents', settings, isNamedUnsandboxed: false })).toBe('S1');
    expect(neededTier({ author: 'agents', settings: { ...settings, modelSandbox: 'none' }, isNamedUnsandboxed: false })).toBe(
      'S0P',
    );
    expect(neededTier({ author: 'agents', settings, isNamedUnsandboxed: true })).toBe('none');
  });

  it('lets a job run in a tier as strong or stronger, and says what is missing in a weaker one', () => {
    const need = { author: 'agents', settings, isNamedUnsandboxed: false } as const;
    for (const tier of ['S3', 'S2', 'S1'] as const) expect(decideSandbox(need, host(tier))).toEqual({ ok: true });
    for (const tier of ['S0L', 'S0P', 'none'] as const) {
      const decision = decideSandbox(need, host(tier));
      expect(decision.ok ? '' : decision.detail).toContain(`needs sandbox tier S1 and this machine has ${tier}: bubblewrap`);
    }
  });
});
