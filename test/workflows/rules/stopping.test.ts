import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExplorationState, nextMove } from '../../../workflows/rules/stopping.ts';

const state: ExplorationState = {
  inFlight: 1,
  maxInFlight: 3,
  candidatesStarted: 4,
  budget: { experiments: 10, minutes: 30, trialSeconds: 3600 },
  minutesUsed: 3,
  trialSecondsUsed: 200,
  paused: false,
  budgetSpent: false,
  stopRequested: false,
  bestGain: 0.02,
  targetGain: null,
};

describe('nextMove', () => {
  it('starts a candidate where a place is free and waits where none is', () => {
    expect(nextMove(state)).toEqual({ kind: 'start', reason: 'a place is free for candidate 5 of 10' });
    expect(nextMove({ ...state, inFlight: 3 })).toEqual({ kind: 'wait', reason: 'all 3 places are taken' });
  });

  it.each([
    [{ candidatesStarted: 10 }, 'the budget of 10 candidates is used up'],
    [{ minutesUsed: 30 }, 'the budget of 30 minutes is used up'],
    [{ trialSecondsUsed: 3600.5 }, 'the budget of 3600 trial seconds is used up'],
    [{ targetGain: 0.02 }, 'target reached: a gain of 0.0200 bits per byte, and 0.02 was asked for'],
    [{ stopRequested: true }, 'stopped by a person'],
    [{ budgetSpent: true }, 'the budget of 3600 trial seconds leaves no room for another trial'],
    [{ stopRequested: true, paused: true }, 'stopped by a person'],
  ])('finishes with %j', (part, reason) => {
    expect(nextMove({ ...state, ...part })).toEqual({ kind: 'finish', reason });
    expect(nextMove({ ...state, ...part, inFlight: 3 })).toEqual({ kind: 'finish', reason });
  });

  it('goes on below the target and without a gain', () => {
    expect(nextMove({ ...state, targetGain: 0.03 }).kind).toBe('start');
    expect(nextMove({ ...state, targetGain: 0.03, bestGain: null }).kind).toBe('start');
  });

  it('holds while paused, even where a cap was met meanwhile, since verifying would train', () => {
    expect(nextMove({ ...state, paused: true })).toEqual({ kind: 'wait', reason: 'paused by a person' });
    expect(nextMove({ ...state, paused: true, minutesUsed: 99 }).kind).toBe('wait');
  });

  it('never starts past a cap, over the places, while paused or after a stop, and never waits for nothing', () => {
    const any = fc.record({
      inFlight: fc.nat(5),
      maxInFlight: fc.integer({ min: 1, max: 5 }),
      candidatesStarted: fc.nat(12),
      budget: fc.record({ experiments: fc.nat(12), minutes: fc.nat(40), trialSeconds: fc.nat(5000) }),
      minutesUsed: fc.nat(40),
      trialSecondsUsed: fc.nat(5000),
      paused: fc.boolean(),
      budgetSpent: fc.boolean(),
      stopRequested: fc.boolean(),
      bestGain: fc.option(fc.double({ min: -1, max: 1, noNaN: true }), { nil: null }),
      targetGain: fc.option(fc.double({ min: 0.01, max: 1, noNaN: true }), { nil: null }),
    });
    fc.assert(
      fc.property(any, (s) => {
        const move = nextMove(s);
        if (move.kind === 'start') {
          expect(s.inFlight).toBeLessThan(s.maxInFlight);
          expect(s.candidatesStarted).toBeLessThan(s.budget.experiments);
          expect(s.minutesUsed).toBeLessThan(s.budget.minutes);
          expect(s.trialSecondsUsed).toBeLessThan(s.budget.trialSeconds);
          expect(s.paused || s.stopRequested).toBe(false);
        }
        // Something will change: an experiment ends, or a person resumes.
        if (move.kind === 'wait') expect(s.paused || s.inFlight > 0).toBe(true);
        expect(move.reason).not.toBe('');
      }),
    );
  });
});
