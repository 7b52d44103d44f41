import { type HierarchyPointNode, stratify, tree } from 'd3-hierarchy';
import { fullWidth, nothing, section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import type { Entry, ReportData } from './report-data.ts';
import { gainWords, shortened } from './words.ts';

/** Past so many nodes only numbers are written beside them; names show on hover. */
const mostNamed = 60;

interface Vertex {
  readonly id: string;
  readonly parentId: string | null;
  readonly entry: Entry | null;
}
type Placed = HierarchyPointNode<Vertex>;

/** Who descends from whom: a tree from left to right, coloured by gain, shaped by state. */
export const lineageFigure = ({ entries, reference }: ReportData): Markup =>
  section(
    {
      id: 'lineage',
      title: 'Lineage',
      caption: `From left to right, parents to children; click a mark for its row in the table. Colour is the gain in bits per byte over ${reference?.name ?? 'the reference'} on the exploring seeds. Candidates of the control arm have no parent.`,
    },
    entries.length === 0 ? nothing('No experiment was started.') : html`${legend}${draw(entries)}${strip(entries)}`,
  );

/**
 * Neither child nor parent, and no baseline that could have had children: the lonely ones of a long control arm would fill the
 * tree.
 */
const isLonely = ({ experiment }: Entry, parents: ReadonlySet<string | null>): boolean =>
  experiment.kind === 'candidate' && experiment.parentId === null && !parents.has(experiment.id);

const parentsIn = (entries: readonly Entry[]): ReadonlySet<string | null> =>
  new Set(entries.map(({ experiment }) => experiment.parentId));

const strip = (entries: readonly Entry[]): Markup | null => {
  const lonely = entries.filter((entry) => isLonely(entry, parentsIn(entries)));
  const scale = saturation(entries);
  return lonely.length === 0
    ? null
    : html`<h3>Without parent and children</h3><ul class="legend">${lonely.map((entry) => html`<li><a href="#${entry.anchor}" title="${hover(entry)}">${mark(shapeOf(entry, scale))}${entry.experiment.number}</a></li>`)}</ul>`;
};

const hover = (entry: Entry): string => {
  const failure = entry.experiment.failure === null ? '' : `\n${entry.experiment.failure.label}`;
  return `${entry.name}\n${entry.experiment.state}, gain ${gainWords(entry.explored)}${failure}`;
};

const mark = (shape: Markup): Markup => html`<svg viewBox="-7 -7 14 14">${shape}</svg>`;
const legend = html`<ul class="legend">
<li>${mark(html`<rect x="-5" y="-5" width="10" height="10" fill="var(--neutral)" stroke="var(--text)"/>`)}baseline</li>
<li>${mark(html`<path d="M0,-6L6,5H-6Z" fill="var(--neutral)" stroke="var(--text)"/>`)}start</li>
<li>${mark(html`<circle r="5" fill="var(--good)"/>`)}candidate, better</li>
<li>${mark(html`<circle r="5" fill="var(--neutral)"/>`)}like the reference</li>
<li>${mark(html`<circle r="5" fill="var(--bad)"/>`)}worse</li>
<li>${mark(html`<path d="M-4,-4L4,4M-4,4L4,-4" stroke="var(--bad)" stroke-width="2"/>`)}rejected or failed</li>
<li>${mark(html`<circle r="4.5" fill="none" stroke="var(--soft)" stroke-dasharray="2 2"/>`)}not finished</li>
<li>${mark(html`<circle r="3.5" fill="var(--good)"/><circle r="6" fill="none" stroke="var(--text)" stroke-width="1.5"/>`)}finalist called better</li>
</ul>`;

const rootId = 'root';

const draw = (all: readonly Entry[]): Markup | null => {
  const entries = all.filter((entry) => !isLonely(entry, parentsIn(all)));
  if (entries.length === 0) return null;
  const known = new Set(entries.map(({ experiment }) => experiment.id));
  const vertices: Vertex[] = [
    { id: rootId, parentId: null, entry: null },
    ...entries.map((entry): Vertex => {
      const { id, parentId } = entry.experiment;
      return { id, parentId: parentId !== null && known.has(parentId) ? parentId : rootId, entry };
    }),
  ];
  const isNamed = entries.length <= mostNamed;
  const rowHeight = isNamed ? 30 : 16;
  const forest = stratify<Vertex>()
    .id(({ id }) => id)
    .parentId(({ parentId }) => parentId)(vertices)
    .sort((a, b) => (a.data.entry?.experiment.number ?? 0) - (b.data.entry?.experiment.number ?? 0));
  const columnWidth = isNamed ? 255 : Math.max(36, Math.min(90, (fullWidth - 60) / Math.max(1, forest.height)));
  const placed = tree<Vertex>()
    .nodeSize([rowHeight, columnWidth])
    .separation(() => 1)(forest);
  const nodes = placed.descendants().filter((node) => node.data.entry !== null);
  const top = Math.min(...nodes.map(({ x }) => x));
  const height = Math.max(...nodes.map(({ x }) => x)) - top + 2 * rowHeight;
  const width = Math.max(...nodes.map(({ depth }) => depth)) * columnWidth + 16;
  const place = (node: Placed) => ({ x: (node.depth - 1) * columnWidth + 16, y: node.x - top + rowHeight });
  const scale = saturation(all);
  return html`<div class="chart" role="img" aria-label="Tree of descent"><svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-size="${isNamed ? 12.5 : 11}" font-family="system-ui, sans-serif" fill="currentColor">
<g fill="none" stroke="var(--faint)" stroke-width="1.5">${nodes.map((node) => (node.parent?.data.entry == null ? null : html`<path d="${curve(place(node.parent), place(node))}"/>`))}</g>
${nodes.map((node) => vertex(node, { ...place(node), isNamed, scale }))}</svg></div>`;
};

interface At {
  readonly x: number;
  readonly y: number;
}
const curve = (from: At, to: At): string => {
  const middle = (from.x + to.x) / 2;
  return `M${from.x},${from.y}C${middle},${from.y} ${middle},${to.y} ${to.x},${to.y}`;
};

const vertex = (
  node: Placed,
  { x, y, isNamed, scale }: At & { readonly isNamed: boolean; readonly scale: number },
): Markup | null => {
  const { entry } = node.data;
  if (entry === null) return null;
  const label = isNamed ? `${entry.experiment.number} ${shortened(entry.name, 31)}` : String(entry.experiment.number);
  // The line to the children leaves to the right, so the name of a parent stands above it; a number has room on the line.
  const isAbove = isNamed && (node.children?.length ?? 0) > 0;
  return html`<a href="#${entry.anchor}"><g transform="translate(${x.toFixed(1)},${y.toFixed(1)})"><title>${hover(entry)}</title>${shapeOf(entry, scale)}<text x="${isAbove ? -5 : 9}" y="${isAbove ? -9 : 4}" stroke="var(--card)" stroke-width="3" paint-order="stroke">${label}</text></g></a>`;
};

const shapeOf = (entry: Entry, scale: number): Markup => {
  const { kind, state, verdict } = entry.experiment;
  if (state === 'rejected' || state === 'failed')
    return html`<path d="M-4,-4L4,4M-4,4L4,-4" stroke="var(--bad)" stroke-width="2"/>`;
  if (state !== 'recorded') return html`<circle r="4.5" fill="var(--card)" stroke="var(--soft)" stroke-dasharray="2 2"/>`;
  const fill = colourOf(entry, scale);
  if (kind === 'baseline') return html`<rect x="-5" y="-5" width="10" height="10" fill="${fill}" stroke="var(--text)"/>`;
  if (kind === 'start') return html`<path d="M0,-6L6,5H-6Z" fill="${fill}" stroke="var(--text)"/>`;
  const ring = verdict?.verdict === 'better' && html`<circle r="8" fill="none" stroke="var(--text)" stroke-width="1.5"/>`;
  return html`<circle r="5" fill="${fill}"/>${ring}`;
};

/** The gain at which the colour is full: nine in ten are below it, so that one outlier does not make all others grey. */
const saturation = (entries: readonly Entry[]): number => {
  const sizes = entries.flatMap(({ explored }) => (explored === null ? [] : [Math.abs(explored.mean)])).toSorted((a, b) => a - b);
  return sizes[Math.floor(0.9 * (sizes.length - 1))] || 1;
};

const colourOf = ({ explored }: Entry, scale: number): string => {
  if (explored === null) return 'var(--neutral)';
  const share = Math.round(100 * Math.min(1, Math.abs(explored.mean) / scale));
  return `color-mix(in oklab, var(--${explored.mean > 0 ? 'good' : 'bad'}) ${share}%, var(--neutral))`;
};
