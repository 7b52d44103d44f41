import type { Analysis } from '../../workflows/contracts/analysis.ts';
import type { ModelSize } from '../../workflows/contracts/architecture.ts';
import type { Audit } from '../../workflows/contracts/audit.ts';
import type { Doubt, Experiment } from '../../workflows/contracts/experiment.ts';
import type { Score } from '../../workflows/contracts/score.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { nameAtRate } from '../../workflows/rules/rate-name.ts';
import { plain, wrap } from './cells.ts';
import { codeDiff, type Program, printable } from './code-diff.ts';
import { countText, effectText, metricNames, momentText, shortId, signed } from './figures.ts';
import { gateLines } from './gate-table.ts';
import { genomeLines } from './genome-lines.ts';
import { type Look, tint } from './look.ts';
import { scoreLines } from './score-lines.ts';
import { nameOf } from './snapshot.ts';
import { sparkline } from './sparkline.ts';
import { table } from './table.ts';

/** Everything the record holds about one experiment. */
export interface ExperimentPage {
  readonly experiment: Experiment;
  readonly program: string | null;
  readonly parent: { readonly experiment: Experiment; readonly program: string | null } | null;
  readonly trials: readonly Trial[];
  readonly scores: readonly Score[];
  /** The gates run again, deeper, because it was about to win something; by rising cuts. */
  readonly audits: readonly Audit[];
  /** Excerpt of the log of a failure. */
  readonly failureLog: string | null;
}

export interface PageOptions {
  /** The whole program instead of the difference from the parent's. */
  readonly wholeProgram: boolean;
  /** The evidence of every gate, not only of those that failed. */
  readonly wholeEvidence: boolean;
}

export const experimentPage = (look: Look, page: ExperimentPage, options: PageOptions): readonly string[] =>
  [
    headLines(look, page),
    verdictLines(look, page.experiment),
    failureLines(look, page),
    proposalLines(look, page.experiment),
    section(look, 'Genome', genomeLines(page.experiment.architecture?.genome ?? page.experiment.proposal?.genome ?? null)),
    codeLines(look, page, options),
    section(look, 'Gates', gateLines(look, page.experiment.gates, { whole: options.wholeEvidence })),
    auditLines(look, page, options),
    section(look, 'Size', sizeTable(look, page.experiment.architecture?.sizes ?? [])),
    section(look, 'Training', [...trialTable(look, page.trials), ...usageLines(look, page.trials)]),
    section(look, 'Scores on held-out data', scoreLines(look, page.scores)),
    fitnessLines(look, page.experiment),
    doubtLines(look, page.experiment),
    analysisLines(look, page.experiment.analysis),
  ].flat();

const auditLines = (look: Look, { audits }: ExperimentPage, options: PageOptions): readonly string[] =>
  audits.flatMap(({ cuts, passed, label, gates, sandboxTier }) =>
    section(look, `Audit with ${cuts} cuts: ${passed ? 'passed' : (label ?? 'failed')} (sandbox ${sandboxTier})`, [
      ...gateLines(look, gates, { whole: options.wholeEvidence }),
    ]),
  );

const section = (look: Look, title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', tint(look, 'bold', title), ...lines];

const paragraph = (look: Look, text: string): readonly string[] => wrap(text, look.width - 2).map((line) => `  ${line}`);

const headLines = (look: Look, { experiment, parent }: ExperimentPage): readonly string[] => {
  const { proposal } = experiment;
  const made = proposal === null ? '' : `, made by ${proposal.author} (${plain(proposal.operator)})`;
  const origin = parent === null ? '' : `, child of ${shortId(parent.experiment.id)} ${nameOf(parent.experiment)}`;
  const ended = experiment.finishedAt === null ? '' : `, ended ${momentText(experiment.finishedAt)}`;
  return [
    tint(look, 'bold', `${experiment.id}  ${nameOf(experiment)}`),
    ...wrap(
      `${experiment.kind}, ${experiment.state}${experiment.arm === 'control' ? ', control arm' : ''}${origin}${made}`,
      look.width,
    ),
    `started ${momentText(experiment.createdAt)}${ended}`,
  ];
};

const verdictLines = (look: Look, { verdict }: Experiment): readonly string[] =>
  verdict === null
    ? []
    : section(look, 'Verdict', [
        `  ${tint(look, verdict.verdict === 'better' ? 'green' : 'yellow', verdict.verdict)} against ${plain(verdict.against)}: ${effectText(verdict.effect)} ${metricNames[verdict.effect.metric]}`,
        ...paragraph(look, verdict.statement),
      ]);

const failureLines = (look: Look, { experiment, failureLog }: ExperimentPage): readonly string[] => {
  const { failure, attempts } = experiment;
  const log =
    failureLog === null
      ? []
      : [
          '  end of the log:',
          ...failureLog
            .trimEnd()
            .split('\n')
            .slice(-20)
            .map((line) => `    ${printable(line)}`),
        ];
  return [
    ...(failure === null
      ? []
      : section(look, 'Failure', [
          `  ${tint(look, 'red', failure.label)} while in stage ${failure.stage}`,
          ...paragraph(look, failure.detail),
          ...log,
        ])),
    ...section(
      look,
      'Programs tried before',
      attempts.flatMap((attempt) => [
        `  ${attempt.hash.slice(0, 12)}  ${attempt.failure.label}`,
        ...paragraph(look, attempt.failure.detail),
      ]),
    ),
  ];
};

const proposalLines = (look: Look, { proposal }: Experiment): readonly string[] => {
  if (proposal === null) return [];
  return [
    ...section(look, 'Motivation', paragraph(look, proposal.motivation)),
    ...section(look, 'Expected effect', paragraph(look, proposal.expectedEffect)),
    ...section(
      look,
      'Changes',
      proposal.changes.map(
        ({ gene, from, to, recurrence }) =>
          `  ${plain(gene)}: ${plain(from)} → ${plain(to)}${recurrence ? '  (changes the recurrence)' : ''}`,
      ),
    ),
  ];
};

const codeLines = (look: Look, page: ExperimentPage, options: PageOptions): readonly string[] => {
  if (page.program === null) return [];
  const whole = page.program.trimEnd().split('\n').map(printable);
  if (options.wholeProgram) return section(look, 'Program', whole);
  const parentProgram = page.parent?.program ?? null;
  if (page.parent === null || parentProgram === null) {
    return section(look, 'Program', [`  ${countText(whole.length)} lines, no parent to compare with; --program prints it`]);
  }
  const from: Program = { title: `${page.parent.experiment.id}/mixer.py`, text: parentProgram };
  const lines = codeDiff(look, from, { title: `${page.experiment.id}/mixer.py`, text: page.program });
  return section(look, 'Code against the parent', lines.length === 0 ? ['  the same program'] : lines);
};

const sizeTable = (look: Look, sizes: readonly ModelSize[]): readonly string[] =>
  table<ModelSize>(
    look,
    [
      { title: 'task', cell: ({ task }) => task },
      { title: 'parameters', cell: ({ parameters }) => countText(parameters), align: 'right' },
      { title: 'of reference', cell: (size) => percent(size.parameters / size.referenceParameters), align: 'right' },
      { title: 'in mixers', cell: ({ mixerParameters }) => countText(mixerParameters), align: 'right' },
      { title: 'FLOPs a token', cell: ({ flopsPerToken }) => countText(flopsPerToken), align: 'right' },
      { title: 'of reference', cell: (size) => percent(size.flopsPerToken / size.referenceFlopsPerToken), align: 'right' },
    ],
    sizes,
  );

const percent = (ratio: number): string => (Number.isFinite(ratio) ? `${(100 * ratio).toFixed(1)} %` : '–');

interface Curve {
  readonly trial: Trial;
  readonly task: string;
  readonly losses: readonly (number | null)[];
}

const trialTable = (look: Look, trials: readonly Trial[]): readonly string[] => {
  const curves = trials.flatMap((trial): readonly Curve[] => {
    const tasks = [...new Set(trial.curve.map(({ task }) => task))];
    if (tasks.length === 0) return [{ trial, task: '–', losses: [] }];
    return tasks.map((task) => ({
      trial,
      task,
      losses: trial.curve.filter((point) => point.task === task).map(({ loss }) => loss),
    }));
  });
  return table<Curve>(
    look,
    [
      { title: 'seed', cell: ({ trial }) => String(trial.seed), align: 'right' },
      { title: 'purpose', cell: ({ trial }) => (trial.rate === undefined ? trial.purpose : `${trial.rate} the rate`) },
      {
        title: 'state',
        cell: ({ trial }) => (trial.failure === null ? trial.state : `${trial.state}: ${trial.failure.label}`),
        tone: ({ trial }) => (trial.state === 'failed' ? 'red' : null),
      },
      { title: 'CPU s', cell: ({ trial }) => trial.cpuSeconds.toFixed(1), align: 'right' },
      {
        title: 'tokens/s',
        cell: ({ trial }) => (trial.tokensPerSecond === null ? '–' : countText(trial.tokensPerSecond)),
        align: 'right',
      },
      { title: 'task', cell: ({ task }) => task },
      { title: 'loss', cell: ({ losses }) => lossSpan(losses) },
      { title: 'curve', cell: ({ losses }) => sparkline(losses, 40), shrink: 1, least: 10 },
    ],
    curves,
  );
};

/** What the supervisor measured of each training beside the reference's, and what of it is more than the work explains. */
const usageLines = (look: Look, trials: readonly Trial[]): readonly string[] =>
  trials.flatMap(({ seed, rate, usage }) => {
    if (usage?.timesReference == null) return [];
    const expected = usage.timesExpected === null ? '' : `, ${usage.timesExpected.toFixed(2)} times what its work explains`;
    return [
      `  ${nameAtRate(`seed ${seed}`, rate)}: ${usage.trainSeconds.toFixed(1)} CPU s of training, ${usage.timesReference.toFixed(2)} times the reference's${expected}`,
      ...(usage.mark === null
        ? []
        : paragraph(look, `more CPU than expected: ${usage.mark}`).map((line) => tint(look, 'yellow', line))),
    ];
  });

const lossSpan = (losses: readonly (number | null)[]): string => {
  if (losses.length === 0) return '–';
  const text = (loss: number | null | undefined): string =>
    loss === null || loss === undefined ? 'not finite' : loss.toFixed(3);
  return `${text(losses[0])} → ${text(losses.at(-1))}`;
};

const fitnessLines = (look: Look, { fitness }: Experiment): readonly string[] =>
  fitness === null
    ? []
    : section(look, 'Fitness', [
        `  ${signed(fitness.value)} by rule ${fitness.rule}`,
        ...fitness.effects.map(
          (effect) =>
            `  ${metricNames[effect.metric]} against the reference: ${effectText(effect)}, ${effect.seeds} common seeds, ${plain(effect.method)}`,
        ),
      ]);

const outcomeWords = {
  open: 'being audited; it counts for nothing until then',
  held: 'held after the audit',
  fell: 'not there after the audit',
} as const satisfies Record<Doubt['outcome'], string>;

const doubtLines = (look: Look, { doubts = [] }: Experiment): readonly string[] =>
  section(
    look,
    'Too good to be taken at its word',
    doubts.flatMap(({ reason, outcome, detail }) => [
      ...paragraph(look, reason),
      ...paragraph(look, `${outcomeWords[outcome]}${detail === '' ? '' : `: ${detail}`}`),
    ]),
  );

const analysisLines = (look: Look, analysis: Analysis | null): readonly string[] => {
  if (analysis === null) return [];
  return section(look, `Analysis (by ${analysis.author})`, [
    ...paragraph(look, analysis.summary),
    ...analysis.comparisons.flatMap(({ against, experimentId, name, effects, timeRatio, parameterRatio }) => [
      `  ${against} ${shortId(experimentId)} ${plain(name)}:${timeRatio === null ? '' : ` ${timeRatio.toFixed(2)}x its time a token`}${parameterRatio === null ? '' : `, ${parameterRatio.toFixed(3)}x its parameters`}`,
      ...effects.map((effect) => `    ${metricNames[effect.metric]} ${effectText(effect)}`),
    ]),
    ...analysis.lessons.flatMap(({ change, lesson, gain }) =>
      paragraph(look, `lesson on ${change}${gain === null ? '' : ` (${signed(gain)})`}: ${lesson}`),
    ),
    ...(analysis.problem === '' ? [] : paragraph(look, `still open: ${analysis.problem}`)),
  ]);
};
