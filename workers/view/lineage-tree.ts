import type { LineageNode } from '../../services/archive/archive.ts';
import type { Effect } from '../../workflows/contracts/analysis.ts';
import { cut, displayWidth, padTo, plain } from './cells.ts';
import { shortEffectText, shortId, signed } from './figures.ts';
import { type Look, roomOf, type Tone, tint } from './look.ts';

/** A node of the tree with what the drawing says about it. */
export interface TreeNode extends LineageNode {
  /** Gain over the reference in bits per byte. */
  readonly gain: Effect | null;
  readonly changed: string;
  /** The architecture that gains are measured against. */
  readonly isReference: boolean;
}

/**
 * At most `limit` nodes: baselines and starts, then the best by fitness, each with all its ancestors, then the youngest. What is
 * kept is always a whole forest.
 */
export const pruneLineage = <Node extends LineageNode>(nodes: readonly Node[], limit: number): readonly Node[] => {
  if (nodes.length <= limit) return nodes;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const kept = new Set<string>();
  const wanted = [
    ...nodes.filter(({ kind }) => kind !== 'candidate'),
    ...nodes.filter(({ fitness }) => fitness !== null).toSorted((a, b) => (b.fitness ?? 0) - (a.fitness ?? 0)),
    ...nodes.toReversed(),
  ];
  for (const node of wanted) {
    const line: string[] = [];
    for (
      let at: Node | undefined = node;
      at !== undefined && !kept.has(at.id) && !line.includes(at.id);
      at = byId.get(at.parentId ?? '')
    ) {
      line.push(at.id);
    }
    if (kept.size + line.length <= limit) for (const id of line) kept.add(id);
  }
  return nodes.filter(({ id }) => kept.has(id));
};

/** One line a node: place in the tree, id, name, gain, what became of it, what changed. */
export const lineageLines = (look: Look, nodes: readonly TreeNode[]): readonly string[] => {
  const drawn = drawForest(nodes, Math.floor(look.width / 14));
  const labels = drawn.map(({ prefix, node }) => `${prefix}${shortId(node.id)} ${plain(node.name ?? 'not proposed')}`);
  const labelWidth = Math.min(Math.max(0, ...labels.map(displayWidth)), Math.floor(roomOf(look) * 0.5));
  const gains = drawn.map(({ node }) => (isMeasuredReference(node) ? '0' : shortEffectText(node.gain)));
  const gainWidth = Math.max(0, ...gains.map(displayWidth));
  const fates = drawn.map(({ node }) => fate(node));
  const fateWidth = Math.max(0, ...fates.map(displayWidth));
  return drawn.map(({ node }, index) => {
    const head = padTo(cut(labels[index] ?? '', labelWidth), labelWidth);
    const gain = padTo(gains[index] ?? '', gainWidth);
    const end = padTo(fates[index] ?? '', fateWidth);
    const room = roomOf(look) - labelWidth - gainWidth - fateWidth - 6;
    const changed = room >= 8 ? `  ${cut(plain(node.changed), room)}` : '';
    return `${head}  ${tint(look, gainTone(node.gain), gain)}  ${tint(look, fateTone(node), end)}${changed}`.trimEnd();
  });
};

/** Gains count from it once it has scores itself. */
const isMeasuredReference = ({ isReference, state }: TreeNode): boolean => isReference && state === 'recorded';

const fate = (node: TreeNode): string => {
  if (isMeasuredReference(node)) return 'reference';
  if (node.state === 'recorded') return node.verdict ?? (node.kind === 'candidate' ? 'recorded' : node.kind);
  const end = node.failureLabel === null || node.failureLabel === node.state ? node.state : `${node.state}: ${node.failureLabel}`;
  return node.isReference ? `reference, ${end}` : end;
};

const fateTone = (node: TreeNode): Tone => {
  if (node.verdict === 'better') return 'green';
  return node.state === 'rejected' || node.state === 'failed' ? 'red' : 'dim';
};

const gainTone = (gain: Effect | null): Tone => {
  if (gain === null) return 'dim';
  if (gain.low > 0) return 'green';
  return gain.high < 0 ? 'red' : 'bold';
};

interface DrawnNode {
  readonly node: TreeNode;
  readonly prefix: string;
}

/** Branches are drawn down to `deepest`; below it the depth stands as a number, since a line has only so much room. */
const drawForest = (nodes: readonly TreeNode[], deepest: number): readonly DrawnNode[] => {
  const ids = new Set(nodes.map(({ id }) => id));
  const children = Map.groupBy(nodes, ({ parentId }) => (parentId !== null && ids.has(parentId) ? parentId : ''));
  const drawn: DrawnNode[] = [];
  // A stack, since a lineage may be deeper than the call stack likes.
  const stack = (children.get('') ?? []).toReversed().map((node) => ({ node, depth: 0, lead: '', prefix: '' }));
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    drawn.push({ node: at.node, prefix: at.prefix });
    const depth = at.depth + 1;
    const isDrawn = depth <= deepest;
    for (const [index, child] of (children.get(at.node.id) ?? []).toReversed().entries()) {
      const isLast = index === 0;
      stack.push({
        node: child,
        depth,
        lead: isDrawn ? `${at.lead}${isLast ? '   ' : '│  '}` : at.lead,
        prefix: isDrawn ? `${at.lead}${isLast ? '└─ ' : '├─ '}` : `${at.lead}${depth}: `,
      });
    }
  }
  return drawn;
};

/** The lineage as a Mermaid flowchart. */
export const lineageMermaid = (nodes: readonly TreeNode[]): string => {
  const ids = new Set(nodes.map(({ id }) => id));
  const lines = nodes.map((node) => {
    const gain = node.gain === null || node.isReference ? '' : `<br/>${signed(node.gain.mean)}`;
    return `  ${shortId(node.id)}["${shortId(node.id)} ${quoted(node.name ?? 'not proposed')}${gain}"]:::${mermaidClass(node)}`;
  });
  const edges = nodes
    .filter(({ parentId }) => parentId !== null && ids.has(parentId))
    .map(
      (node) =>
        `  ${shortId(node.parentId ?? '')} -->${node.changed === '' ? '' : `|"${quoted(cut(plain(node.changed), 60))}"|`} ${shortId(node.id)}`,
    );
  return [
    'flowchart TD',
    ...lines,
    ...edges,
    '  classDef better fill:#c8e6c9,stroke:#2e7d32,color:#000',
    '  classDef recorded fill:#e3f2fd,stroke:#1565c0,color:#000',
    '  classDef given fill:#eeeeee,stroke:#616161,color:#000',
    '  classDef lost fill:#ffebee,stroke:#c62828,color:#000',
  ].join('\n');
};

const mermaidClass = (node: TreeNode): string => {
  if (node.verdict === 'better') return 'better';
  if (node.state === 'rejected' || node.state === 'failed' || node.state === 'cancelled') return 'lost';
  return node.kind === 'candidate' ? 'recorded' : 'given';
};

/** Mermaid reads quotes, brackets and markup inside labels; its entity codes stand for them. */
const quoted = (text: string): string => plain(text).replace(/["#<>|[\]{}`\\]/g, (character) => `#${character.codePointAt(0)};`);
