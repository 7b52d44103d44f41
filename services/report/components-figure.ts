import * as Plot from '@observablehq/plot';
import type { Genome } from '../../workflows/contracts/genome.ts';
import { chart, colours, fullWidth, nothing, section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import { byGain, type Entry, isCandidate, type ReportData } from './report-data.ts';

const shownComponents = 18;
const fewestCandidates = 4;

export interface ComponentShare {
  readonly component: string;
  readonly winners: number;
  readonly all: number;
}

/** Which components the winners have more or less often than all candidates. */
export const componentsFigure = ({ entries }: ReportData): Markup => {
  const candidates = entries.filter((entry) => isCandidate(entry) && entry.experiment.proposal?.genome != null);
  const winners = winnersOf(candidates);
  const shares = componentShares(genomesOf(winners), genomesOf(candidates)).slice(0, shownComponents);
  return section(
    {
      id: 'components',
      title: 'Components of the winners against all',
      caption: `Share of candidates that have a component: hollow among all ${candidates.length} proposals with a genome, filled among the ${winners.length} best by exploring gain; the ${shownComponents} largest differences. Shares of few are rough, and components come together, so this says where to look and proves nothing.`,
    },
    candidates.length < fewestCandidates || winners.length === 0 || shares.length === 0
      ? nothing('Too few candidates with scores to compare.')
      : html`${legend}${draw(shares)}`,
  );
};

const legend = html`<ul class="legend">
<li><svg viewBox="0 0 14 14"><circle cx="7" cy="7" r="4.5" fill="none" stroke="var(--baseline)" stroke-width="1.5"/></svg>among all</li>
<li><svg viewBox="0 0 14 14"><circle cx="7" cy="7" r="4.5" fill="var(--good)"/></svg>among winners, more often</li>
<li><svg viewBox="0 0 14 14"><circle cx="7" cy="7" r="4.5" fill="var(--bad)"/></svg>among winners, less often</li>
</ul>`;

const draw = (shares: readonly ComponentShare[]): Markup => {
  const colourOf = ({ winners, all }: ComponentShare): string => (winners > all ? 'var(--good)' : 'var(--bad)');
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  return chart({
    label: 'Share of each component among winners and among all',
    width: fullWidth,
    height: 70 + 22 * shares.length,
    marginLeft: 250,
    marginRight: 30,
    marginTop: 8,
    style: { fontSize: '12.5px', background: 'none' },
    x: { label: 'share of candidates →', domain: [0, 1], grid: true, tickFormat: percent },
    y: { label: null, domain: shares.map(({ component }) => component), tickSize: 0 },
    marks: [
      Plot.link(shares, { x1: 'all', x2: 'winners', y1: 'component', y2: 'component', stroke: colourOf, strokeWidth: 2 }),
      Plot.dot(shares, { x: 'all', y: 'component', stroke: colours.baseline, fill: 'var(--card)', r: 4.5 }),
      Plot.dot(shares, {
        x: 'winners',
        y: 'component',
        fill: colourOf,
        r: 5,
        title: (share: ComponentShare) =>
          `${share.component}: ${percent(share.winners)} of winners, ${percent(share.all)} of all`,
      }),
    ],
  });
};

/** The best quarter of the scored, two at least. */
const winnersOf = (candidates: readonly Entry[]): readonly Entry[] => {
  const scored = candidates.filter(({ explored }) => explored !== null).toSorted(byGain);
  return scored.slice(0, Math.max(2, Math.ceil(scored.length / 4)));
};

const genomesOf = (entries: readonly Entry[]): Genome[] => entries.flatMap(({ experiment }) => experiment.proposal?.genome ?? []);

/** Largest difference first; components that both have equally often are left out. */
export const componentShares = (winners: readonly Genome[], all: readonly Genome[]): ComponentShare[] => {
  const components = new Set(all.flatMap(componentsOf));
  const shareAmong = (genomes: readonly Genome[], component: string): number =>
    genomes.length === 0 ? 0 : genomes.filter((genome) => componentsOf(genome).includes(component)).length / genomes.length;
  return [...components]
    .map((component) => ({ component, winners: shareAmong(winners, component), all: shareAmong(all, component) }))
    .filter(({ winners: a, all: b }) => a !== b)
    .toSorted((a, b) => Math.abs(b.winners - b.all) - Math.abs(a.winners - a.all) || a.component.localeCompare(b.component));
};

/** A genome as words, one a gene; FIR branches one a kernel. */
const componentsOf = (genome: Genome): string[] => [
  `decay ${genome.decay.kind}`,
  `write ${genome.write.kind}`,
  `write strength ${genome.write.beta}`,
  `key ${genome.keyTie}`,
  `feature map ${genome.featureMap}`,
  `q/k norm ${genome.qkNorm}`,
  `position ${genome.position}`,
  `short conv ${(['q', 'k', 'v'] as const).filter((which) => genome.shortConv[which]).join('') || 'none'}`,
  `readout ${genome.readout}`,
  `output norm ${genome.output.norm}`,
  `output gate ${genome.output.gate}`,
  `value mix ${genome.valueMix}`,
  ...(genome.fir.length === 0 ? ['FIR none'] : genome.fir.map((kernel) => `FIR ${kernel}`)),
  `router ${genome.router}`,
  `heads × ${genome.heads.multiple}`,
  `key size × ${genome.heads.expandKey}`,
  `value size × ${genome.heads.expandValue}`,
  `layers ${genome.layers.pattern}`,
];
