import type { Proposal } from '../contracts/experiment.ts';
import type { SandboxTier } from '../contracts/sandbox.ts';
import type { CampaignSettings } from '../contracts/settings.ts';

/** A higher number is a stronger wall. Written out, so that a tier without a place here does not compile. */
const strength: Readonly<Record<SandboxTier, number>> = { S3: 5, S2: 4, S1: 3, S0L: 2, S0P: 1, none: 0 };

export const isAtLeast = (have: SandboxTier, needed: SandboxTier): boolean => strength[have] >= strength[needed];

export interface SandboxNeed {
  readonly author: Proposal['author'];
  readonly settings: Pick<CampaignSettings, 'sandbox' | 'modelSandbox'>;
  /** The operator has named this campaign as one whose programs may run without a sandbox. */
  readonly isNamedUnsandboxed: boolean;
}

/**
 * Weakest tier in which a program may run. What a model wrote never runs without a sandbox, whatever the settings say, unless the operator of
 * the machine named the campaign; its scores then carry the tier "none" for good.
 */
export const neededTier = ({ author, settings, isNamedUnsandboxed }: SandboxNeed): SandboxTier => {
  if (isNamedUnsandboxed) return 'none';
  if (author !== 'agents') return settings.sandbox;
  return settings.modelSandbox === 'none' ? 'S0P' : settings.modelSandbox;
};

export type SandboxDecision = { readonly ok: true } | { readonly ok: false; readonly detail: string };

/** Whether a job may run in the tier that the host proved; if not, why and what would help. */
export const decideSandbox = (
  need: SandboxNeed,
  host: { readonly tier: SandboxTier; readonly missing: string },
): SandboxDecision => {
  const needed = neededTier(need);
  if (isAtLeast(host.tier, needed)) return { ok: true };
  const who = need.author === 'agents' ? 'a program that a language model wrote' : 'a program of this campaign';
  const missing = host.missing === '' ? '' : `: ${host.missing}`;
  return {
    ok: false,
    detail: `${who} needs sandbox tier ${needed} and this machine has ${host.tier}${missing}. It waits; "npx asi doctor" says what to install`,
  };
};
