import type * as z from 'zod';
import type { Job, JobEnd, JobOrder, TrialDispatcher } from '../../services/dispatch/dispatcher.ts';
import { rungOf } from '../../workflows/contracts/campaign.ts';
import type { TrainProgress, Trial } from '../../workflows/contracts/trial.ts';
import { allConfirmSeeds, calibrationSeeds } from '../../workflows/rules/trial-seeds.ts';
import { withHeartbeat } from './heartbeat.ts';
import type { RunUse } from './trial-meter.ts';
import type { TrainingDependencies, TrialContext } from './trial-record.ts';

const memoryLimitBytes = 3 * 1024 ** 3;
const logLimitBytes = 1024 * 1024;

export const trialLimits = ({ idleSeconds }: TrainingDependencies, { campaign }: TrialContext): Job['limits'] => ({
  wallSeconds: rungOf(campaign).wallLimitSeconds,
  idleSeconds,
  memoryBytes: memoryLimitBytes,
  logBytes: logLimitBytes,
});

/** A campaign trains and scores no more at a time than its settings say, whatever the machine has. */
export const shareOf = ({ campaign }: TrialContext): NonNullable<Job['share']> => ({
  owner: campaign.id,
  slots: campaign.settings.slots,
});

/** A trial of a program that is not ours: all of its jobs together bear so many outages. */
export const suspectOf = ({ experiment }: TrialContext, trialId: string): Pick<Job, 'suspect'> =>
  experiment.kind === 'baseline' ? {} : { suspect: trialId };

export interface TrialJobWatch {
  /** When it has its slot, before it runs. */
  readonly onStarted?: () => Promise<void>;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** What the run has used so far, and at its end what it used. */
  readonly onUsed?: (used: RunUse) => void;
  /** Aborting it stops the job. */
  readonly stop?: AbortSignal;
}

/**
 * The seeds go in the order of their design, so that a later one trains beside an earlier one of the same program only where a slot would be
 * idle. What is found while exploring is answered for at once, since the next proposals learn from it. Where a stage waits for all of its trials
 * the short answers come last, of the longest jobs the longest first (R. L. Graham, SIAM J. Appl. Math. 17, 1969), so that no slot is left idle
 * beside a last long one.
 */
export const orderOf = (
  { campaign: { settings }, experiment }: TrialContext,
  trial: Pick<Trial, 'seed' | 'purpose'>,
  work: { readonly command: 'train'; readonly earlier: readonly Trial[] } | { readonly command: 'answer' },
): JobOrder => {
  const seeds = trial.purpose === 'explore' ? calibrationSeeds(settings) : allConfirmSeeds(settings);
  const isAwaited = trial.purpose === 'explore' && experiment.kind !== 'baseline';
  if (work.command === 'answer') return { turn: isAwaited ? 0 : seeds.length + 2, seconds: 0 };
  // One that is not of the design, as after a change of it, waits behind those that are.
  const place = seeds.includes(trial.seed) ? seeds.indexOf(trial.seed) : seeds.length;
  const seconds = work.earlier.map(({ usage }) => usage?.trainSeconds ?? 0);
  return { turn: 1 + place, seconds: Math.max(0, ...seconds) };
};

export const runTrialJob = (
  dispatcher: TrialDispatcher,
  work: Job,
  { onStarted, onProgress, onUsed, stop }: TrialJobWatch = {},
): Promise<JobEnd> =>
  withHeartbeat(async (beat, signal) => {
    const signals = stop === undefined ? signal : AbortSignal.any([signal, stop]);
    const end = await dispatcher.run(work, {
      signal: signals,
      events: {
        onQueued: (position) => beat({ waitingBehind: position }),
        onStarted: async () => {
          beat({ started: true });
          await onStarted?.();
        },
        onProgress: (progress) => {
          beat(progress);
          onProgress?.(progress);
        },
        onUsed: (used) => onUsed?.(used),
      },
    });
    onUsed?.(end);
    return end;
  });

export const parseResult = <T>(
  schema: z.ZodType<T>,
  value: unknown,
): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string } => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, problem: `result.json: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'does not fit'}` };
};
