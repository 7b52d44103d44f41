import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  RetryState,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { expect, it } from 'vitest';
import { rootFailure, rootMessage } from '../../../workflows/rules/root-failure.ts';

const inActivity = (cause: Error): ActivityFailure =>
  new ActivityFailure('Activity task failed', 'openCampaign', '1', RetryState.MAXIMUM_ATTEMPTS_REACHED, 'worker', cause);

it('says what failed, in the words of the error that wraps its causes', () => {
  const full = ApplicationFailure.fromError(
    new Error('/home/asi/archive.db: the disk is full; free 200 MB', { cause: new Error('SQLITE_FULL') }),
  );
  const child = new ChildWorkflowFailure(
    'default',
    undefined as never,
    'runExperiment',
    RetryState.NON_RETRYABLE_FAILURE,
    inActivity(full),
  );
  expect(rootMessage(child)).toBe('/home/asi/archive.db: the disk is full; free 200 MB');
  expect(rootFailure(inActivity(full))).toBe(full);
  expect(rootMessage(new Error('alone'))).toBe('alone');
});

it('says of an attempt that ran out of time what the last one met, where that is known', () => {
  const timeout = new TimeoutFailure('activity StartToClose timeout', undefined, TimeoutType.START_TO_CLOSE);
  expect(rootMessage(inActivity(timeout))).toBe('activity StartToClose timeout');
  Object.defineProperty(timeout, 'cause', { value: ApplicationFailure.retryable('the judge did not answer', 'Infra') });
  expect(rootMessage(inActivity(timeout))).toBe('the judge did not answer');
});
