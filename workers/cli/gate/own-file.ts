import type { SandboxFacts } from '../../../workflows/contracts/sandbox.ts';
import type { CampaignSettings } from '../../../workflows/contracts/settings.ts';
import { decideSandbox } from '../../../workflows/rules/sandbox.ts';

export interface OwnFile {
  readonly settings: Pick<CampaignSettings, 'sandbox' | 'modelSandbox'>;
  /** Id of the campaign that tries it; null where it will be made up. */
  readonly id: string | null;
  /** Campaigns that the operator named. */
  readonly unsandboxed: ReadonlySet<string>;
}

/** Why a person's file may not run in this sandbox, before a line of it does; null where it may. The checker decides by the same rule. */
export const refuseOwnFile =
  ({ settings, id, unsandboxed }: OwnFile) =>
  (sandbox: Pick<SandboxFacts, 'tier' | 'missing'>): string | null => {
    const isNamedUnsandboxed = id !== null && unsandboxed.has(id);
    const decision = decideSandbox({ author: 'user', settings, isNamedUnsandboxed, campaignId: id }, sandbox);
    return decision.ok ? null : decision.detail;
  };
