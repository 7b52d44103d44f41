import type { Proposal } from '../contracts/experiment.ts';
import type { SandboxTier } from '../contracts/sandbox.ts';
import type { CampaignSettings } from '../contracts/settings.ts';

/** A higher number is a stronger wall. Written out, so that a tier without a place here does not compile. */
const strength: Readonly<Record<SandboxTier, number>> = { S3: 5, S2: 4, S1: 3, S0L: 2, S0P: 1, none: 0 };

export const isAtLeast = (have: SandboxTier, needed: SandboxTier): boolean => strength[have] >= strength[needed];

/** The weakest of some tiers; null for none of them. */
export const weakestTier = (tiers: Iterable<SandboxTier>): SandboxTier | null => {
  let weakest: SandboxTier | null = null;
  for (const tier of tiers) if (weakest === null || !isAtLeast(tier, weakest)) weakest = tier;
  return weakest;
};

export interface SandboxNeed {
  readonly author: Proposal['author'];
  readonly settings: Pick<CampaignSettings, 'sandbox' | 'modelSandbox'>;
  /** The operator has named this campaign as one whose programs may run without a sandbox. */
  readonly isNamedUnsandboxed: boolean;
}

/**
 * Weakest tier in which a program may run. Our own (baselines, the evolver's) run in whatever the settings say. What a model or a person wrote
 * never runs without a sandbox by a setting alone, only where the operator of the machine named the campaign; its scores then carry the tier
 * "none" for good (`unsandboxed.ts` says what they may still be called).
 */
export const neededTier = ({ author, settings, isNamedUnsandboxed }: SandboxNeed): SandboxTier => {
  if (isNamedUnsandboxed) return 'none';
  const asked = author === 'agents' ? settings.modelSandbox : settings.sandbox;
  return asked === 'none' && (author === 'agents' || author === 'user') ? weakestWall : asked;
};

const weakestWall: SandboxTier = 'S0P';

/** waits: a setting asked for a wall, and a machine that has it may come. refused: a person's own file where there is no wall at all. */
export type SandboxDecision =
  | { readonly ok: true }
  | { readonly ok: false; readonly kind: 'waits' | 'refused'; readonly detail: string };

const whose: Readonly<Record<Proposal['author'], string>> = {
  agents: 'a program that a language model wrote',
  user: 'a mixer file of a person',
  baseline: 'a program of this campaign',
  evolver: 'a program of this campaign',
};

/**
 * Whether a job may run in the tier that the host proved; if not, why and what would help. `campaignId`: null where the campaign has no name
 * yet.
 */
export const decideSandbox = (
  need: SandboxNeed & { readonly campaignId: string | null },
  host: { readonly tier: SandboxTier; readonly missing: string },
): SandboxDecision => {
  const needed = neededTier(need);
  if (isAtLeast(host.tier, needed)) return { ok: true };
  const missing = host.missing === '' ? '' : `: ${host.missing}`;
  const lacks = `${whose[need.author]} needs sandbox tier ${needed} and this machine has ${host.tier}${missing}`;
  if (need.author !== 'user' || need.settings.sandbox !== 'none')
    return { ok: false, kind: 'waits', detail: `${lacks}. It waits; "npx asi doctor" says what to install` };
  return { ok: false, kind: 'refused', detail: `${lacks}. ${howToAllow(need.campaignId)}` };
};

const howToAllow = (campaignId: string | null): string => {
  const id = campaignId ?? 'c-unwalled';
  return `"npx asi doctor" says what to install. To run it with your own rights, start the campaign with --id ${id} under ASI_ALLOW_UNSANDBOXED=${id} (for "npm start" too, where that runs); its scores are then marked for good, never ranked and never called better`;
};
