import type * as z from 'zod';
import { unstorableType } from '../../workflows/contracts/activities.ts';
import { faultMessage, type StoreFault, type StoreFaultReason } from '../storage/store-fault.ts';

/** The archive cannot be opened, read or written now. Never the record's fault; path and remedy are in the message and in fields. */
export class ArchiveUnavailableError extends Error {
  override readonly name = 'ArchiveUnavailableError';
  readonly path: string;
  readonly reason: StoreFaultReason;
  readonly remedy: string;
  /** For reason newer-version: version in the file, and the newest that this program knows. */
  readonly foundVersion: number | null;
  readonly knownVersion: number | null;
  constructor(fault: StoreFault, cause?: unknown) {
    super(faultMessage(fault), { cause });
    this.path = fault.path;
    this.reason = fault.reason;
    this.remedy = fault.remedy;
    this.foundVersion = fault.foundVersion ?? null;
    this.knownVersion = fault.knownVersion ?? null;
  }
}

/** A record that its schema refuses was about to be written: NaN for a number, say. Nothing was written. */
export class InvalidRecordError extends Error {
  override readonly name = unstorableType;
  readonly kind: string;
  readonly id: string;
  constructor(kind: string, id: string, problem: string, options?: ErrorOptions) {
    super(`The ${kind} ${id} cannot be stored: ${problem}`, options);
    this.kind = kind;
    this.id = id;
  }
}

/** The record as its schema sees it. Throws InvalidRecordError that names field and value. */
export const checkRecord = <T>(
  record: { readonly schema: z.ZodType<T>; readonly kind: string; readonly id: string },
  value: unknown,
): T => {
  const parsed = record.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || '(whole)'} is ${show(valueAt(value, issue.path))}: ${issue.message}`);
  throw new InvalidRecordError(record.kind, record.id, problems.join('; '), { cause: parsed.error });
};

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value);

const show = (value: unknown): string =>
  typeof value === 'number' ? String(value) : (JSON.stringify(value)?.slice(0, 100) ?? String(value));
