import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Interrupts } from '../../../workers/cli/interrupts.ts';

const press = () => {
  const process = new EventEmitter();
  const steps: string[] = [];
  let nowMs = 0;
  const interrupts = new Interrupts(process, () => nowMs);
  interrupts.onStep = (step) => steps.push(step);
  const send = (signal: string, afterMs = 1000): void => {
    nowMs += afterMs;
    process.emit(signal);
  };
  return { process, steps, interrupts, send };
};

describe('interrupts', () => {
  it('stop at the first, cancel at the second and abandon at the third Ctrl-C', () => {
    const { steps, send, interrupts } = press();
    expect(interrupts.haveBegun).toBe(false);
    for (let count = 0; count < 3; count++) send('SIGINT');
    expect(steps).toEqual(['stop', 'cancel', 'abandon']);
    expect(interrupts.begun.signal.aborted).toBe(true);
  });

  it('take one press that arrives twice as one', () => {
    const { steps, send } = press();
    send('SIGINT');
    send('SIGINT', 50);
    expect(steps).toEqual(['stop']);
  });

  it('cancel at once on SIGTERM and on a closed terminal', () => {
    const terminated = press();
    terminated.send('SIGTERM');
    expect(terminated.steps).toEqual(['cancel']);
    const closed = press();
    closed.send('SIGINT');
    closed.send('SIGHUP');
    expect(closed.steps).toEqual(['stop', 'cancel']);
  });

  it('hear nothing more once released', () => {
    const { process, interrupts } = press();
    interrupts.release();
    expect(process.eventNames()).toEqual([]);
  });
});
