import type { Metric, ScoreSet } from '../../workflows/contracts/score.ts';
import { plain, wrap } from './cells.ts';
import { metricNames, scoreText } from './figures.ts';
import { type Look, type Tone, tint } from './look.ts';
import { table } from './table.ts';

/** verified: done again with the same result. mismatch: contradicts the bundle. not-repeated: could not be done here, and why. */
export type StepState = 'verified' | 'mismatch' | 'not-repeated';

export interface VerifyStep {
  readonly step: 'files' | 'claims' | 'figures' | 'gates' | 'seals' | 'list' | 'record' | 'scores';
  readonly state: StepState;
  /** One sentence. */
  readonly detail: string;
}

/** One number of the bundle beside the one that the judge found now. */
export interface Rescored {
  readonly set: ScoreSet;
  readonly metric: Metric;
  readonly recorded: number;
  readonly again: number;
  readonly tolerance: number;
}

export interface VerifyReport {
  readonly subject: string;
  readonly steps: readonly VerifyStep[];
  readonly scores: readonly Rescored[];
}

const tones: Readonly<Record<StepState, Tone>> = { verified: 'green', mismatch: 'red', 'not-repeated': 'yellow' };

export const verifyLines = (look: Look, { subject, steps, scores }: VerifyReport): readonly string[] => [
  tint(look, 'bold', plain(subject)),
  ...steps.flatMap(({ step, state, detail }) => {
    const head = `  ${step.padEnd(8)}${tint(look, tones[state], state.padEnd(14))}`;
    const [first = '', ...rest] = wrap(detail, look.width - 24);
    return [`${head}${first}`, ...rest.map((line) => `${' '.repeat(24)}${line}`)];
  }),
  ...(scores.length === 0 ? [] : ['', ...scoreTable(look, scores)]),
  '',
  ...wrap(conclusion(steps), look.width).map((line) => tint(look, tones[overall(steps)], line)),
];

/** The worst of the steps: a mismatch before what could not be repeated. */
export const overall = (steps: readonly VerifyStep[]): StepState => {
  if (steps.some(({ state }) => state === 'mismatch')) return 'mismatch';
  return steps.some(({ state }) => state === 'not-repeated') ? 'not-repeated' : 'verified';
};

export const isWithin = ({ recorded, again, tolerance }: Rescored): boolean => Math.abs(again - recorded) <= tolerance;

const conclusion = (steps: readonly VerifyStep[]): string => {
  const named = (state: StepState): string =>
    steps
      .filter((step) => step.state === state)
      .map(({ step }) => step)
      .join(', ');
  const training = 'Training itself is not run again; recipe.json says how.';
  switch (overall(steps)) {
    case 'mismatch':
      return `NOT verified: the bundle is contradicted by ${named('mismatch')}.`;
    case 'not-repeated':
      return `Nothing contradicts the bundle, but ${named('not-repeated')} could not be repeated here. ${training}`;
    case 'verified':
      return `Verified: ${named('verified')}. ${training}`;
  }
};

const scoreTable = (look: Look, scores: readonly Rescored[]): readonly string[] =>
  table<Rescored>(
    look,
    [
      { title: 'set', cell: ({ set }) => set },
      { title: 'metric', cell: ({ metric }) => metricNames[metric] },
      { title: 'recorded', cell: ({ metric, recorded }) => scoreText(metric, recorded), align: 'right' },
      { title: 'again', cell: ({ metric, again }) => scoreText(metric, again), align: 'right' },
      { title: 'difference', cell: ({ recorded, again }) => (again - recorded).toExponential(1), align: 'right' },
      { title: 'tolerance', cell: ({ tolerance }) => tolerance.toExponential(0), align: 'right' },
      {
        title: '',
        cell: (row) => (isWithin(row) ? 'same' : 'differs'),
        tone: (row) => (isWithin(row) ? 'green' : 'red'),
      },
    ],
    scores,
  );
