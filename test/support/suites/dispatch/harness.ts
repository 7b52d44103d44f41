import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Job, JobEvents, TrialDispatcher } from '../../../../services/dispatch/dispatcher.ts';
import type { JobRunner } from '../../../../services/dispatch/job-runner.ts';
import { ScriptedRunner } from '../../scripted-runner.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

export interface DispatchOptions {
  readonly slots: number;
  /** What runs the jobs. */
  readonly runner: JobRunner;
  /** Takes out of every text of a job what nobody may read. */
  readonly redact?: (text: string) => string;
}

export interface DispatchStore {
  open(options: DispatchOptions): Promise<TrialDispatcher>;
  /** Waits until the dispatcher has done all that it does by itself: until then nothing can be said of what it did not start. */
  settle(): Promise<void>;
}
export type CreateDispatch = () => Promise<DispatchStore>;

export interface OpenDispatch {
  readonly dispatcher: TrialDispatcher;
  readonly runner: ScriptedRunner;
  readonly settle: () => Promise<void>;
  /** A training in a folder of its own. */
  readonly job: (id: string, part?: Partial<Job>) => Job;
  /** Gives a job in and waits until all is done that follows from it. */
  readonly give: (job: Job, options?: GivenOptions) => Promise<Given>;
  /** Ends a running job, and waits until all is done that follows from it. */
  readonly finish: (...end: Parameters<ScriptedRunner['finish']>) => Promise<void>;
}

export interface GivenOptions {
  readonly events?: JobEvents;
  readonly signal?: AbortSignal;
}
/** In an object, since a promise would be waited for. */
export interface Given {
  readonly end: ReturnType<TrialDispatcher['run']>;
}

/** A dispatcher whose jobs end when the test says so. */
export const openDispatch = async (
  create: CreateDispatch,
  options: Omit<DispatchOptions, 'runner'> = { slots: 1 },
): Promise<OpenDispatch> => {
  const store = await create();
  const folder = temporaryFolder();
  const runner = new ScriptedRunner();
  const dispatcher = await store.open({ ...options, runner });
  onTestFinished(async () => {
    if (!runner.closed) await dispatcher.close();
  });
  const { settle } = store;
  return {
    dispatcher,
    runner,
    settle,
    job: (id, part = {}) => ({
      id,
      command: 'train',
      request: { id },
      workdir: join(folder, id),
      limits: { wallSeconds: 1, idleSeconds: 1, memoryBytes: 1, logBytes: 1 },
      ...part,
    }),
    give: async (job, given) => {
      const end = dispatcher.run(job, given);
      await settle();
      return { end };
    },
    finish: async (...end) => {
      runner.finish(...end);
      await settle();
    },
  };
};
