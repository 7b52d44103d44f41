/** Errors of the server and its clients that say only where something failed; what failed is their cause. */
const envelopes: ReadonlySet<string> = new Set([
  'ActivityFailure',
  'ChildWorkflowFailure',
  'TimeoutFailure',
  'WorkflowFailedError',
  'WorkflowUpdateFailedError',
]);

/**
 * What a person needs to read of a failure: the outermost error that is no envelope. Its own causes stay unread, since the message that was
 * written for people is that of the error which wraps them.
 */
export const rootFailure = (error: Error): Error =>
  envelopes.has(error.name) && error.cause instanceof Error ? rootFailure(error.cause) : error;

export const rootMessage = (error: Error): string => rootFailure(error).message;
