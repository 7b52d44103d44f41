import { setTimeout } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { PythonProcessError } from '../../services/python/line-process.ts';
import { failureTypes, type MachineFacts } from '../../workflows/contracts/activities.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { infra, withHeartbeat } from './heartbeat.ts';
import { decideForAuthor, type SandboxDependencies } from './sandbox-tier.ts';

const pollMs = 3_000;
/** A start that failed once may have met a busy machine; one that fails again is a broken environment. */
const startsTried = 2;

export interface MachineDependencies extends SandboxDependencies {
  /** Program of a baseline, for parameter and FLOP match. */
  readonly baselineProgram: (name: Campaign['settings']['baselines'][number]) => Promise<string>;
  /** Trials at the same time on this machine. */
  readonly slots: number;
}

/** Starts what a campaign needs of Python, and waits up to `waitMs` for a sandbox as strong as it asks for. */
export const readMachine = (
  dependencies: MachineDependencies,
  { campaign, waitMs }: { readonly campaign: Campaign; readonly waitMs: number },
): Promise<MachineFacts> =>
  withHeartbeat(async (beat, signal) => {
    await startPython(dependencies, campaign);
    const giveUpAtMs = Date.now() + waitMs;
    for (;;) {
      const decision = await decideForAuthor(dependencies, campaign, 'baseline');
      const waitsFor = decision.ok ? null : decision.detail;
      if (waitsFor === null || Date.now() >= giveUpAtMs) return { waitsFor, slots: dependencies.slots };
      beat({ waitsFor });
      await setTimeout(pollMs, undefined, { signal });
    }
  });

const startPython = async ({ hostFacts, baselineProgram }: MachineDependencies, { settings }: Campaign): Promise<void> => {
  const [reference] = settings.baselines;
  try {
    await hostFacts();
    if (reference !== undefined) await baselineProgram(reference);
  } catch (error) {
    if (!(error instanceof PythonProcessError)) throw error;
    if (Context.current().info.attempt < startsTried) throw infra(error.message);
    throw ApplicationFailure.nonRetryable(
      `${lastOf(error.message)} Look at "npx asi doctor"; "npm run setup" mends a broken Python environment.`,
      failureTypes.brokenPython,
    );
  }
};

/** A traceback ends with what went wrong; what stands before its first line says which process it was. */
const lastOf = (message: string): string => {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  const [first = '', ...others] = lines;
  const last = others.at(-1);
  return last === undefined ? `${first}.` : `${first.replace(/:? *Traceback.*$/, '')}: ${last.trim()}.`;
};
