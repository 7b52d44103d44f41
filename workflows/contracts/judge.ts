import * as z from 'zod';
import { hashSchema } from './architecture.ts';
import { dataManifestSchema } from './data.ts';
import { failureLabelSchema } from './failure.ts';
import { experimentIdSchema, trialIdSchema } from './ids.ts';
import { rungSchema } from './rung.ts';
import { sandboxTierSchema } from './sandbox.ts';
import { scoreSchema, scoreSetSchema } from './score.ts';
import { scoreListSchema } from './score-list.ts';

/** Two FIFOs: the judge writes questions and reads answers. */
export const channelSchema = z.strictObject({ questions: z.string(), answers: z.string() });
export type Channel = z.infer<typeof channelSchema>;

/** To the judge process, one JSON object a line. */
export const judgeRequestSchema = z.discriminatedUnion('op', [
  /** Make the channels of a scoring. */
  z.strictObject({ op: z.literal('open'), id: z.string().min(1) }),
  /** Score a trial over the channels of this id. It waits until both processes are there; `close` ends the wait. */
  z.strictObject({
    op: z.literal('score'),
    id: z.string().min(1),
    trialId: trialIdSchema,
    programHash: hashSchema,
    checkpointHash: hashSchema,
    rung: rungSchema,
    seed: z.int().min(0),
    set: scoreSetSchema,
    data: dataManifestSchema,
    sandboxTier: sandboxTierSchema,
    sandboxCanaries: z.string(),
    /** Whether the canary that looks for held-out text of the standard library found none. */
    heldOutHidden: z.boolean(),
    device: z.string(),
    /** Longest wait for one answer. */
    answerSeconds: z.number().positive(),
    /** Whether the rows are to count: sealed, and entered in the list of the experiment. Otherwise their seal is zeros. */
    kept: z.boolean(),
  }),
  /** Give a scoring up and remove its channels. */
  z.strictObject({ op: z.literal('close'), id: z.string().min(1) }),
  z.strictObject({
    op: z.literal('check-seals'),
    id: z.string().min(1),
    rows: z.array(scoreSchema),
    lists: z.array(scoreListSchema),
  }),
  /** Which scorings of these experiments were sealed. */
  z.strictObject({ op: z.literal('lists'), id: z.string().min(1), experimentIds: z.array(experimentIdSchema) }),
  /** Answered with pong at once, whatever is scored. */
  z.strictObject({ op: z.literal('ping') }),
]);
export type JudgeRequest = z.infer<typeof judgeRequestSchema>;

export const judgeEventSchema = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('ready'), pid: z.int(), judgeVersion: z.string(), uid: z.int() }),
  /** The one process is asked for prefixes, the other for whole sequences; neither is to know of the other. */
  z.strictObject({ event: z.literal('opened'), id: z.string(), prefixes: channelSchema, sequences: channelSchema }),
  z.strictObject({
    event: z.literal('scored'),
    id: z.string(),
    status: z.enum(['scored', 'failed']),
    /** Set on failed: integrity, nonfinite, bad_result, no_result, timeout_idle, infra. */
    label: failureLabelSchema.nullable(),
    detail: z.string(),
    rows: z.array(scoreSchema),
    /** Of the judge itself. */
    cpuSeconds: z.number(),
  }),
  /** Which rows and which lists this judge's key sealed, in the order asked. */
  z.strictObject({
    event: z.literal('seals'),
    id: z.string(),
    genuine: z.array(z.boolean()),
    genuineLists: z.array(z.boolean()),
  }),
  /** Experiments without a sealed row have none. */
  z.strictObject({ event: z.literal('lists'), id: z.string(), lists: z.array(scoreListSchema) }),
  z.strictObject({ event: z.literal('pong') }),
  z.strictObject({ event: z.literal('refused'), id: z.string().nullable(), message: z.string() }),
]);
export type JudgeEvent = z.infer<typeof judgeEventSchema>;
