import type { Archive } from '../archive/archive.ts';
import type { Artifacts } from '../artifacts/artifacts.ts';
import { claimsSection } from './claims-section.ts';
import { componentsFigure } from './components-figure.ts';
import { costSection } from './cost-section.ts';
import { curvesFigure } from './curves-figure.ts';
import { experimentsTable } from './experiments-table.ts';
import { failuresSection } from './failures-section.ts';
import { finalistsSection } from './finalists-section.ts';
import { header } from './header.ts';
import { leaderboardFigure } from './leaderboard-figure.ts';
import { lineageFigure } from './lineage-figure.ts';
import { html, trusted } from './markup.ts';
import { noiseSection } from './noise-section.ts';
import { paretoFigure } from './pareto-figure.ts';
import { progressFigure } from './progress-figure.ts';
import { rankSection } from './rank-section.ts';
import { type ReportData, readReportData } from './report-data.ts';
import { settingsSection } from './settings-section.ts';
import { style } from './style.ts';

const sections = [
  { id: 'finalists', name: 'Finalists', render: finalistsSection },
  { id: 'leaderboard', name: 'Leaderboard', render: leaderboardFigure },
  { id: 'progress', name: 'Progress', render: progressFigure },
  { id: 'lineage', name: 'Lineage', render: lineageFigure },
  { id: 'pareto', name: 'Recall against loss', render: paretoFigure },
  { id: 'curves', name: 'Curves', render: curvesFigure },
  { id: 'components', name: 'Components', render: componentsFigure },
  { id: 'failures', name: 'Failures', render: failuresSection },
  { id: 'noise', name: 'Noise', render: noiseSection },
  { id: 'ranks', name: 'Ranks', render: rankSection },
  { id: 'cost', name: 'Cost', render: costSection },
  { id: 'claims', name: 'What it does not claim', render: claimsSection },
  { id: 'settings', name: 'Settings', render: settingsSection },
  { id: 'experiments', name: 'All experiments', render: experimentsTable },
] as const;

/**
 * The report of a campaign as one HTML text that opens offline: figures are inline SVG, there is no script and nothing is
 * fetched. The same records give the same text. Works at any moment of a campaign. Throws UnknownCampaignError.
 */
export const renderReport = async ({
  campaignId,
  archive,
}: {
  readonly campaignId: string;
  readonly archive: Archive;
  readonly artifacts?: Artifacts;
}): Promise<string> => renderPage(await readReportData(archive, campaignId));

/** `renderReport` without the reading. */
export const renderPage = (data: ReportData): string =>
  html`${trusted('<!doctype html>')}
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${data.campaign.id} – asi-arch report</title><style>${trusted(style)}</style></head>
<body><main>${header(data)}
<nav aria-label="Sections">${sections.map(({ id, name }) => html`<a href="#${id}">${name}</a>`)}</nav>
${sections.map(({ render }) => render(data))}
<footer>Made by asi-arch from the campaign's own records.</footer></main></body></html>
`.text;
