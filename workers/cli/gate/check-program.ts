import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InProcessDispatcher } from '../../../services/dispatch/in-process-dispatcher.ts';
import { PythonHost } from '../../../services/python/host.ts';
import { PythonProcessError } from '../../../services/python/line-process.ts';
import { PythonTools } from '../../../services/python/tools.ts';
import { makeFolder } from '../../../services/storage/make-folder.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import type { FailureLabel } from '../../../workflows/contracts/failure.ts';
import type { BaselineName } from '../../../workflows/contracts/genome.ts';
import type { Rung } from '../../../workflows/contracts/rung.ts';
import type { SandboxFacts } from '../../../workflows/contracts/sandbox.ts';
import { type CheckRequest, type CheckResult, checkResultSchema } from '../../../workflows/contracts/trial.ts';
import { type Config, workFolder } from '../../config.ts';
import { ensureHome } from '../../home.ts';
import { CommandError } from '../command-error.ts';

export interface ProgramToCheck {
  readonly text: string;
  /** Name of the file in messages; plain letters, digits, dots, dashes and underscores, or it is called mixer.py. */
  readonly fileName: string;
  readonly rung: Rung;
  readonly seed: number;
  /** Random cuts of the causality gate. */
  readonly cuts: number;
  /** What parameters and FLOPs are matched with. */
  readonly reference: BaselineName;
  /** Largest model FLOPs as a multiple of the reference's. */
  readonly flopsLimit: number;
  /** Asked before a line of it runs: why it may not run in this sandbox, or null. */
  readonly refuse: (sandbox: SandboxFacts) => string | null;
}

/** The gates' own report, or how the process that ran them ended instead. */
export type Checked = { readonly sandbox: SandboxFacts } & (
  | { readonly ok: true; readonly report: CheckResult }
  | { readonly ok: false; readonly label: FailureLabel; readonly detail: string }
);

const limits = { memoryBytes: 3 * 1024 ** 3, logBytes: 1024 * 1024 } as const;
const plainName = /^[A-Za-z0-9_][\w.-]{0,80}\.py$/;

/** A host and the slots on it, for a command that runs more than one job. */
export interface OpenHost {
  readonly host: PythonHost;
  readonly dispatcher: InProcessDispatcher;
}

/** The host starts with its first job. `read`: folders that jobs name files of, besides the work folder of this home. */
export const openHost = (
  config: Config,
  { slots, read }: { readonly slots: number; readonly read: readonly string[] },
): OpenHost => {
  const host = new PythonHost({ python: config.python, folders: { work: [workFolder(config)], read } });
  return { host, dispatcher: new InProcessDispatcher({ slots, runner: host }) };
};

/** Runs the gates on one program as the checker does: in a child of the Python host, behind its sandbox. No Temporal and no archive. */
export const checkProgram = async (config: Config, program: ProgramToCheck): Promise<Checked> => {
  const opened = openHost(config, { slots: 1, read: [] });
  try {
    return await checkProgramOn(opened, config, program);
  } finally {
    await opened.dispatcher.close();
  }
};

/** The same on a host that stays open. */
export const checkProgramOn = async (
  { host, dispatcher }: OpenHost,
  config: Config,
  program: ProgramToCheck,
): Promise<Checked> => {
  ensureHome(config.home);
  const workdir = join(workFolder(config), 'gate', `${process.pid}-${randomBytes(6).toString('hex')}`);
  makeFolder(workdir);
  const tools = new PythonTools({ python: config.python });
  try {
    const request = await requestFor(tools, workdir, program);
    const { sandbox } = await host.start();
    const refused = program.refuse?.(sandbox) ?? null;
    if (refused !== null) return { ok: false, sandbox, label: 'sandbox_unavailable', detail: refused };
    const wallSeconds = config.checkSeconds;
    const end = await dispatcher.run({
      id: `gate-${basename(workdir)}`,
      command: 'check',
      request,
      workdir,
      limits: { ...limits, wallSeconds, idleSeconds: wallSeconds },
    });
    if (!end.ok) return { ok: false, sandbox, label: end.label, detail: end.detail };
    const parsed = checkResultSchema.safeParse(end.result);
    if (parsed.success) return { ok: true, sandbox, report: parsed.data };
    const issue = parsed.error.issues[0];
    return { ok: false, sandbox, label: 'bad_result', detail: `result.json: ${issue?.path.join('.')}: ${issue?.message}` };
  } catch (error) {
    if (!(error instanceof PythonProcessError)) throw error;
    throw new CommandError(`${error.message}\nLook at "npx asi doctor"; "npm run setup" mends a broken Python environment.`, {
      cause: error,
    });
  } finally {
    await tools.close();
    await rm(workdir, { recursive: true, force: true });
  }
};

const requestFor = async (tools: PythonTools, workdir: string, program: ProgramToCheck): Promise<CheckRequest> => {
  const { reference } = program;
  const programPath = join(workdir, plainName.test(program.fileName) ? program.fileName : 'mixer.py');
  const referencePath = join(workdir, 'reference-baseline.py');
  writeFileSync(programPath, program.text);
  writeFileSync(referencePath, await tools.emit(baselineGenomes[reference], reference, `The baseline ${reference}.`));
  return {
    programPath,
    referencePath,
    rung: program.rung,
    seed: program.seed,
    cuts: program.cuts,
    flopsLimit: program.flopsLimit,
  };
};
