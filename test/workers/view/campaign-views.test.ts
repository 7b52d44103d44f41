import { beforeAll, describe, expect, it } from 'vitest';
import { displayWidth } from '../../../workers/view/cells.ts';
import { currentActivities } from '../../../workers/view/current-trials.ts';
import { eventsOf, newEvents } from '../../../workers/view/events.ts';
import { liveView } from '../../../workers/view/live-view.ts';
import { progressOf, trialShare } from '../../../workers/view/progress.ts';
import type { CampaignSnapshot } from '../../../workers/view/snapshot.ts';
import { standingOf } from '../../../workers/view/standing.ts';
import { tryLines } from '../../../workers/view/try-result.ts';
import type { Campaign } from '../../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../../workflows/contracts/experiment.ts';
import { openingStage, waitingStage } from '../../../workflows/contracts/messages.ts';
import { rungs } from '../../../workflows/contracts/rung.ts';
import { aFailure, anArchitecture, anExperiment, aTrial, aVerdict } from '../../support/builders.ts';
import { aBudget, aRunningTrial, aStatus, openSeeded, seededId } from '../seeded-campaign.ts';

const byteSteps = rungs.quick.tasks[0].steps;
const allSteps = rungs.quick.tasks.reduce((sum, task) => sum + task.steps, 0);

let finished: Campaign;
let experiments: readonly Experiment[];
let running: CampaignSnapshot;

beforeAll(async () => {
  const seeded = await openSeeded();
  finished = seeded.campaign;
  experiments = seeded.experiments;
  const open = { fitness: null, verdict: null, finishedAt: null, analysis: null };
  running = {
    campaignId: seededId,
    campaign: { ...finished, state: 'exploring', conclusion: null, finishedAt: null },
    status: aStatus(),
    experiments: experiments.map((one) => {
      if (one.number === 3) return { ...one, ...open, state: 'checked' };
      return one.number === 4 ? { ...one, ...open, state: 'proposed' } : one;
    }),
    activeTrials: [aRunningTrial(3)],
    nowMs: Date.parse(finished.createdAt) + 140_000,
  };
});

const options = { maxBest: 5, keys: 'Ctrl-C stops' };

describe('the live view', () => {
  it.each([60, 80, 100, 140, 200])('fits %i columns', (width) => {
    for (const line of liveView({ width, color: false }, running, options)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  it('shows what is wrong on this machine, and no line while nothing is', () => {
    const look = { width: 80, color: false };
    const trouble = 'too little space on the disk of /state: 90 MB free';
    const told = liveView(look, { ...running, trouble }, options);
    expect(told).toContain(trouble);
    expect(liveView(look, { ...running, trouble: null }, options)).toEqual(told.filter((line) => line !== trouble));
  });

  it('shows whole what the campaign waits for, in the log too and once', () => {
    const notice = `a program of this campaign needs sandbox tier S1 and this machine has S0L: ${'install bubblewrap, '.repeat(6)}then start again`;
    const waiting = { ...running, status: aStatus({ state: 'calibrating', stage: waitingStage, notices: [notice] }) };
    expect(liveView({ width: 80, color: false }, waiting, options).join(' ').replaceAll(/\s+/g, ' ')).toContain(notice);
    const seen = new Set<string>();
    const first = newEvents(waiting, seen);
    expect(first.map(({ line }) => line)).toContain(notice);
    for (const { key } of first) seen.add(key);
    expect(newEvents(waiting, seen)).toEqual([]);
    const going = { ...waiting, status: aStatus({ state: 'calibrating', stage: 'training 2 baselines' }) };
    expect(newEvents(going, seen).map(({ line }) => line)).toEqual(['calibrating: training 2 baselines']);
  });

  it('shows stage, budget, best with interval, running trials with step and loss, and failures', () => {
    const text = liveView({ width: 110, color: false }, running, options).join('\n');
    expect(text).toContain('exploring: proposing, checking and training candidates');
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      'budget: candidates 3 of 10; minutes 2.3 of 30; trial seconds 61 of 3,600, 240 more reserved; 2 recorded, 1 rejected',
    );
    expect(text).toContain('e0002  gated-deltanet  baseline  +0.0200 [+0.0040, +0.0360]');
    expect(text).toMatch(/e0001 {2}deltanet {2,}baseline {2}0 \(reference\)/);
    expect(text).toContain(`e0003  vector-decay  training seed 1  bytes 40/${byteSteps}, loss 1.142  █`);
    expect(text).toMatch(/e0004 {2}wide-fir {2,}checking/);
    expect(text).toContain('e0005  gate: causality');
    expect(text).toContain('seeds alone differ by 0.0110');
  });

  it('has no bar, no time left and no keys once the campaign is over', () => {
    const over = {
      ...running,
      campaign: finished,
      experiments,
      status: aStatus({ state: 'finished', stage: 'finished' }),
      activeTrials: [],
    };
    const text = liveView({ width: 100, color: false }, over, options).join('\n');
    expect(text).not.toMatch(/[█░]|left|Ctrl-C/);
    expect(text.split('\n')[1]).toBe('finished');
  });

  it('stands before the campaign has a record, and when no worker answers', () => {
    const nothing = { campaignId: seededId, campaign: null, status: null, experiments: [], activeTrials: [], nowMs: 0 };
    expect(liveView({ width: 80, color: false }, nothing, options).join('\n')).toContain(
      'starting: waiting for the first answer',
    );
    const text = liveView({ width: 110, color: false }, { ...running, status: null }, options).join('\n');
    expect(text).toContain('gated-deltanet');
  });

  it('uses colour only when it may', () => {
    expect(liveView({ width: 100, color: false }, running, options).join('')).not.toContain('\u001b');
    expect(liveView({ width: 100, color: true }, running, options).join('')).toContain('\u001b[');
  });

  it('hands nothing of a hostile name to the terminal', () => {
    const hostile = experiments.map((one) =>
      one.proposal === null
        ? one
        : { ...one, state: 'checked' as const, proposal: { ...one.proposal, name: '\u001b[2Jx\r\nFAKE' } },
    );
    const lines = liveView({ width: 100, color: false }, { ...running, experiments: hostile }, options);
    expect(lines.join('')).not.toMatch(/\p{Cc}/u);
  });
});

describe('what runs now', () => {
  it('names a confirming trial of an experiment that is over', () => {
    const trial = aRunningTrial(2, 101, 'confirm');
    expect(currentActivities({ ...running, activeTrials: [trial] })).toContainEqual(
      expect.objectContaining({ id: 'c-seeded/e0002', doing: 'training seed 101, confirming' }),
    );
  });

  it('says when a loss is not finite', () => {
    const trial = { ...aRunningTrial(3), curve: [{ task: 'bytes', step: 5, loss: null, cpuSeconds: 1 }] };
    expect(currentActivities({ ...running, activeTrials: [trial] })[0]?.figures).toBe(`bytes 5/${byteSteps}, loss not finite`);
  });

  it('says what is waited for: the gates, a slot, or the baselines that judging needs', () => {
    const doing = (part: Partial<Experiment>) =>
      currentActivities({ ...running, experiments: [anExperiment(part)], activeTrials: [] }).map((one) => one.doing);
    expect(doing({ state: 'proposed' })).toEqual(['checking']);
    expect(doing({ state: 'checked' })).toEqual(['waiting for a slot']);
    expect(doing({ state: 'trained', kind: 'baseline' })).toEqual(['waiting for the other baselines']);
    expect(doing({ state: 'trained', kind: 'candidate' })).toEqual(['judging']);
  });

  it('says that a trial without a curve is starting', () => {
    expect(currentActivities({ ...running, activeTrials: [{ ...aRunningTrial(3), curve: [] }] })[0]?.figures).toBe('starting');
  });
});

describe('progress', () => {
  it('counts steps over all tasks of the rung', () => {
    // 40 steps of bytes, none of recall.
    expect(trialShare(finished, aRunningTrial(3))).toBeCloseTo(40 / allSteps);
    expect(trialShare(finished, aTrial({ state: 'failed' }))).toBe(1);
    expect(trialShare(null, aTrial({ state: 'running' }))).toBe(0);
    // At another learning rate bytes alone are trained.
    expect(trialShare(finished, { ...aRunningTrial(3), purpose: 'rate', rate: 'twice' })).toBeCloseTo(40 / byteSteps);
  });

  it('knows no time left before two trials have ended', () => {
    expect(progressOf({ ...running, experiments: [], activeTrials: [] }).msLeft).toBeNull();
    const almost = [1, 2, 3].map((seed) => ({
      ...aRunningTrial(3, seed),
      curve: aRunningTrial(3, seed).curve.map((point) => ({ ...point, step: byteSteps })),
    }));
    const early = { ...running, experiments: [], activeTrials: almost };
    expect(progressOf(early).share).toBeGreaterThan(0);
    expect(progressOf(early).msLeft).toBeNull();
    expect(liveView({ width: 110, color: false }, early, options).join('\n')).toContain('estimating the time left');
    const ended = almost.map((trial) => ({ ...trial, state: 'scored' as const }));
    expect(progressOf({ ...early, activeTrials: ended.slice(0, 2) }).msLeft).not.toBeNull();
  });

  it('is bounded by the minutes that exploration may still take', () => {
    const late = aStatus({ budget: { ...aBudget, minutes: { used: 30, cap: 30 } } });
    const free = progressOf(running).msLeft ?? 0;
    const capped = progressOf({ ...running, status: late }).msLeft ?? 0;
    expect(capped).toBeGreaterThan(0);
    expect(capped).toBeLessThan(free);
  });

  it('counts minutes by the clock while the workflow has not spoken', () => {
    const silent = aStatus({ budget: { ...aBudget, minutes: { used: 0, cap: 30 } } });
    expect(liveView({ width: 110, color: false }, { ...running, status: silent }, options).join('\n')).toContain(
      'minutes 2.3 of 30',
    );
  });

  it('rises while the trial runs and is whole when the campaign is over', () => {
    const done = progressOf({ ...running, activeTrials: [{ ...aRunningTrial(3), state: 'scored' }] });
    expect(done.share).toBeGreaterThan(progressOf(running).share);
    expect(progressOf({ ...running, campaign: finished, status: null })).toEqual({ share: 1, msLeft: 0 });
  });

  it('leaves no exploration once verification has begun', () => {
    const exploring = progressOf(running).msLeft ?? 0;
    const verifying = progressOf({ ...running, status: aStatus({ state: 'verifying' }) }).msLeft ?? 0;
    expect(verifying).toBeLessThan(exploring);
  });
});

describe('events of a plain log', () => {
  it('say what is waited for before the first training', () => {
    const opening = { ...running, campaign: null, experiments: [], activeTrials: [] };
    const lines = (snapshot: CampaignSnapshot): readonly string[] => eventsOf(snapshot).map(({ line }) => line);
    expect(lines({ ...opening, status: aStatus({ state: 'calibrating', stage: openingStage }) })).toEqual([
      `waiting: ${openingStage}, some seconds`,
    ]);
    const [baseline] = experiments;
    const checking = { ...running, activeTrials: [], experiments: [{ ...baseline, state: 'proposed' } as Experiment] };
    expect(lines(checking)).toContain('e0001 deltanet: its program goes through the gates, or waits for its turn there');
    const slotless = { ...running, activeTrials: [], experiments: [{ ...baseline, state: 'checked' } as Experiment] };
    const waiting = 'e0001 deltanet: the gates passed it; waiting for a slot to train';
    expect(lines(slotless)).toContain(waiting);
    expect(lines({ ...slotless, activeTrials: [{ ...aRunningTrial(1), state: 'queued' }] })).toContain(waiting);
    expect(lines({ ...slotless, activeTrials: [aRunningTrial(1)] })).not.toContain(waiting);
    expect(lines(running).filter((line) => line.startsWith('waiting') || line.includes(': waiting'))).toEqual([]);
  });

  it('come once each: a second look at the same snapshot has none', () => {
    const first = newEvents(running, new Set());
    expect(first.length).toBeGreaterThan(5);
    expect(newEvents(running, new Set(first.map(({ key }) => key)))).toEqual([]);
  });

  it('have keys of their own', () => {
    const keys = eventsOf(running).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('say proposals, trials, ends, verdicts and the noise floor', () => {
    const lines = [...eventsOf(running), ...eventsOf({ ...running, campaign: finished, experiments, status: null })].map(
      ({ line }) => line,
    );
    for (const part of [
      'c-seeded started: preset quick, seed 1, up to 4 candidates in 30 minutes',
      'exploring: proposing',
      'e0003 vector-decay: proposed (from e0002): decay.kind scalar-data → vector-data',
      'e0003 vector-decay: training seed 1',
      'e0004 wide-fir: recorded, +0.0100 [-0.0200, +0.0400] bits per byte over deltanet, 2 seeds',
      'e0006 no-norm: failed (nonfinite): loss is NaN at step 41 of 80',
      'e0003 vector-decay: Better than gated-deltanet',
      'noise floor: on one seed, two runs differ by 0.0110',
      'c-seeded finished after 5 min 00 s',
    ]) {
      expect(
        lines.some((line) => line.includes(part)),
        part,
      ).toBe(true);
    }
  });

  it('say how little a noise floor of two degrees knows', () => {
    const noiseLine = (degreesOfFreedom: number): string | undefined => {
      const noise = finished.noise.map((floor) => ({ ...floor, degreesOfFreedom }));
      return eventsOf({ ...running, campaign: { ...finished, noise } }).find(({ key }) => key === 'noise')?.line;
    };
    expect(noiseLine(1)).toContain('; with 1 degree of freedom neither is known well: more baselines or seeds');
    expect(noiseLine(3)).toMatch(/nine times in ten$/);
  });

  it('say how far the champion set is, which no trial shows', () => {
    const scoring = (stage: string): readonly string[] =>
      eventsOf({ ...running, campaign: { ...finished, state: 'verifying' }, status: aStatus({ state: 'verifying', stage }) }).map(
        ({ line }) => line,
      );
    expect(scoring('scoring 15 trials on the champion set: 3 done')).toContain(
      'verifying: scoring 15 trials on the champion set: 3 done',
    );
    const confirming = scoring('confirming 2 finalists').filter((line) => line.startsWith('verifying'));
    expect(confirming).toEqual(['verifying: confirming 2 finalists']);
  });

  it('come in the order and with the times of the record', () => {
    const at = (minute: number): string => `2026-11-21T10:0${minute}:00.000Z`;
    const snapshot = {
      ...running,
      status: null,
      activeTrials: [],
      campaign: { ...finished, createdAt: at(0), finishedAt: at(5) },
      experiments: [
        anExperiment({ number: 1, kind: 'baseline', state: 'recorded', finishedAt: at(2) }),
        anExperiment({ number: 2, state: 'failed', createdAt: at(3), finishedAt: at(4), failure: aFailure() }),
      ],
    };
    expect(newEvents(snapshot, new Set()).map(({ key, at: when }) => [key, when])).toEqual([
      ['opened', at(0)],
      ['c-test/e0001:over', at(2)],
      ['noise', at(2)],
      ['c-test/e0002:proposed', at(3)],
      ['c-test/e0002:over', at(4)],
      ['over', at(5)],
    ]);
  });

  it('say what a program was repaired after, and not what it was refused for in the end', () => {
    const refusal = (hash: string, detail: string) => ({
      hash,
      proposal: null,
      failure: aFailure({ label: 'gate', detail, stage: 'check' }),
    });
    const attempts = [refusal('a'.repeat(64), 'flops (1.50 x reference)'), refusal('b'.repeat(64), 'causality')];
    const repaired = anExperiment({
      number: 9,
      state: 'proposed',
      attempts,
      architecture: anArchitecture({ hash: 'b'.repeat(64) }),
    });
    const snapshot = { ...running, experiments: [repaired] };
    const lines = eventsOf(snapshot).map(({ line }) => line);
    expect(lines.filter((line) => line.includes('repaired'))).toEqual([
      expect.stringContaining(': repaired after gate flops (1.50 x reference)'),
    ]);
    expect(liveView({ width: 120, color: false }, snapshot, options).join('\n')).toContain('repaired after gate flops (1.50 x');
  });

  it('are single lines', () => {
    const noisy = anExperiment({ number: 9, state: 'failed', failure: aFailure({ detail: 'first\nsecond\u001b[2J' }) });
    for (const { line } of eventsOf({ ...running, experiments: [noisy] })) expect(line).not.toMatch(/\p{Cc}/u);
  });
});

describe('the result of a tried program', () => {
  const lines = (tried: Experiment): string =>
    tryLines(
      { width: 100, color: false },
      { campaign: finished, tried, standings: [standingOf(tried, { isReference: false, confirmed: null })] },
    ).join('\n');

  it('says why a refused program was refused', () => {
    expect(lines(anExperiment({ kind: 'start', state: 'rejected' }))).toContain('was rejected (gate): causality');
    const failure = aFailure({ label: 'exit', stage: 'train', detail: 'ended with status 1' });
    expect(lines(anExperiment({ kind: 'start', state: 'failed', failure }))).toMatch(
      /^\S.* failed \(exit\): ended with status 1/,
    );
    expect(lines(anExperiment({ kind: 'start', state: 'failed', failure }))).not.toContain('was failed');
  });

  it('gives the place of a program that was not confirmed, and the verdict of one that was', () => {
    expect(lines(anExperiment({ kind: 'start', state: 'recorded' }))).toContain('stands 1 of 1 with +0.0400');
    expect(lines(anExperiment({ kind: 'start', state: 'recorded', verdict: aVerdict() }))).toContain(
      'Better than deltanet by 0.04',
    );
  });

  it('offers a campaign from the very file, quoted for a shell', () => {
    const campaign = { ...finished, settings: { ...finished.settings, starts: ["/home/me/it's mine.py"] } };
    const tried = anExperiment({ kind: 'start', state: 'recorded' });
    expect(tryLines({ width: 100, color: false }, { campaign, tried, standings: [] }).at(-1)).toBe(
      "  npm run discover -- --preset quick --start '/home/me/it'\\''s mine.py'",
    );
  });
});
