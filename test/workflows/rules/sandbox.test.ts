import { describe, expect, it } from 'vitest';
import { sandboxTiers } from '../../../workflows/contracts/sandbox.ts';
import { decideSandbox, isAtLeast, neededTier, weakestTier } from '../../../workflows/rules/sandbox.ts';

const settings = { sandbox: 'none', modelSandbox: 'S1' } as const;
const host = (tier: (typeof sandboxTiers)[number]) => ({ tier, missing: 'bubblewrap is not installed' });

describe('the tier that a program needs', () => {
  it('orders the tiers as the contract lists them', () => {
    for (const [place, tier] of sandboxTiers.entries())
      expect(sandboxTiers.filter((needed) => isAtLeast(tier, needed))).toEqual(sandboxTiers.slice(place));
  });

  it.each(['baseline', 'evolver'] as const)('is the setting "sandbox" for a program by %s', (author) => {
    expect(neededTier({ author, settings, isNamedUnsandboxed: false })).toBe('none');
    expect(neededTier({ author, settings: { ...settings, sandbox: 'S2' }, isNamedUnsandboxed: false })).toBe('S2');
  });

  it('is the setting "sandbox" for a file of a person too, but never none unless the operator named the campaign', () => {
    const need = { author: 'user', settings, isNamedUnsandboxed: false } as const;
    expect(neededTier(need)).toBe('S0P');
    expect(neededTier({ ...need, settings: { ...settings, sandbox: 'S2' } })).toBe('S2');
    expect(neededTier({ ...need, isNamedUnsandboxed: true })).toBe('none');
  });

  it('is the setting "modelSandbox" for a program of a model, and never none by a setting alone', () => {
    expect(neededTier({ author: 'agents', settings, isNamedUnsandboxed: false })).toBe('S1');
    expect(neededTier({ author: 'agents', settings: { ...settings, modelSandbox: 'none' }, isNamedUnsandboxed: false })).toBe(
      'S0P',
    );
    expect(neededTier({ author: 'agents', settings, isNamedUnsandboxed: true })).toBe('none');
  });

  it('lets a job run in a tier as strong or stronger, and says what is missing in a weaker one', () => {
    const need = { author: 'agents', settings, isNamedUnsandboxed: false, campaignId: 'c-a' } as const;
    for (const tier of ['S3', 'S2', 'S1'] as const) expect(decideSandbox(need, host(tier))).toEqual({ ok: true });
    for (const tier of ['S0L', 'S0P', 'none'] as const) {
      const decision = decideSandbox(need, host(tier));
      expect(decision).toMatchObject({ ok: false, kind: 'waits' });
      expect(decision.ok ? '' : decision.detail).toContain(`needs sandbox tier S1 and this machine has ${tier}: bubblewrap`);
    }
  });

  it('refuses a file of a person where there is no wall at all, and says what to set and to type', () => {
    const need = { author: 'user', settings, isNamedUnsandboxed: false, campaignId: 'c-mine' } as const;
    for (const tier of ['S2', 'S0P'] as const) expect(decideSandbox(need, host(tier))).toEqual({ ok: true });
    const decision = decideSandbox(need, host('none'));
    expect(decision).toMatchObject({ ok: false, kind: 'refused' });
    expect(decision.ok ? '' : decision.detail).toContain('--id c-mine under ASI_ALLOW_UNSANDBOXED=c-mine');
    const unnamed = decideSandbox({ ...need, campaignId: null }, host('none'));
    expect(unnamed.ok ? '' : unnamed.detail).toContain('ASI_ALLOW_UNSANDBOXED=c-unwalled');
    expect(decideSandbox({ ...need, isNamedUnsandboxed: true }, host('none'))).toEqual({ ok: true });
    expect(decideSandbox({ ...need, settings: { ...settings, sandbox: 'S1' } }, host('none'))).toMatchObject({ kind: 'waits' });
  });

  it('lets our own programs run where there is none, so that discovery works on any machine', () => {
    for (const author of ['baseline', 'evolver'] as const)
      expect(decideSandbox({ author, settings, isNamedUnsandboxed: false, campaignId: 'c-a' }, host('none'))).toEqual({
        ok: true,
      });
  });
});

describe('weakestTier', () => {
  it('is the weakest of a list, and null of none', () => {
    expect(weakestTier(['S2', 'S0L', 'S1'])).toBe('S0L');
    expect(weakestTier(['S2', 'none', 'S1'])).toBe('none');
    expect(weakestTier([])).toBeNull();
  });
});
