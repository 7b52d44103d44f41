import { ActivityFailure, condition, isCancellation, patched, startChild } from '@temporalio/workflow';
import { checks, record, training } from './activity-proxies.ts';
import { childOptions } from './campaign-children.ts';
import { enter, recordMessages, refresh, refreshMs, show } from './campaign-progress.ts';
import type { CampaignRun } from './campaign-state.ts';
import { auditCuts, type ConfirmationPlan } from './contracts/activities.ts';
import type { OtherRate } from './contracts/rung.ts';
import { nameAtRate } from './rules/rate-name.ts';
import { campaignKey } from './search-attributes.ts';
import { verifyArchitecture } from './verification.ts';

/**
 * Confirms the finalists on fresh seeds, look by look: the record says after each whose verdict more seeds may still change
 * (`planConfirmation`), and only those go on, with the baselines that they are compared with.
 */
export async function verify(run: CampaignRun): Promise<void> {
  const { confirmSeeds } = run.requirePlan();
  const { finalists, baselines } = await record.chooseFinalists({ campaignId: run.campaignId });
  if (finalists.length === 0) return;
  await enter(
    run,
    'verifying',
    `confirming ${finalists.length} ${finalists.length === 1 ? 'finalist' : 'finalists'} against ${baselines.length} baselines on ${confirmSeeds.length} fresh seeds`,
  );
  let look: Look = { finalists, baselines, seeds: confirmSeeds, champions: [], championTrials: [] };
  const controls: Promise<readonly PromiseSettledResult<void>[]>[] = [];
  const asked = new Asked();
  while (asked.isNew(look)) {
    await confirmOn(run, asked.ask(look), () => {
      // Campaigns of the version before go on without them, and call nothing better.
      if (controls.length === 0 && patched('controls')) controls.push(Promise.allSettled([tryControls(run.campaignId)]));
    });
    // Before the record is asked who is better: the last set is not spent where the controls forbid it.
    for (const end of (await Promise.all(controls)).flat()) if (end.status === 'rejected') throw end.reason;
    look = await record.planConfirmation({ campaignId: run.campaignId, numTried: asked.numTried });
    // What falls to a baseline at another rate may still be better with more seeds.
    if ((look.rates ?? []).length > 0) look = await tryRates(run, { look, asked });
    if (!asked.isNew(look)) break;
    run.stage = `training ${look.seeds.length} more fresh ${look.seeds.length === 1 ? 'seed' : 'seeds'}, which may change the verdict of ${look.finalists.map((id) => id.split('/')[1]).join(', ')}`;
    show(run);
  }
  await askChampionSet(run, look);
}

/** Which fresh seeds were asked for, of whom, and how often other rates were. */
class Asked {
  readonly #seedsOf = new Map<string, number>();
  readonly #looks = new Set<string>();
  #numRateRounds = 0;

  /** The most of any of them. */
  get numTried(): number {
    return Math.max(0, ...this.#seedsOf.values());
  }

  /** False without seeds, and where the record asks for the same again: a child that a person cancelled left none of its trials. */
  isNew({ finalists, seeds }: Look): boolean {
    return seeds.length > 0 && finalists.some((id) => !this.#looks.has(lookKey(id, seeds)));
  }

  /** Counts a look as asked for; who is to be trained for it, the baselines only as far as they were not. */
  ask({ finalists, baselines, seeds }: Look): readonly Member[] {
    const upTo = seeds.length + Math.max(...finalists.map((id) => this.#seedsOf.get(id) ?? 0));
    const behind = baselines.filter((id) => (this.#seedsOf.get(id) ?? 0) < upTo);
    return [
      ...finalists.map((id) => this.#count(id, 'finalist', seeds)),
      ...behind.map((id) => this.#count(id, 'baseline', seeds)),
    ];
  }

  #count(id: string, role: Member['role'], seeds: readonly number[]): Member {
    const before = this.#seedsOf.get(id) ?? 0;
    this.#seedsOf.set(id, before + seeds.length);
    this.#looks.add(lookKey(id, seeds));
    return { id, role, seeds, child: before === 0 ? 'verify' : `verify-after-${before}` };
  }

  /** Last part of the names of the next round's children. */
  nextRateRound(): string {
    this.#numRateRounds += 1;
    const number = this.#numRateRounds;
    return number === 1 ? '' : number === 2 ? '-more' : `-more-${number - 1}`;
  }
}

const lookKey = (id: string, seeds: readonly number[]): string => `${id}/${seeds.join()}`;

type Look = Pick<ConfirmationPlan, 'finalists' | 'baselines' | 'seeds' | 'rates' | 'champions' | 'championTrials'>;

/** The first fresh seed of every baseline at each other rate, then the others of those that may be the strongest there. */
const rateRounds = 2;

/** Trains the baselines at half and at twice the learning rate, before anything is called better; the plan that is left. */
async function tryRates(run: CampaignRun, { look, asked }: { readonly look: Look; readonly asked: Asked }): Promise<Look> {
  let left = look;
  for (let round = 0; round < rateRounds && (left.rates ?? []).length > 0; round++) {
    const part = asked.nextRateRound();
    const members = (left.rates ?? []).map(({ experimentId, rate, seeds }) => ({
      id: experimentId,
      role: 'baseline' as const,
      rate,
      seeds,
      child: `verify-${rate}-rate${part}`,
    }));
    run.stage = `training ${members.length} baselines at other learning rates, which may be as good as what is better at the rung's own`;
    show(run);
    await confirmOn(run, members);
    left = await record.planConfirmation({ campaignId: run.campaignId, numTried: asked.numTried });
  }
  return left;
}

interface Member {
  readonly id: string;
  readonly role: 'finalist' | 'baseline';
  readonly seeds: readonly number[];
  readonly rate?: OtherRate;
  /** Last part of its workflow id. */
  readonly child: string;
}

/** One look: each member is trained and scored on its fresh seeds, in a child of its own. */
async function confirmOn(run: CampaignRun, members: readonly Member[], onStarted: () => void = () => {}): Promise<void> {
  const { rung } = run.requirePlan().settings;
  const children = await Promise.all(
    members.map(({ id, role, seeds, rate, child }) =>
      startChild(verifyArchitecture, {
        ...childOptions,
        workflowId: `${id}/${child}`,
        args: [{ campaignId: run.campaignId, experimentId: id, role, rung, seeds, ...(rate === undefined ? {} : { rate }) }],
        staticSummary: nameAtRate(`confirm ${role} ${id.split('/')[1]} on ${seeds.length} fresh seeds`, rate),
        typedSearchAttributes: [{ key: campaignKey, value: run.campaignId }],
      }),
    ),
  );
  onStarted();
  let over = false;
  const ends = Promise.allSettled(children.map((child) => child.result())).then((settled) => {
    over = true;
    return settled;
  });
  const changed = () => over || run.recordedBudget !== run.budget;
  // Campaigns of the version before go on without it.
  const refreshes = patched('refresh-verification');
  // A cap that is raised now must reach the ledger while there are trials that it can help.
  while (!over) {
    if (refreshes) await condition(changed, refreshMs());
    else await condition(changed);
    await recordMessages(run);
    if (refreshes && !over) await refresh(run);
  }
  await ends;
  // A child that a person cancelled or that an outage ended leaves seeds without a score, and the verdict says so.
}

/** Beside the trials, which take longer. Without an answer nothing is called better; all else goes on. */
async function tryControls(campaignId: string): Promise<void> {
  try {
    await checks.runControls.executeWithOptions({ summary: 'an honest program and planted cheats through the gates' }, [
      { campaignId },
    ]);
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  }
}

/**
 * What is to be called better goes through the gates with the most cuts, and the champion set is asked about it once. What fails the audit, or has a
 * trial that cannot be scored, is not called better.
 */
async function askChampionSet(run: CampaignRun, { champions, championTrials }: Look): Promise<void> {
  if (championTrials.length === 0) return;
  let numScored = 0;
  const tell = (): void => {
    const done = numScored === 0 ? '' : `: ${numScored} done`;
    run.stage = `scoring ${championTrials.length} trials on the champion set, which "better" must hold on too${done}`;
    show(run);
  };
  tell();
  const score = async (trialId: string): Promise<void> => {
    await scoreOrLeave(trialId);
    numScored += 1;
    tell();
  };
  await Promise.all([...champions.map(auditOrLeave), ...championTrials.map(score)]);
}

async function auditOrLeave(experimentId: string): Promise<void> {
  const cuts = auditCuts.champion;
  try {
    await checks.auditArchitecture.executeWithOptions({ summary: `gates with ${cuts} cuts` }, [{ experimentId, cuts }]);
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  }
}

async function scoreOrLeave(trialId: string): Promise<void> {
  try {
    await training.scoreChampion.executeWithOptions({ summary: `champion set, ${trialId}` }, [{ trialId }]);
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  }
}
