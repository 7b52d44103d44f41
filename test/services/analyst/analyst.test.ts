import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AnalysisInput, analyse } from '../../../services/analyst/analyst.ts';
import { analysisSchema } from '../../../workflows/contracts/analysis.ts';
import type { NoiseFloor } from '../../../workflows/contracts/campaign.ts';
import type { Change, Experiment } from '../../../workflows/contracts/experiment.ts';
import { failureLabels } from '../../../workflows/contracts/failure.ts';
import { experimentId, trialId } from '../../../workflows/contracts/ids.ts';
import type { Metric, Score } from '../../../workflows/contracts/score.ts';
import {
  aFailure,
  aFitness,
  aGateResult,
  aModelSize,
  anArchitecture,
  anExperiment,
  aProposal,
  aScore,
  aTrial,
} from '../../support/builders.ts';

const change = (gene: string, from: string, to: string): Change => ({ gene, from, to, recurrence: false });
const firChange = change('fir', 'none', '3');

const experiment = (
  number: number,
  part: Partial<Experiment> & { readonly name?: string; readonly changes?: Change[] } = {},
): Experiment => {
  const { name = `candidate ${number}`, changes = [], ...rest } = part;
  return anExperiment({ number, state: 'judged', proposal: aProposal({ name, changes }), ...rest });
};

const reference = experiment(1, { kind: 'baseline', name: 'deltanet', fitness: aFitness({ value: 0 }) });
const strongest = experiment(2, { kind: 'baseline', name: 'kda', fitness: aFitness({ value: 0.05 }) });
const grandparent = experiment(3, { name: 'grandparent' });
const parent = experiment(4, { name: 'parent', parentId: grandparent.id });
const sibling = experiment(5, { name: 'sibling', parentId: parent.id, fitness: aFitness({ value: 0.2 }) });
const weakSibling = experiment(6, { name: 'weak sibling', parentId: parent.id, fitness: aFitness({ value: 0.1 }) });
const candidate = experiment(9, { name: 'gated-delta + fir 3', parentId: parent.id, changes: [firChange] });

/** Rows of one metric, by seed from 1. */
const rows = (of: Experiment, metric: Metric, values: readonly number[]): Score[] =>
  values.map((value, index) => aScore({ trialId: trialId(of.id, { rung: 'tiny', seed: index + 1 }), metric, value }));
const noise: readonly NoiseFloor[] = [
  { metric: 'bits-per-byte', pairedSd: 0.015, degreesOfFreedom: 6, minimumDetectable: 0.04 },
  { metric: 'recall-auc', pairedSd: 0.05, degreesOfFreedom: 6, minimumDetectable: 0.2 },
];

const anInput = (part: Partial<AnalysisInput> = {}): AnalysisInput => ({
  experiment: candidate,
  relatives: { reference, parent, grandparent, siblings: [weakSibling, sibling, candidate], baselines: [reference, strongest] },
  scores: [
    ...rows(candidate, 'bits-per-byte', [2.4, 2.42]),
    ...rows(parent, 'bits-per-byte', [2.5, 2.5]),
    ...rows(reference, 'bits-per-byte', [2.6, 2.6]),
  ],
  trials: [],
  noise,
  ...part,
});

// Differences 0.10 and 0.08: own variance 0.0002 is above the pooled (0.0002 + 6 · 0.0001) / 7, so the half width is 2.365 · √(0.0002 / 2).
test('an analysis tells the change, every relative with its interval, and the method', () => {
  const { summary, author } = analyse(anInput());
  expect(author).toBe('rules');
  expect(summary).toBe(
    'gated-delta + fir 3 changed fir: none → 3 in parent. ' +
      'Against its parent: gated-delta + fir 3 gained 0.090 bits per byte [0.059, 0.121] over parent on 2 common seeds. ' +
      'Against the reference: gated-delta + fir 3 gained 0.190 bits per byte [0.159, 0.221] over deltanet on 2 common seeds. ' +
      'Against its grandparent: gated-delta + fir 3 has no seed in common with grandparent that allows an interval. ' +
      'Against its best sibling: gated-delta + fir 3 has no seed in common with sibling that allows an interval. ' +
      'Against the best baseline: gated-delta + fir 3 has no seed in common with kda that allows an interval. ' +
      'Intervals: paired t on 2 common seeds, variance pooled with the noise floor, 3.5 df, 95 %.',
  );
});

test('the comparisons hold one row a role, with the sibling and the baseline of the highest fitness', () => {
  const { comparisons } = analyse(anInput());
  expect(comparisons.map(({ against, name }) => [against, name])).toEqual([
    ['reference', 'deltanet'],
    ['parent', 'parent'],
    ['grandparent', 'grandparent'],
    ['sibling', 'sibling'],
    ['best-baseline', 'kda'],
  ]);
});

test('an experiment in several roles is told once with all of them', () => {
  const input = anInput();
  const { summary } = analyse({
    ...input,
    relatives: { ...input.relatives, parent: reference, grandparent: null, siblings: [], baselines: [reference] },
  });
  expect(summary).toContain('Against its parent and the reference and the best baseline: gated-delta');
  expect(summary.match(/over deltanet/g)).toHaveLength(1);
});

test('nothing is compared with itself', () => {
  const { comparisons, summary } = analyse(
    anInput({
      experiment: reference,
      relatives: { reference, parent: null, grandparent: null, siblings: [], baselines: [reference] },
    }),
  );
  expect(comparisons).toEqual([]);
  expect(summary).toBe('deltanet has no parent. Nothing was measured that it could be compared with.');
});

describe('lessons', () => {
  test('credit a change that was made alone with what its interval shows', () => {
    expect(analyse(anInput()).lessons).toEqual([
      {
        change: 'fir: none → 3',
        lesson: 'Alone it gained 0.090 bits per byte [0.059, 0.121] over parent on 2 common seeds.',
        gain: expect.closeTo(0.09),
      },
    ]);
  });

  test('credit nothing inside the interval', () => {
    const scores = [...rows(candidate, 'bits-per-byte', [2.49, 2.5]), ...rows(parent, 'bits-per-byte', [2.5, 2.5])];
    const [lesson] = analyse(anInput({ scores })).lessons;
    expect(lesson).toEqual({
      change: 'fir: none → 3',
      lesson: 'Alone it cannot be told from parent in bits per byte (0.005 [−0.023, 0.033], 2 common seeds).',
      gain: null,
    });
  });

  test('credit none of several changes made together', () => {
    const both = {
      ...candidate,
      proposal: aProposal({ name: 'both', changes: [firChange, change('router', 'none', 'sigmoid')] }),
    };
    const { lessons } = analyse(anInput({ experiment: both }));
    expect(lessons.map(({ change: words, gain }) => [words, gain])).toEqual([
      ['fir: none → 3', null],
      ['router: none → sigmoid', null],
    ]);
    expect(lessons[0]?.lesson).toMatch(/^One of 2 changes made together, which gained 0\.090 bits per byte/);
  });
});

describe('side effects', () => {
  const withRecall = (own: readonly number[]): readonly Score[] => [
    ...anInput().scores,
    ...rows(candidate, 'recall-auc', own),
    ...rows(parent, 'recall-auc', [1, 1]),
  ];

  test.each([
    ['a loss of recall', [1.5, 1.5], 'The gain in bits per byte was paid for in recall.'],
    ['a gain of recall', [0.5, 0.5], 'Bits per byte and recall gained together.'],
  ])('%s beside a gain in loss is told', (_what, own, sentence) => {
    expect(analyse(anInput({ scores: withRecall(own) })).summary).toContain(sentence);
  });

  test('a recall that cannot be told is not', () => {
    expect(analyse(anInput({ scores: withRecall([1.02, 1.01]) })).summary).not.toMatch(/paid for|together/);
  });

  test('speed is the ratio of the medians, told from a tenth on', () => {
    const trials = (of: Experiment, speeds: readonly (number | null)[]) =>
      speeds.map((tokensPerSecond, index) => aTrial({ experimentId: of.id, seed: index + 1, tokensPerSecond }));
    const analysed = analyse(
      anInput({ trials: [...trials(candidate, [5000, 4900, 100]), ...trials(parent, [9800, 9800, null])] }),
    );
    expect(analysed.comparisons.find(({ against }) => against === 'parent')?.timeRatio).toBeCloseTo(2);
    expect(analysed.summary).toContain('A trained token took 2.00 times the CPU time of parent');
    expect(analyse(anInput({ trials: [...trials(candidate, [9400]), ...trials(parent, [9800])] })).summary).not.toContain(
      'CPU time',
    );
    expect(analyse(anInput()).comparisons[0]?.timeRatio).toBeNull();
  });

  test('a dearer mixer shows as a narrower MLP', () => {
    const dear = {
      ...candidate,
      architecture: anArchitecture({ sizes: [aModelSize({ mlpHidden: 96, mixerParameters: 60_000, parameters: 101_000 })] }),
    };
    const { summary, comparisons } = analyse(anInput({ experiment: dear }));
    expect(summary).toContain(
      "To keep the model's size its MLP is 0.75 times as wide as that of parent, for 1.50 times the mixer parameters.",
    );
    expect(comparisons[1]?.parameterRatio).toBeCloseTo(1.01);
  });
});

describe('the problem statement', () => {
  const against = (values: { readonly bits: readonly number[]; readonly recall: readonly number[] }) =>
    analyse(
      anInput({
        scores: [
          ...rows(candidate, 'bits-per-byte', values.bits),
          ...rows(candidate, 'recall-auc', values.recall),
          ...rows(strongest, 'bits-per-byte', [2.5, 2.5]),
          ...rows(strongest, 'recall-auc', [1, 1]),
        ],
      }),
    ).problem;

  test('names the symptoms that the intervals against the best baseline show', () => {
    expect(against({ bits: [2.4, 2.4], recall: [1.6, 1.6] })).toMatch(
      /^Associative recall is learned more slowly .*against kda on 2 common seeds\)\. Mixer: delta write, no decay, FIR branches over 3 tokens with a sigmoid router\.$/,
    );
    expect(against({ bits: [2.7, 2.7], recall: [1, 1] })).toMatch(/^Language modelling is weaker/);
  });

  test('says that nothing can be told, or that nothing weak was measured', () => {
    expect(against({ bits: [2.5, 2.5], recall: [1, 1] })).toMatch(/^Cannot be told from kda/);
    expect(against({ bits: [2.3, 2.3], recall: [1, 1] })).toMatch(/^No measured weakness against kda; .* is not measured/);
  });
});

describe('a failure', () => {
  const failed = (label: (typeof failureLabels)[number], changes: Change[] = [firChange]): Experiment =>
    experiment(9, {
      name: 'unlucky',
      state: 'failed',
      changes,
      failure: aFailure({ label, detail: 'the loss is NaN at step 4', stage: 'train' }),
      gates: [aGateResult({ gate: 'finite', verdict: 'fail', evidence: 'NaN after 700 tokens' })],
    });

  test('teaches what its label says of every change, and no gain', () => {
    const { summary, lessons, comparisons, problem } = analyse(
      anInput({ experiment: failed('nonfinite', [firChange, change('scale', 'inverse-sqrt', 'one')]) }),
    );
    expect(summary).toBe(
      'unlucky ended with nonfinite at the stage train: the loss is NaN at step 4. The program reached a loss or parameters that are not finite. ' +
        'Gate finite: NaN after 700 tokens. It had changed fir: none → 3; scale: inverse-sqrt → one.',
    );
    expect(lessons.map(({ change: words, gain }) => [words, gain])).toEqual([
      ['fir: none → 3', null],
      ['scale: inverse-sqrt → one', null],
    ]);
    expect(lessons[0]?.lesson).toMatch(/It was made together with 1 other\./);
    expect(comparisons).toEqual([]);
    expect(problem).toMatch(/Numerical instability/);
  });

  test.each(['infra', 'cancelled', 'budget'] as const)('by %s teaches nothing about the design', (label) => {
    const { summary, lessons, problem } = analyse(anInput({ experiment: failed(label) }));
    expect(summary).toContain('That says nothing about the design.');
    expect(lessons).toEqual([]);
    expect(problem).toBe('');
  });

  test('of any label has a valid analysis', () => {
    for (const label of failureLabels) {
      const analysis = analyse(anInput({ experiment: failed(label) }));
      expect(analysisSchema.parse(analysis)).toEqual(analysis);
    }
  });
});

test('no claim goes beyond its interval, whatever the scores', () => {
  const score = fc.double({ min: 1, max: 4, noNaN: true });
  fc.assert(
    fc.property(fc.array(score, { maxLength: 4 }), fc.array(score, { maxLength: 4 }), fc.boolean(), (own, others, withNoise) => {
      const analysis = analyse(
        anInput({
          scores: [...rows(candidate, 'bits-per-byte', own), ...rows(parent, 'bits-per-byte', others)],
          noise: withNoise ? noise : [],
        }),
      );
      expect(analysisSchema.parse(analysis)).toEqual(analysis);
      const effect = analysis.comparisons.find(({ against }) => against === 'parent')?.effects[0];
      const [lesson] = analysis.lessons;
      const told = effect !== undefined && (effect.low > 0 || effect.high < 0);
      expect(lesson?.gain).toBe(told ? effect.mean : null);
      expect(/\b(gained|lost)\b/.test(lesson?.lesson ?? '')).toBe(told);
      if (effect !== undefined) expect(effect.seeds).toBe(Math.min(own.length, others.length));
    }),
    { numRuns: 300 },
  );
});

test('trials of another experiment whose id begins alike do not count', () => {
  const tenth = experiment(10_000, { name: 'ten thousandth' });
  expect(tenth.id.startsWith(experimentId('c-test', 1000))).toBe(true);
  const thousandth = experiment(1000, { parentId: parent.id });
  const scores = [...rows(tenth, 'bits-per-byte', [1, 1]), ...rows(parent, 'bits-per-byte', [2, 2])];
  const input = anInput({ experiment: thousandth, scores });
  expect(analyse(input).comparisons.flatMap(({ effects }) => effects)).toEqual([]);
});
