import { WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { CommandError } from '../../../workers/cli/command-error.ts';
import { Steering } from '../../../workers/cli/steer.ts';

/** A server that answers a wish with each of these in turn, and takes everything afterwards. */
const steered = (...answers: readonly Error[]) => {
  const open = [...answers];
  const sent: string[] = [];
  const lines: string[] = [];
  let numAbandoned = 0;
  const steering = new Steering({
    send: async (step) => {
      sent.push(step);
      const answer = open.shift();
      if (answer !== undefined) throw answer;
    },
    say: (line) => lines.push(line),
    abandon: () => {
      numAbandoned += 1;
    },
    retryMs: 5,
  });
  return { steering, sent, lines, numAbandoned: () => numAbandoned };
};
const settle = () => new Promise((resolve) => setTimeout(resolve, 250));
const full = new Error('14 UNAVAILABLE: database or disk is full');

describe('a cancel that the server does not take', () => {
  it('is sent again until it is taken, with a word at the first failure and one at the end', async () => {
    const { steering, sent, lines } = steered(full, full, full);
    steering.onStep('cancel');
    await settle();
    expect(sent).toEqual(['cancel', 'cancel', 'cancel', 'cancel']);
    expect(lines.slice(1)).toEqual([
      `the server did not take the cancel (${full.message}); trying again until it does`,
      'the server has taken the cancel now',
    ]);
  });

  it('is given up at the next Ctrl-C, which says that the campaign was not cancelled', async () => {
    const { steering, sent, lines, numAbandoned } = steered(...Array.from({ length: 100 }, () => full));
    steering.onStep('cancel');
    await settle();
    steering.onStep('abandon');
    const numSent = sent.length;
    await settle();
    expect(sent.length).toBe(numSent);
    expect(numAbandoned()).toBe(1);
    expect(lines.at(-1)).toContain('did not take the cancel');
  });

  it('replaces a stop that was not taken either', async () => {
    const { steering, sent } = steered(full);
    steering.onStep('stop');
    steering.onStep('cancel');
    await settle();
    expect(sent).toEqual(['stop', 'cancel']);
  });
});

describe('a wish', () => {
  it('that can never be taken is said once', async () => {
    const over = new CommandError('stop: no running workflow', { cause: new WorkflowNotFoundError('gone', 'c-x', undefined) });
    const { steering, sent, lines } = steered(over, over);
    steering.onStep('stop');
    await settle();
    expect(sent).toEqual(['stop']);
    expect(lines.at(-1)).toBe('stop: no running workflow');
  });

  it('that was taken is not called lost', async () => {
    const { steering, lines } = steered();
    steering.onStep('cancel');
    await settle();
    steering.onStep('abandon');
    expect(lines.at(-1)).toBe('not waiting for the campaign any longer; what it recorded is kept');
  });

  it('is not sent to a campaign that is over', async () => {
    const { steering, sent } = steered(...Array.from({ length: 100 }, () => full));
    steering.onStep('cancel');
    steering.release();
    const numSent = sent.length;
    await settle();
    expect(sent.length).toBe(numSent);
  });
});
