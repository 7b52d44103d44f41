import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { experimentId } from '../../../workflows/contracts/naming.ts';
import { type Descendant, lineageViolations } from '../../../workflows/rules/lineage.ts';

const id = (number: number): string => experimentId('c-test', number);

/** A sound lineage: each experiment descends from none or from an earlier one. */
const lineage = fc.array(fc.nat(), { minLength: 1, maxLength: 30 }).map((draws) => {
  const nodes: Required<Descendant>[] = [];
  for (const [index, draw] of draws.entries()) {
    const parent = nodes[draw % (index + 1)];
    nodes.push({
      id: id(index + 1),
      number: index + 1,
      parentId: parent?.id ?? null,
      ancestors: parent === undefined ? [] : [...parent.ancestors, parent.id],
      depth: parent === undefined ? 0 : parent.depth + 1,
    });
  }
  return nodes;
});

describe('lineageViolations', () => {
  it('finds nothing in a sound lineage, in any order, with or without ancestors and depth', () => {
    fc.assert(
      fc.property(lineage, (nodes) => {
        expect(lineageViolations(nodes)).toEqual([]);
        expect(lineageViolations(nodes.toReversed())).toEqual([]);
        expect(lineageViolations(nodes.map(({ ancestors: _, depth: __, ...node }) => node))).toEqual([]);
      }),
    );
  });

  it('finds whatever single thing is broken', () => {
    const breaks: readonly ((node: Required<Descendant>) => Partial<Descendant>)[] = [
      () => ({ parentId: id(999) }),
      (node) => ({ parentId: node.id }),
      (node) => ({ depth: node.depth + 1 }),
      (node) => ({ ancestors: [...node.ancestors, id(1)] }),
      (node) => ({ number: node.number === 1 ? 2 : 1 }),
      (node) => ({ id: node.number === 1 ? id(2) : id(1) }),
    ];
    fc.assert(
      fc.property(lineage, fc.nat(), fc.constantFrom(...breaks), (nodes, which, damage) => {
        fc.pre(nodes.length > 1);
        const at = which % nodes.length;
        expect(lineageViolations(nodes.map((node, index) => (index === at ? { ...node, ...damage(node) } : node)))).not.toEqual(
          [],
        );
      }),
    );
  });

  it('ends on a cycle and names its members', () => {
    const cycle = [
      { id: id(1), number: 1, parentId: id(3), depth: 0, ancestors: [] },
      { id: id(2), number: 2, parentId: id(1), depth: 1, ancestors: [id(1)] },
      { id: id(3), number: 3, parentId: id(2), depth: 2, ancestors: [id(1), id(2)] },
    ];
    expect(lineageViolations(cycle)[0]).toBe(
      'c-test/e0001 has number 1, not above its parent c-test/e0003’s 3'.replace('’', "'"),
    );
  });

  it('says what is wrong and what would be right', () => {
    const root = { id: id(1), number: 1, parentId: null, ancestors: [], depth: 0 };
    expect(lineageViolations([root, { id: id(2), number: 2, parentId: id(7) }])).toEqual([
      'c-test/e0002 names the parent c-test/e0007, which does not exist',
    ]);
    expect(lineageViolations([root, { id: id(2), number: 2, parentId: id(1), ancestors: [], depth: 3 }])).toEqual([
      'c-test/e0002 names the ancestors []; its chain of parents is [c-test/e0001]',
      'c-test/e0002 has depth 3; its chain of parents has 1',
    ]);
    expect(lineageViolations([root, { ...root, id: id(2) }])).toEqual(["c-test/e0002 has number 1, which is c-test/e0001's"]);
    expect(lineageViolations([root, root])).toEqual(['c-test/e0001 is there twice']);
  });
});
