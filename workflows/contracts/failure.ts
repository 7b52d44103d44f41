import * as z from 'zod';

/**
 * Why something ended badly. A closed set; facts that only the supervisor can know decide the label, never the text of a log.
 * `infra` is never charged to the candidate and is retried. Of the others those of the last group are not charged either, and a duplicate
 * teaches the evolver nothing.
 */
export const failureLabels = [
  'duplicate', // repeats an architecture that the archive already holds: by genome or text before any training, or by its training
  // Before any training.
  'rejected_static', // program text breaks the mixer contract before it is run
  'gate', // an executable legality check failed; the detail names it
  'unmatched', // no MLP width brings the parameter count within two per cent of the reference
  // While candidate code runs, seen from outside.
  'import_error', // the program could not be imported
  'compile_error', // the program has a syntax error
  'exit', // it ended with a non-zero status; the detail holds the status
  'signal', // it was ended by a signal that the supervisor did not send; the detail holds the number
  'timeout_wall', // ran past its wall limit
  'timeout_idle', // made no supervisor-visible progress for too long
  'oom_host', // memory limit
  'oom_gpu', // device memory limit
  'pids_limit', // started more processes or threads than it may
  'disk_limit', // wrote more than its workspace may hold
  'log_flood', // printed more than is kept
  'forbidden_write', // tried to open a path outside its workspace for writing
  'forbidden_call', // tried to start a process, to open a socket or to signal another process
  'no_result', // ended well and left no result
  'bad_result', // left a result that does not fit the schema
  // What the judge or the host saw.
  'integrity', // it is not what it says: prefixes and whole sequences disagree, another model was trained, or for longer than was allowed
  'nondeterministic', // the same seed gave another result
  // The live training watch.
  'nonfinite', // loss or parameters became NaN or infinite
  'diverged', // loss rose far above where it began
  'hopeless', // curve rule: cannot catch up with the pool
  'too_slow', // far slower per token than the reference
  // Neither the candidate's fault nor its merit.
  'cancelled',
  'budget', // a cap was reached before it could run
  'sandbox_unavailable', // no sandbox as strong as the program needs: work waits for one; a person's own file is not run without any
  'poison', // its program was running in three outages of its host, in the last with no other job in it: not tried again
  'infra', // the machine, the network, a server or our own code failed
] as const;

export const failureLabelSchema = z.enum(failureLabels);
export type FailureLabel = z.infer<typeof failureLabelSchema>;

export const failureSchema = z.strictObject({
  label: failureLabelSchema,
  /** One sentence for a person: what happened, the value seen, and the limit or the remedy. */
  detail: z.string().max(4000),
  /** Where it happened. */
  stage: z.enum(['propose', 'novelty', 'check', 'train', 'score', 'analyse', 'record']),
  /** Address of the log excerpt among the artifacts, if there is one. */
  logArtifact: z.string().nullable(),
});
export type Failure = z.infer<typeof failureSchema>;
