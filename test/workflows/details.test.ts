import { describe, expect, it } from 'vitest';
import type { CampaignStatus } from '../../workflows/contracts/messages.ts';
import { renderDetails } from '../../workflows/details.ts';

const budget = {
  experiments: { used: 6, cap: 10 },
  minutes: { used: 1.25, cap: 30 },
  trialSeconds: { used: 812.4, reserved: 240, cap: 3600 },
};

const status: CampaignStatus = {
  campaignId: 'c-test',
  state: 'exploring',
  stage: 'proposing, checking and training candidates',
  notices: [],
  inFlight: ['c-test/e0005', 'c-test/e0006'],
  finished: { recorded: 4, rejected: 1, failed: 2, cancelled: 0 },
  budget,
  best: [
    {
      experimentId: 'c-test/e0004',
      name: 'delta + fir 3,15',
      kind: 'candidate',
      fitness: 0.39,
      gain: { metric: 'bits-per-byte', mean: 0.3908, low: 0.1657, high: 0.6159, seeds: 2, method: 'paired t' },
      changed: 'fir: none → 3 15',
      verdict: null,
    },
  ],
  lastFailures: [{ experimentId: 'c-test/e0003', label: 'gate', detail: 'causality | reads\nthe `future`' }],
  hints: [],
  conclusion: null,
};

describe('the details of a campaign in the Web UI', () => {
  it('show stage, budget, best with its interval, running experiments and last failures', () => {
    const text = renderDetails(status);
    expect(text).toContain('## c-test — exploring');
    expect(text).toContain('- candidates: 6 of 10\n- minutes: 1.3 of 30\n- trial seconds: 812 of 3,600, 240 more reserved\n');
    expect(text).toContain('running now: e0005, e0006');
    expect(text).toContain(
      '| e0004\u00a0\u00a0\u200b | delta + fir 3,15\u00a0\u00a0\u200b | candidate\u00a0\u00a0\u200b | +0.3908 (+0.1657 to +0.6159, 2 seeds)\u00a0\u00a0\u200b |',
    );
    expect(text).toContain('e0003 **gate**');
  });

  it('give the reference no interval against itself', () => {
    const reference = status.best.map((row) => ({ ...row, name: 'deltanet', gain: null, isReference: true }));
    expect(renderDetails({ ...status, best: reference })).toContain('| 0 (reference)\u00a0\u00a0\u200b |');
    const unmeasured = reference.map((row) => ({ ...row, isReference: false }));
    expect(renderDetails({ ...status, best: unmeasured })).toContain('| –\u00a0\u00a0\u200b |');
  });

  it('mark what was scored without a sandbox', () => {
    expect(renderDetails(status)).not.toContain('no sandbox');
    const unwalled = status.best.map((row) => ({ ...row, isUnwalled: true }));
    expect(renderDetails({ ...status, best: unwalled })).toContain('| delta + fir 3,15 (no sandbox)\u00a0');
  });

  it('say what a campaign waits for', () => {
    expect(renderDetails({ ...status, notices: ['needs sandbox tier S1'] })).toContain('**needs sandbox tier S1**');
  });

  it('call what is past a cap so, since a lowered cap is no share of it', () => {
    const lowered = { ...budget, experiments: { used: 4, cap: 1 } };
    expect(renderDetails({ ...status, budget: lowered })).toContain('- candidates: 4, past the cap of 1\n');
  });

  it('speak of no budget before there is one', () => {
    expect(renderDetails({ ...status, budget: null })).not.toMatch(/candidates:|minutes:|trial seconds:/);
  });

  it('keep text of records on one line and out of the syntax', () => {
    expect(renderDetails(status)).toContain('causality \\| reads the \\`future\\`');
  });

  it('make neither link nor image nor emphasis of what a program said, in the conclusion or elsewhere', () => {
    const words =
      '** BETTER ** [more](http://a.example) ![x](https://a.example/p.png) <img src=x> www.a.example mailto:me@b.example';
    const text = renderDetails({
      ...status,
      stage: words,
      notices: [words],
      hints: [words],
      best: status.best.map((row) => ({ ...row, name: words, changed: words })),
      lastFailures: [{ experimentId: 'c-test/e0003', label: 'exit', detail: words }],
      conclusion: { verdict: 'nothing-found', statement: words, finalists: [], reportPath: null, bundlePaths: [] },
    });
    expect(text.split('BETTER')).toHaveLength(8);
    expect(text).not.toMatch(/:\/\/|www\.|mailto:|@b|(?<!\\)[[\]<!]|(?<!\\)\* BETTER/);
  });

  it('have room for budget and report beside a long conclusion', () => {
    const statement = 'Seed 7 ended with exit. '.repeat(1000);
    const text = renderDetails({
      ...status,
      conclusion: { verdict: 'nothing-found', statement, finalists: [], reportPath: '/r.html', bundlePaths: [] },
    });
    expect(text).toContain('Report: `/r.html`');
  });

  it('stay below the limit of the server whatever the records hold', () => {
    const long = Array.from({ length: 400 }, () => 'a long hint – '.repeat(20));
    expect(Buffer.byteLength(renderDetails({ ...status, hints: long }))).toBeLessThan(20_000);
  });

  it('end with the conclusion and where the report is', () => {
    const text = renderDetails({
      ...status,
      conclusion: {
        verdict: 'nothing-found',
        statement: 'Nothing was found.',
        finalists: [],
        reportPath: '/r.html',
        bundlePaths: ['/b'],
        bundleFailures: [{ experimentId: 'c-test/e0004', detail: 'there is a folder that no export wrote' }],
      },
    });
    expect(text).toContain('**Nothing was found.**');
    expect(text).toContain('Report: `/r.html`');
    expect(text).toContain('Bundle: `/b`');
    expect(text).toContain('**No bundle of e0004**: there is a folder that no export wrote');
  });
});
