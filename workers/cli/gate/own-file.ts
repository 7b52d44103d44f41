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

export interface NamedProgram {
  /** What a person types. */
  readonly command: 'asi gate' | 'asi verify';
  /** What the operator names to allow it. */
  readonly id: string;
  readonly unsandboxed: ReadonlySet<string>;
}

/** Stands in ASI_ALLOW_UNSANDBOXED for the gates on a file, which belongs to no campaign. */
export const gateId = 'c-gate';

/** The same for a program that is only looked at: one that a command is given, or that a bundle brings, whoever says that they wrote it. */
export const refuseNamedProgram =
  ({ command, id, unsandboxed }: NamedProgram) =>
  ({ tier, missing }: Pick<SandboxFacts, 'tier' | 'missing'>): string | null =>
    tier !== 'none' || unsandboxed.has(id)
      ? null
      : `${command} would run the program with your own rights: this machine has no sandbox${missing === '' ? '' : ` (${missing})`}. "npx asi doctor" says what to install; ASI_ALLOW_UNSANDBOXED=${id} allows it all the same`;
