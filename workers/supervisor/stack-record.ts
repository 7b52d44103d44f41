import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { makeFolder } from '../../services/storage/make-folder.ts';
import { identify, isGroupAlive, isRunning, sendSignal } from './process-identity.ts';

const identitySchema = z.object({ pid: z.number().int(), startMark: z.string() });
const recordSchema = z.object({
  version: z.literal(1),
  state: z.enum(['starting', 'up']),
  startedAt: z.string(),
  supervisor: identitySchema,
  temporalAddress: z.string(),
  uiUrl: z.string(),
  namespace: z.string(),
  ports: z.object({ temporal: z.number().int(), ui: z.number().int() }),
  /** The guard leads a process group of its own, in which the program runs. */
  processes: z.array(z.object({ name: z.string(), guard: identitySchema, program: identitySchema.nullable() })),
});

/** stack.json in the home: what runs there, for the command line and for the next start. */
export type StackRecord = z.infer<typeof recordSchema>;

/** A stack that runs now. */
export interface RunningStack {
  readonly pid: number;
  readonly startedAt: string;
  readonly temporalAddress: string;
  readonly uiUrl: string;
  readonly namespace: string;
}

const fileOf = (home: string): string => join(home, 'stack.json');

export const writeStackRecord = (home: string, record: StackRecord): void => {
  makeFolder(home);
  const draft = `${fileOf(home)}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`, { flush: true });
  renameSync(draft, fileOf(home));
};

/** null when there is none, or one that this version cannot read. */
export const readStackRecord = (home: string): StackRecord | null => {
  let text: string;
  try {
    text = readFileSync(fileOf(home), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
  const parsed = recordSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
};

export const removeStackRecord = (home: string): void => rmSync(fileOf(home), { force: true });

/** The stack that is up on this home, or null: none, or one that is still starting, or one whose supervisor has died. */
export const findStack = (home: string): RunningStack | null => {
  const record = readStackRecord(home);
  if (record === null || record.state !== 'up' || !isRunning(record.supervisor)) return null;
  const { supervisor, startedAt, temporalAddress, uiUrl, namespace } = record;
  return { pid: supervisor.pid, startedAt, temporalAddress, uiUrl, namespace };
};

/**
 * Ends what a supervisor that was killed has left behind; call it with the stack lock held.
 * @returns names of the processes that were still there
 */
export const reapLeftovers = async (home: string, graceMs: number): Promise<readonly string[]> => {
  const record = readStackRecord(home);
  if (record === null) return [];
  const left = record.processes.filter(({ guard, program }) => isRunning(guard) || (program !== null && isRunning(program)));
  for (const { program } of left) if (program !== null && isRunning(program)) sendSignal(program.pid, 'SIGTERM');
  const endAt = Date.now() + graceMs;
  const isLeft = (): boolean => left.some(({ program }) => program !== null && isRunning(program));
  while (isLeft() && Date.now() < endAt) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const { guard, program } of left) {
    // The group keeps the guard's pid as its number as long as a member lives; a new process cannot get that number.
    const isOurGroup = isRunning(guard) || (identify(guard.pid) === null && isGroupAlive(guard.pid));
    if (isOurGroup) sendSignal(-guard.pid, 'SIGKILL');
    if (program !== null && isRunning(program)) sendSignal(program.pid, 'SIGKILL');
  }
  removeStackRecord(home);
  return left.map(({ name }) => name);
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // Not a record of ours; the caller treats it as none.
    return null;
  }
};
