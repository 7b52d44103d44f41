import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { html, type Markup, trusted } from './markup.ts';

/** Room inside a section on a page of full width, in pixels. */
export const fullWidth = 1036;
/** Of two figures side by side. */
export const halfWidth = 508;

export interface ChartOptions extends Plot.PlotOptions {
  /** What the figure shows, for those who cannot see it. */
  readonly label: string;
}

/**
 * One figure as inline SVG. The plotting library escapes what it writes; coordinates are cut to two decimals, which no eye can
 * tell.
 */
export const chart = ({ label, ...options }: ChartOptions): Markup => {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const figure: { readonly outerHTML: string } = Plot.plot({
    ...options,
    // The label of an axis stands below its numbers, not among them.
    ...(options.x === undefined ? {} : { marginBottom: 46, x: { labelOffset: 40, ...options.x } }),
    style: { background: 'none', ...(typeof options.style === 'object' ? options.style : {}) },
    document: document as never, // A document of linkedom: as much of one as the library needs.
  });
  const svg = figure.outerHTML
    .replace(/ (d|transform|x|y|x1|x2|y1|y2|width|height|points|r|cx|cy)="[^"]*"/g, (attribute) =>
      attribute.replace(/(\d\.\d\d)\d+/g, '$1'),
    )
    .replace(/<style>[\s\S]*?<\/style>/g, '');
  return html`<div class="chart" role="img" aria-label="${label}">${trusted(svg)}</div>`;
};

export interface FigureText {
  readonly id: string;
  readonly title: string;
  /** How to read it: a sentence or two. */
  readonly caption: string | Markup;
}

/** A section with a heading, a caption and what it shows. */
export const section = ({ id, title, caption }: FigureText, body: Markup): Markup =>
  html`<section id="${id}"><h2>${title}</h2><p class="caption">${caption}</p>${body}</section>`;

export const nothing = (words: string): Markup => html`<p class="empty">${words}</p>`;

/** Colours of the page, by meaning; style.ts gives them their values in light and dark. */
export const colours = {
  baseline: 'var(--baseline)',
  candidate: 'var(--candidate)',
  control: 'var(--control)',
  confirmed: 'var(--confirmed)',
  faint: 'var(--faint)',
  failed: 'var(--bad)',
  band: 'var(--band)',
  text: 'var(--text)',
  card: 'var(--card)',
} as const;
