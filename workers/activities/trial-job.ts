import type * as z from 'zod';
import type { Job, JobEnd, TrialDispatcher } from '../../services/dispatch/dispatcher.ts';
import { rungs } from '../../workflows/contracts/rung.ts';
import type { TrainProgress } from '../../workflows/contracts/trial.ts';
import { withHeartbeat } from './heartbeat.ts';
import type { TrainingDependencies, TrialContext } from './trial-record.ts';

const memoryLimitBytes = 3 * 1024 ** 3;
const logLimitBytes = 1024 * 1024;

export const trialLimits = ({ idleSeconds }: TrainingDependencies, { campaign }: TrialContext): Job['limits'] => ({
  wallSeconds: rungs[campaign.settings.rung].wallLimitSeconds,
  idleSeconds,
  memoryBytes: memoryLimitBytes,
  logBytes: logLimitBytes,
});

/** A campaign trains and scores no more at a time than its settings say, whatever the machine has. */
export const shareOf = ({ campaign }: TrialContext): NonNullable<Job['share']> => ({
  owner: campaign.id,
  slots: campaign.settings.slots,
});

export const runTrialJob = (
  dispatcher: TrialDispatcher,
  work: Job,
  onProgress?: (progress: TrainProgress) => void,
  stop?: AbortSignal,
): Promise<JobEnd> =>
  withHeartbeat(async (beat, signal) => {
    const signals = stop === undefined ? signal : AbortSignal.any([signal, stop]);
    return await dispatcher.run(work, {
      signal: signals,
      events: {
        onQueued: (position) => beat({ waitingBehind: position }),
        onStarted: () => beat({ started: true }),
        onProgress: (progress) => {
          beat(progress);
          onProgress?.(progress);
        },
      },
    });
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
