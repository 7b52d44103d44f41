import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../../workers/view/cells.ts';
import { lineageLines, lineageMermaid, pruneLineage, type TreeNode } from '../../../workers/view/lineage-tree.ts';
import { anEffect } from '../../support/builders.ts';

const node = (number: number, parent: number | null, part: Partial<TreeNode> = {}): TreeNode => ({
  id: `c-t/e${String(number).padStart(4, '0')}`,
  number,
  kind: parent === null ? 'baseline' : 'candidate',
  parentId: parent === null ? null : `c-t/e${String(parent).padStart(4, '0')}`,
  depth: 0,
  state: 'recorded',
  name: `arch ${number}`,
  fitness: number,
  verdict: null,
  failureLabel: null,
  gain: null,
  changed: 'decay.kind none → vector-data',
  isReference: false,
  ...part,
});

/** A random forest: each node's parent has a smaller number. */
const forest = fc
  .array(fc.nat(), { maxLength: 60 })
  .map((draws) => draws.map((draw, index) => node(index, index < 3 ? null : draw % index)));

describe('a pruned lineage', () => {
  it('is never larger than asked and always holds the parents of what it holds', () => {
    fc.assert(
      fc.property(forest, fc.integer({ min: 1, max: 80 }), (nodes, limit) => {
        const kept = pruneLineage(nodes, limit);
        expect(kept.length).toBe(Math.min(limit, nodes.length));
        const ids = new Set(kept.map(({ id }) => id));
        for (const { parentId } of kept) expect(parentId === null || ids.has(parentId)).toBe(true);
      }),
    );
  });

  it('keeps the best rather than the first', () => {
    const nodes = [node(0, null), node(1, 0, { fitness: 9 }), node(2, 0, { fitness: 1 }), node(3, 1, { fitness: 5 })];
    expect(pruneLineage(nodes, 3).map(({ number }) => number)).toEqual([0, 1, 3]);
  });
});

describe('a drawn lineage', () => {
  it('has one line a node, each within the width', () => {
    fc.assert(
      fc.property(forest, fc.integer({ min: 60, max: 200 }), (nodes, width) => {
        const lines = lineageLines({ width, color: false }, nodes);
        expect(lines).toHaveLength(nodes.length);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('shows branches, last branches and a node whose parent is not among them as a root', () => {
    const lines = lineageLines({ width: 120, color: false }, [node(1, null), node(2, 1), node(3, 2), node(4, 1), node(9, 7)]);
    expect(lines.map((line) => line.slice(0, 18).trimEnd())).toEqual([
      'e0001 arch 1',
      '├─ e0002 arch 2',
      '│  └─ e0003 arch 3',
      '└─ e0004 arch 4',
      'e0009 arch 9',
    ]);
  });

  it('survives a chain that is deeper than a call stack', () => {
    const chain = Array.from({ length: 20_000 }, (_, index) => node(index, index === 0 ? null : index - 1));
    const lines = lineageLines({ width: 80, color: false }, chain);
    expect(lines).toHaveLength(20_000);
    expect(lines[19_999]).toContain('19999: e19999');
  });

  it('names what became of each', () => {
    const lines = lineageLines({ width: 120, color: false }, [
      node(1, null, { verdict: 'better', gain: anEffect({ mean: 0.1, low: 0.05, high: 0.15 }) }),
      node(2, 1, { state: 'failed', failureLabel: 'timeout_wall' }),
      node(3, 1, { state: 'planned', name: null }),
      node(4, 1, { state: 'cancelled', failureLabel: 'cancelled' }),
      node(5, null, { isReference: true, gain: anEffect({ mean: 0, low: 0, high: 0 }) }),
    ]);
    expect(lines[0]).toContain('+0.1000 ±0.0500  better');
    expect(lines[1]).toContain('failed: timeout_wall');
    expect(lines[2]).toContain('not proposed');
    expect(lines[3]).not.toContain('cancelled: cancelled');
    expect(lines[4]).toMatch(/ 0 {2,}reference {2}/);
  });

  it('calls a reference without scores no measure of anything', () => {
    const [cancelled, running] = lineageLines({ width: 120, color: false }, [
      node(1, null, { isReference: true, state: 'cancelled', failureLabel: 'cancelled' }),
      node(2, null, { isReference: true, state: 'checked' }),
    ]);
    expect(cancelled).toMatch(/– +reference, cancelled/);
    expect(running).toMatch(/– +reference, checked/);
  });
});

describe('a Mermaid lineage', () => {
  it('cannot be broken by a name', () => {
    const text = lineageMermaid([node(1, null, { name: 'a"]:::x\n  evil --> e0001 <script>' })]);
    expect(text.split('\n')[1]).toBe('  e0001["e0001 a#34;#93;:::x evil --#62; e0001 #60;script#62;"]:::given');
  });

  it('draws no edge to a node that is not there', () => {
    expect(lineageMermaid([node(9, 7)])).not.toContain('-->');
  });
});
