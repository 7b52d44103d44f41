import { ActivityFailure, isCancellation, patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { checks } from './activity-proxies.ts';
import { requireCampaign } from './child-only.ts';
import { auditCuts, type StepResult } from './contracts/activities.ts';
import type { OtherRate } from './contracts/rung.ts';
import { outageOf, runTrial } from './experiment.ts';
import { plainText } from './rules/markdown.ts';
import { kindKey, stageKey } from './search-attributes.ts';

export interface VerificationInput {
  readonly campaignId: string;
  readonly experimentId: string;
  readonly role: 'finalist' | 'baseline';
  readonly rung: string;
  readonly seeds: readonly number[];
  /** The learning rate, where it is not the rung's own. */
  readonly rate?: OtherRate;
}
export interface VerificationOutcome {
  readonly experimentId: string;
  readonly confirmed: readonly number[];
  readonly failed: readonly { readonly seed: number; readonly label: string; readonly detail: string }[];
}

/**
 * Trains and scores one architecture on fresh seeds that nothing was selected by (no winner's curse). A seed that fails is reported, and the
 * others still run: the verdict counts only common seeds.
 */
export async function verifyArchitecture(input: VerificationInput): Promise<VerificationOutcome> {
  requireCampaign();
  upsertSearchAttributes([
    { key: kindKey, value: `verify-${input.role}` },
    { key: stageKey, value: 'verifying' },
  ]);
  const confirmed: number[] = [];
  const failed: ({ seed: number } & Doubt)[] = [];
  const doubt = input.role === 'finalist' ? await audit(input) : null;
  if (doubt !== null) return showUnconfirmed(input, { by: `the gates with ${auditCuts.finalist} cuts`, doubt });
  const run = async (seed: number): Promise<void> => {
    const setback = await confirm(input, seed);
    if (setback === null) confirmed.push(seed);
    else failed.push({ seed, label: setback.label, detail: setback.detail });
  };
  // Read `runSeeds` of the experiment; a seed that fails does not end the others here.
  if (patched('seeds-at-once')) {
    const show = () =>
      setCurrentDetails(
        `### ${input.experimentId}\n\nConfirming on fresh seeds: ${confirmed.length + failed.length} of ${input.seeds.length} done.`,
      );
    show();
    const ended = await Promise.allSettled(input.seeds.map((seed) => run(seed).then(show)));
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
    confirmed.sort((a, b) => a - b);
  } else {
    for (const seed of input.seeds) {
      setCurrentDetails(
        `### ${input.experimentId}\n\nConfirming on fresh seeds: ${confirmed.length} of ${input.seeds.length} done, seed ${seed} running.`,
      );
      await run(seed);
    }
  }
  // What its seed does not decide is confirmed by no other seed.
  const seedless = failed.find(({ label }) => label === 'nondeterministic');
  if (seedless !== undefined) return showUnconfirmed(input, { by: `training seed ${seedless.seed} again`, doubt: seedless });
  setCurrentDetails(
    `### ${input.experimentId}\n\nConfirmed on seeds ${confirmed.join(', ') || 'none'}${failed.length > 0 ? `; failed on ${failed.map((row) => `${row.seed} (${row.label})`).join(', ')}` : ''}.`,
  );
  upsertSearchAttributes([{ key: stageKey, value: 'done' }]);
  return { experimentId: input.experimentId, confirmed, failed };
}

type Doubt = Pick<Extract<StepResult, { ok: false }>, 'label' | 'detail'>;

/** What the gates say with the cuts of a finalist; an outage that outlasted its retries leaves it unconfirmed, not the campaign unconcluded. */
async function audit({ experimentId }: VerificationInput): Promise<Doubt | null> {
  const cuts = auditCuts.finalist;
  try {
    const audited = await checks.auditArchitecture.executeWithOptions({ summary: `gates with ${cuts} cuts` }, [
      { experimentId, cuts },
    ]);
    return audited.ok ? null : audited;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    return outageOf(error, { isOurs: false });
  }
}

function showUnconfirmed(
  { experimentId, seeds }: VerificationInput,
  { by, doubt: { label, detail } }: { readonly by: string; readonly doubt: Doubt },
): VerificationOutcome {
  setCurrentDetails(`### ${experimentId}\n\nNot confirmed: ${by} ended with ${label}. ${plainText(detail)}`);
  upsertSearchAttributes([{ key: stageKey, value: 'done' }]);
  return { experimentId, confirmed: [], failed: seeds.map((seed) => ({ seed, label, detail })) };
}

/** An outage that outlasted its retries costs this seed, not the conclusion of the campaign. */
async function confirm(input: VerificationInput, seed: number): ReturnType<typeof runTrial> {
  try {
    const { experimentId, rung, rate } = input;
    return await runTrial({
      ...{ experimentId, rung, seed },
      ...(rate === undefined ? { purpose: 'confirm' } : { purpose: 'rate', rate }),
    });
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    return { stage: 'train', ...outageOf(error, { isOurs: input.role === 'baseline' }) };
  }
}
