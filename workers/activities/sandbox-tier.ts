import { setTimeout } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { HostFacts } from '../../services/python/host.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import { decideSandbox } from '../../workflows/rules/sandbox.ts';
import { withHeartbeat } from './heartbeat.ts';

export const sandboxUnavailable = 'SandboxUnavailable';
const label: FailureLabel = 'sandbox_unavailable';
const retryMs = 30_000;
/** The first attempts fail at once, so that the server shows why; the next waits inside for as long as it takes, so that attempts do not run out. */
const attemptsThatFailAtOnce = 3;

export interface SandboxDependencies {
  readonly hostFacts: () => Promise<HostFacts>;
  /** Campaigns that the operator of this machine allows to run without a sandbox (ASI_ALLOW_UNSANDBOXED). */
  readonly unsandboxed?: ReadonlySet<string>;
}

export interface SandboxedWork {
  readonly campaign: Pick<Campaign, 'id' | 'settings'>;
  readonly experiment: Pick<Experiment, 'proposal'>;
}

/**
 * Returns when this machine's sandbox is strong enough for the experiment's program. Otherwise throws a retryable failure of type
 * SandboxUnavailable whose message begins with the label `sandbox_unavailable`: the work stays queued, it never runs in a weaker one.
 */
export const requireSandbox = async (dependencies: SandboxDependencies, work: SandboxedWork): Promise<void> => {
  const refusal = await refusalOf(dependencies, work);
  if (refusal === null) return;
  if (Context.current().info.attempt <= attemptsThatFailAtOnce) throw unavailable(refusal);
  await withHeartbeat(async (beat, signal) => {
    for (let reason: string | null = refusal; reason !== null; reason = await refusalOf(dependencies, work)) {
      beat({ [label]: reason });
      await setTimeout(retryMs, undefined, { signal });
    }
  });
};

const refusalOf = async (
  { hostFacts, unsandboxed }: SandboxDependencies,
  { campaign, experiment }: SandboxedWork,
): Promise<string | null> => {
  const { sandbox } = await hostFacts();
  const decision = decideSandbox(
    {
      author: experiment.proposal?.author ?? 'user',
      settings: campaign.settings,
      isNamedUnsandboxed: unsandboxed?.has(campaign.id) ?? false,
    },
    sandbox,
  );
  return decision.ok ? null : decision.detail;
};

const unavailable = (detail: string): ApplicationFailure =>
  ApplicationFailure.create({
    message: `${label}: ${detail}`,
    type: sandboxUnavailable,
    nonRetryable: false,
    nextRetryDelay: retryMs,
  });
