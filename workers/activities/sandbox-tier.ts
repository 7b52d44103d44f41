import { setTimeout } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { HostFacts } from '../../services/python/host.ts';
import type { StepResult } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import type { Experiment, Proposal } from '../../workflows/contracts/experiment.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import { decideSandbox, type SandboxDecision } from '../../workflows/rules/sandbox.ts';
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
 * Returns null when this machine's sandbox is strong enough for the experiment's program, and what to say of a person's file that is refused for
 * good. Otherwise throws a retryable failure of type SandboxUnavailable whose message begins with the label `sandbox_unavailable`: the work stays
 * queued, it never runs in a weaker one.
 */
export const admitProgram = async (
  dependencies: SandboxDependencies,
  work: SandboxedWork,
): Promise<Extract<StepResult, { ok: false }> | null> => {
  // On a busy machine a host takes longer to start than the server waits for a sign of life.
  const decision = await withHeartbeat(() => decide(dependencies, work));
  if (decision.ok) return null;
  if (decision.kind === 'refused') return { ok: false, label, detail: decision.detail };
  if (Context.current().info.attempt <= attemptsThatFailAtOnce) throw unavailable(decision.detail);
  await withHeartbeat(async (beat, signal) => {
    for (let again: SandboxDecision = decision; !again.ok; again = await decide(dependencies, work)) {
      beat({ [label]: again.detail });
      await setTimeout(retryMs, undefined, { signal });
    }
  });
  return null;
};

/** The same for a program that was admitted before: one that would be refused now waits for a host like the one that took it. */
export const requireSandbox = async (dependencies: SandboxDependencies, work: SandboxedWork): Promise<void> => {
  const refused = await admitProgram(dependencies, work);
  if (refused !== null) throw unavailable(refused.detail);
};

const decide = (dependencies: SandboxDependencies, { campaign, experiment }: SandboxedWork): Promise<SandboxDecision> =>
  decideForAuthor(dependencies, campaign, experiment.proposal?.author ?? 'user');

/** Whether programs of this author may run on this machine. */
export const decideForAuthor = async (
  { hostFacts, unsandboxed }: SandboxDependencies,
  { id, settings }: SandboxedWork['campaign'],
  author: Proposal['author'],
): Promise<SandboxDecision> => {
  const { sandbox } = await hostFacts();
  const isNamedUnsandboxed = unsandboxed?.has(id) ?? false;
  return decideSandbox({ author, settings, isNamedUnsandboxed, campaignId: id }, sandbox);
};

const unavailable = (detail: string): ApplicationFailure =>
  ApplicationFailure.create({
    message: `${label}: ${detail}`,
    type: sandboxUnavailable,
    nonRetryable: false,
    nextRetryDelay: retryMs,
  });
