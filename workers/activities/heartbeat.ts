import { ApplicationFailure, Context } from '@temporalio/activity';

const beatEveryMs = 3000;

/** An outage: thrown, retried by Temporal, never charged to a candidate. */
export const infra = (message: string): ApplicationFailure => ApplicationFailure.retryable(message, 'Infra');

/** Whether somebody wants the running activity to end for good, rather than that its worker stops or the server has lost sight of it. */
export const isCancelRequested = (): boolean => Context.current().cancellationDetails?.cancelRequested === true;

/**
 * Runs work that may take long: heartbeats every three seconds with the last details, so that a dead worker is noticed and a cancel arrives,
 * and hands the work the activity's cancellation signal.
 */
export const withHeartbeat = async <T>(
  work: (beat: (details: object) => void, signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const context = Context.current();
  let last: object = {};
  const timer = setInterval(() => context.heartbeat(last), beatEveryMs);
  try {
    return await work((details) => {
      last = details;
    }, context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
};
