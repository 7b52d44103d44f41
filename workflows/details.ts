import type { Effect } from './contracts/analysis.ts';
import type { BestRow, CampaignStatus } from './contracts/messages.ts';
import { budgetUseWords } from './rules/budget-words.ts';
import { plainText } from './rules/markdown.ts';

/** Three bytes each at most: below the server's limit of 20,000. */
const maxCharacters = 6500;
/** What follows the statement must find room; the report has the whole of it. */
const maxStatement = 2500;

/** The campaign's page in the Temporal Web UI as Markdown, within the server's limit of 20,000 bytes. */
export const renderDetails = (status: CampaignStatus): string => {
  const { recorded, rejected, failed, cancelled } = status.finished;
  const sections = [
    `## ${status.campaignId} — ${status.state}`,
    plainText(status.stage),
    status.notices.map((notice) => `**${plainText(notice)}**`).join('\n\n'),
    status.conclusion === null ? '' : `**${plainText(status.conclusion.statement.slice(0, maxStatement))}**`,
    budgetList(status),
    `Experiments: ${recorded} recorded, ${rejected} rejected, ${failed} failed, ${cancelled} cancelled; running now: ${status.inFlight.map(shortId).join(', ') || 'none'}`,
    bestTable(status.best),
    failureList(status),
    status.hints.length === 0 ? '' : `### Hints\n\n${status.hints.map((hint) => `- ${plainText(hint)}`).join('\n')}`,
    reportLines(status),
  ];
  return sections
    .filter((section) => section !== '')
    .join('\n\n')
    .slice(0, maxCharacters);
};

const budgetList = ({ budget }: CampaignStatus): string =>
  budget === null
    ? ''
    : [
        `- candidates: ${budgetUseWords(budget.experiments)}`,
        `- minutes: ${budgetUseWords(budget.minutes, 1)}`,
        `- trial seconds: ${budgetUseWords(budget.trialSeconds)}`,
      ].join('\n');

const bestTable = (rows: readonly BestRow[]): string => {
  if (rows.length === 0) return '';
  return ['### Best so far', '', tableRow(bestColumns), tableRow(bestColumns.map(() => '---')), ...rows.map(bestRow)].join('\n');
};

const bestColumns = ['id', 'name', 'kind', 'bits per byte gained over the reference', 'changed', 'verdict'];

const bestRow = ({ experimentId, name, kind, gain, isReference, changed, verdict, isUnwalled }: BestRow): string =>
  tableRow([
    shortId(experimentId),
    `${plainText(name)}${isUnwalled === true ? ' (no sandbox)' : ''}`,
    kind,
    isReference === true ? '0 (reference)' : gain === null ? '–' : gainText(gain),
    plainText(changed),
    verdict ?? '–',
  ]);

/** The Web UI draws cells without a gap between them, trims them, and shows an entity as it is written: two wide spaces before nothing. */
const gap = '\u00a0\u00a0\u200b';
const tableRow = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => (cell === '---' ? cell : `${cell}${gap}`)).join(' | ')} |`;

const failureList = (status: CampaignStatus): string =>
  status.lastFailures.length === 0
    ? ''
    : `### Last failures\n\n${status.lastFailures.map((row) => `- ${shortId(row.experimentId)} **${row.label}**: ${plainText(row.detail.slice(0, 300))}`).join('\n')}`;

const reportLines = (status: CampaignStatus): string => {
  if (status.conclusion === null) return '';
  const { reportPath, reportFailure, bundlePaths, bundleFailures = [] } = status.conclusion;
  return [
    reportPath === null ? '' : `Report: \`${reportPath}\``,
    reportFailure === undefined ? '' : `**No report**: ${plainText(reportFailure)}`,
    ...bundlePaths.map((path) => `Bundle: \`${path}\``),
    ...bundleFailures.map(({ experimentId, detail }) => `**No bundle of ${shortId(experimentId)}**: ${plainText(detail)}`),
  ]
    .filter((line) => line !== '')
    .join('\n\n');
};

/** Signed gain with its interval; positive is better. No square brackets, which Markdown takes for a link. */
export const gainText = (effect: Effect): string =>
  `${signed(effect.mean)} (${signed(effect.low)} to ${signed(effect.high)}, ${effect.seeds} seeds)`;

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(4)}`;
const shortId = (id: string): string => id.split('/')[1] ?? id;
