import { ApplicationFailure, condition, defineQuery, defineUpdate, patched, setHandler } from '@temporalio/workflow';
import type { CampaignRun } from './campaign-state.ts';
import { failureTypes } from './contracts/activities.ts';
import { type BudgetChange, type CampaignStatus, statusQuery, updateNames } from './contracts/messages.ts';

const isOver = (run: CampaignRun): boolean => run.state === 'finished' || run.state === 'cancelled' || run.state === 'failed';

const refuseWhenOver = (run: CampaignRun): void => {
  if (isOver(run)) throw new Error(`campaign ${run.campaignId} is ${run.state}; nothing more can be changed`);
};

const refuseWhenVerifying = (run: CampaignRun): void => {
  if (run.state === 'verifying')
    throw new Error('the campaign is confirming its finalists and ends by itself; cancel ends it at once');
};

const caps = { experiments: 100_000, minutes: 100_000, trialSeconds: 1e9 } as const;

/** The Web UI sends whatever a person typed, so the update checks it field by field. */
const budgetProblem = (change: unknown, leastTrialSeconds = 0.01): string | null => {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    return `setBudget takes an object such as {"experiments": 40}, not ${JSON.stringify(change)}`;
  }
  const entries = Object.entries(change);
  if (entries.length === 0) return 'setBudget needs at least one of experiments, minutes, trialSeconds';
  for (const [field, value] of entries) {
    if (!Object.hasOwn(caps, field)) return `setBudget has no field "${field}"; it has experiments, minutes, trialSeconds`;
    const cap = caps[field as keyof typeof caps];
    const lowest = { experiments: 0, minutes: 0.01, trialSeconds: leastTrialSeconds }[field as keyof typeof caps];
    if (
      typeof value !== 'number' ||
      !(value >= lowest && value <= cap) ||
      (field === 'experiments' && !Number.isInteger(value))
    ) {
      return `${field}: ${JSON.stringify(value)} is not ${field === 'experiments' ? 'a whole number' : 'a number'} from ${lowest} to ${cap}${lowest > 0.01 ? `; the first trial reserves ${lowest}` : ''}`;
    }
  }
  return null;
};

const leastOf = ({ plan }: CampaignRun): number | undefined => plan?.leastTrialSeconds;

/** The confirmation proposes nothing and has its minutes; only the cap on trial seconds can still stop it. */
const tooLateProblem = (run: CampaignRun, change: unknown): string | null =>
  run.state === 'verifying' &&
  typeof change === 'object' &&
  change !== null &&
  Object.keys(change).some((field) => field !== 'trialSeconds')
    ? 'the campaign is confirming its finalists: only trialSeconds has an effect now'
    : null;

const hintProblem = (run: CampaignRun, request: unknown): string | null => {
  const hint = typeof request === 'object' && request !== null && 'hint' in request ? request.hint : undefined;
  if (typeof hint !== 'string' || hint.trim() === '' || hint.length > 500) {
    return `addHint takes {"hint": "1 to 500 characters of text"}, not ${JSON.stringify(request)?.slice(0, 200)}`;
  }
  return run.hints.length >= 20 ? 'a campaign holds at most 20 hints' : null;
};

const refuse = (problem: string | null): void => {
  if (problem !== null) throw new Error(problem);
};

/** Steering and reading of a running campaign; the descriptions show in the Web UI's dialogs. */
export const setMessageHandlers = (run: CampaignRun): void => {
  const status = (): CampaignStatus => run.status(Date.now());

  setHandler(defineQuery<CampaignStatus>(statusQuery), status, {
    description: 'Stage, table of best, budget used, last failures',
  });

  setHandler(
    defineUpdate<CampaignStatus>(updateNames.pause),
    () => {
      run.pause(Date.now());
      return status();
    },
    {
      description: 'Start nothing new; what runs goes on to its end',
      validator: () => {
        refuseWhenOver(run);
        refuseWhenVerifying(run);
        if (run.stopRequested) throw new Error('the campaign is stopping: it starts nothing more and ends by itself');
        if (run.paused) throw new Error('the campaign is paused already; resume continues it');
      },
    },
  );

  setHandler(
    defineUpdate<CampaignStatus>(updateNames.resume),
    () => {
      run.resume(Date.now());
      return status();
    },
    {
      description: 'Continue a paused campaign',
      validator: () => {
        refuseWhenOver(run);
        if (!run.paused) throw new Error('the campaign is not paused');
      },
    },
  );

  setHandler(
    defineUpdate<CampaignStatus>(updateNames.stop),
    () => {
      run.stopRequested = true;
      run.resume(Date.now());
      return status();
    },
    {
      description: 'Propose nothing more; finish what runs, confirm the best and conclude',
      validator: () => {
        refuseWhenOver(run);
        refuseWhenVerifying(run);
        if (run.stopRequested) throw new Error('the campaign is stopping already');
      },
    },
  );

  setHandler(
    defineUpdate<CampaignStatus, [{ hint: string }]>(updateNames.hint),
    (request) => {
      run.hints = [...run.hints, request.hint.trim()];
      run.touch();
      return status();
    },
    {
      description: 'Words for the researcher: {"hint": "try wider FIR branches"}',
      validator: (request: unknown) => {
        refuseWhenOver(run);
        refuse(hintProblem(run, request));
      },
    },
  );

  setHandler(
    defineUpdate<CampaignStatus, [BudgetChange]>(updateNames.budget),
    async (change) => {
      // What a trial reserves is known with the settings. Campaigns of the version before did not ask.
      if (change.trialSeconds !== undefined && run.plan === null && patched('least-trial-seconds')) {
        await condition(() => run.plan !== null);
        const problem = budgetProblem(change, leastOf(run));
        if (problem !== null) throw ApplicationFailure.nonRetryable(problem, failureTypes.invalidInput);
      }
      run.changeBudget(change);
      return status();
    },
    {
      description: 'New caps: {"experiments": 40, "minutes": 60, "trialSeconds": 7200}, any of them',
      validator: (change: unknown) => {
        refuseWhenOver(run);
        refuse(budgetProblem(change, leastOf(run)) ?? tooLateProblem(run, change));
      },
    },
  );
};
