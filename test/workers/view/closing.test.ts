import { beforeAll, describe, expect, it } from 'vitest';
import { closingLines } from '../../../workers/view/closing.ts';
import { rankStandings, standingOf, verdictText } from '../../../workers/view/standing.ts';
import type { Campaign } from '../../../workflows/contracts/campaign.ts';
import type { Experiment, Verdict } from '../../../workflows/contracts/experiment.ts';
import { aConclusion, anEffect, anExperiment, aScore, aVerdict } from '../../support/builders.ts';
import { openSeeded } from '../seeded-campaign.ts';

let finished: Campaign;
let experiments: readonly Experiment[];

beforeAll(async () => {
  ({ campaign: finished, experiments } = await openSeeded());
});

describe('the closing table', () => {
  const ends = { recorded: 4, rejected: 1, failed: 1, cancelled: 0 };
  const lost = () => experiments.filter(({ failure }) => failure !== null);
  const standings = () =>
    experiments
      .filter(({ state }) => state === 'recorded')
      .map((one) => standingOf(one, { isReference: one.number === 1, confirmed: one.verdict?.effect ?? null }));

  it('says how many recorded experiments it does not show', () => {
    const shown = (recorded: number): string =>
      closingLines(
        { width: 120, color: false },
        {
          campaign: finished,
          standings: standings(),
          ends: { ...ends, recorded },
          lost: [],
          scores: [],
          rungRanks: [],
          nowMs: 0,
        },
      ).join('\n');
    expect(shown(standings().length + 3)).toContain('and 3 more that were recorded, see npx asi leaderboard c-seeded');
    expect(shown(standings().length)).not.toContain('more that were recorded');
  });

  it('says on how many fresh seeds, also where not all had as many', () => {
    const heading = (...seeds: number[]): string => {
      const confirmed = standings().map((one, index) => {
        const own = seeds[index];
        return { ...one, confirmed: own === undefined ? null : anEffect({ seeds: own }) };
      });
      const ending = { campaign: finished, standings: confirmed, ends, lost: [], scores: [], rungRanks: [], nowMs: 0 };
      return closingLines({ width: 400, color: false }, ending).join('\n');
    };
    expect(heading(3, 3)).toContain(', confirmed on 3 fresh seeds:');
    expect(heading(3, 2)).toContain(', confirmed on 2 to 3 fresh seeds:');
    expect(heading()).not.toContain('confirmed on');
  });

  it('says whose bundle could not be written, and why', () => {
    const bundleFailures = [{ experimentId: 'c-seeded/e0003', detail: 'none of its 6 trials has a checkpoint' }];
    const campaign = { ...finished, conclusion: aConclusion({ bundlePaths: [], bundleFailures }) };
    const ending = { campaign, standings: standings(), ends, lost: [], scores: [], rungRanks: [], nowMs: 0 };
    expect(closingLines({ width: 120, color: false }, ending)).toContain(
      'No bundle of e0003: none of its 6 trials has a checkpoint',
    );
  });

  it('says what was found, ranks with intervals, names changes, paths and three next commands', () => {
    const lines = closingLines(
      { width: 120, color: false },
      {
        campaign: finished,
        standings: standings(),
        ends,
        lost: lost(),
        scores: [aScore({ sandboxTier: 'S2', sandboxCanaries: '14/14' })],
        rungRanks: [],
        nowMs: 0,
      },
    );
    const text = lines.join('\n');
    expect(text).toContain('Campaign c-seeded finished after 5 min 00 s: 4 experiments recorded, 1 rejected, 1 failed');
    expect(text).toContain('vector-decay is better than every compared baseline');
    expect(text).toMatch(/e0003 {2}vector-decay .*\+0\.0400 \[\+0\.0120, \+0\.0680\] {2}better/);
    expect(text).toMatch(/e0001 {2}deltanet .*0 \(reference\)/);
    expect(text).toContain('e0003 vector-decay: decay.kind scalar-data → vector-data');
    expect(text).toContain('Not measured:\n  e0005 peeks-ahead: rejected (gate): causality');
    expect(text).toContain('e0006 no-norm: failed (nonfinite): loss is NaN at step 41 of 80');
    expect(text).toMatch(/scored by judge \w+; candidate code in sandbox S2 \(14\/14 canaries held\) on cpu/);
    expect(text).not.toContain('rank nothing');
    expect(text).toContain('Report  /state/reports/c-seeded.html');
    expect(text).toContain('Bundle  /state/bundles/c-seeded-e0003');
    const next = lines.slice(lines.indexOf('Next:') + 1);
    expect(next).toHaveLength(3);
    expect(next.map((line) => line.trim().split('  ')[0])).toEqual([
      'npx asi show c-seeded/e0003',
      'npx asi lineage c-seeded',
      'npm run discover -- --preset standard',
    ]);
  });

  it('gives the reason of a campaign that ended badly and no verdict', () => {
    const campaign = { ...finished, state: 'cancelled' as const, conclusion: null, reason: 'cancelled by a person' };
    const lines = closingLines(
      { width: 80, color: false },
      { campaign, standings: [], ends, lost: [], scores: [], rungRanks: [], nowMs: 0 },
    );
    expect(lines[0]).toContain('cancelled after');
    expect(lines).toContain('cancelled by a person');
    expect(lines.join('\n')).not.toContain('better');
    expect(lines.join('\n')).toContain('npx asi doctor');
  });

  it('says plainly that the scores of rung tiny rank nothing', () => {
    const campaign = { ...finished, settings: { ...finished.settings, rung: 'tiny' as const } };
    const ending = { campaign, standings: standings(), ends, lost: [], scores: [], rungRanks: [], nowMs: 0 };
    expect(closingLines({ width: 400, color: false }, ending).join('\n')).toContain('Rung tiny only tries the path');
  });

  it('says how alike rungs rank where that is known, and nothing of it where it is not', () => {
    const pair = { metric: 'bits-per-byte', rungs: ['quick', 'standard'], programs: 4 } as const;
    const correlation = { rho: 0.8, low: null, high: null, chance: 0.3333, pairs: 4 };
    const text = (rungRanks: Parameters<typeof closingLines>[1]['rungRanks']): string =>
      closingLines(
        { width: 400, color: false },
        { campaign: finished, standings: standings(), ends, lost: [], scores: [], rungRanks, nowMs: 0 },
      ).join('\n');
    expect(text([{ ...pair, correlation }])).toContain(
      'quick and standard, bits per byte: 4 programs on both: rank correlation +0.80, too few for an interval',
    );
    expect(text([{ ...pair, correlation: null }])).not.toContain('Do rungs rank alike');
  });

  it('has a word for every verdict', () => {
    const own = anExperiment({ state: 'recorded' });
    const text = (verdict: Verdict['verdict'], isRanked = true) =>
      verdictText(
        standingOf({ ...own, verdict: aVerdict({ verdict, against: 'kda' }) }, { isReference: false, confirmed: null, isRanked }),
      );
    expect(text('better')).toBe('better');
    expect(text('worse')).toBe('worse than kda');
    expect(text('not-distinguishable')).toBe('not distinguishable from kda');
    expect(text('known-baseline')).toBe('is the baseline kda');
    expect(text('unsandboxed')).toBe('not ranked: no safe sandbox');
    expect(text('better', false)).toBe('not ranked: no safe sandbox');
  });

  it('ranks confirmed gains first, the reference at zero among them', () => {
    const standing = (number: number, explored: number, confirmed: number | null) =>
      ({
        experiment: anExperiment({ number, state: 'recorded' }),
        explored: anEffect({ mean: explored }),
        confirmed: confirmed === null ? null : anEffect({ mean: confirmed }),
        isReference: false,
        isUnwalled: false,
        isRanked: true,
      }) as const;
    const reference = {
      experiment: anExperiment({ number: 1, kind: 'baseline', state: 'recorded' }),
      explored: null,
      confirmed: null,
      isReference: true,
      isUnwalled: false,
      isRanked: true,
    };
    const ranked = rankStandings([standing(2, 0.9, null), standing(3, 0.1, -0.2), reference, standing(4, 0.2, 0.3)]);
    expect(ranked.map(({ experiment }) => experiment.number)).toEqual([4, 1, 3, 2]);
    const unconfirmed = rankStandings([reference, standing(2, 0.9, null), standing(3, -0.1, null)]);
    expect(unconfirmed.map(({ experiment }) => experiment.number)).toEqual([2, 1, 3]);
    const unranked = { ...standing(4, 9, 9), isUnwalled: true, isRanked: false };
    const last = rankStandings([unranked, reference, standing(2, 0.9, null), standing(3, -0.1, null)]);
    expect(last.map(({ experiment }) => experiment.number)).toEqual([2, 1, 3, 4]);
  });
});
