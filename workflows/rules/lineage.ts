/** What the invariants speak of; a field that is absent is not checked. */
export interface Descendant {
  readonly id: string;
  readonly number: number;
  readonly parentId: string | null;
  /** From the root to the parent. */
  readonly ancestors?: readonly string[];
  readonly depth?: number;
}

/**
 * Sentences on everything that breaks the lineage of one campaign; empty when it is sound: ids and numbers are unique, a parent
 * exists and has an earlier number (so that there is no cycle), and ancestors and depth are what the chain of parents says.
 */
export const lineageViolations = (nodes: readonly Descendant[]): string[] => {
  const byId = new Map<string, Descendant>();
  const byNumber = new Map<number, string>();
  const violations: string[] = [];
  for (const node of nodes) {
    if (byId.has(node.id)) violations.push(`${node.id} is there twice`);
    const holder = byNumber.get(node.number);
    if (holder !== undefined && holder !== node.id) violations.push(`${node.id} has number ${node.number}, which is ${holder}'s`);
    byId.set(node.id, node);
    byNumber.set(node.number, node.id);
  }
  return [...violations, ...nodes.flatMap((node) => violationsOf(node, byId))];
};

const violationsOf = (node: Descendant, byId: ReadonlyMap<string, Descendant>): string[] => {
  const parent = node.parentId === null ? null : byId.get(node.parentId);
  if (parent === undefined) return [`${node.id} names the parent ${node.parentId}, which does not exist`];
  if (parent !== null && parent.number >= node.number)
    return [`${node.id} has number ${node.number}, not above its parent ${parent.id}'s ${parent.number}`];
  const violations: string[] = [];
  const chain = chainOf(node, byId);
  if (node.ancestors !== undefined && node.ancestors.join(' ') !== chain.join(' '))
    violations.push(
      `${node.id} names the ancestors [${node.ancestors.join(', ')}]; its chain of parents is [${chain.join(', ')}]`,
    );
  if (node.depth !== undefined && node.depth !== chain.length)
    violations.push(`${node.id} has depth ${node.depth}; its chain of parents has ${chain.length}`);
  return violations;
};

/**
 * Root to parent. A chain with a cycle in it is cut where it repeats; the numbers of its members are reported where they stand.
 */
const chainOf = (node: Descendant, byId: ReadonlyMap<string, Descendant>): string[] => {
  const chain: string[] = [];
  const seen = new Set([node.id]);
  for (let id = node.parentId; id !== null && !seen.has(id); id = byId.get(id)?.parentId ?? null) {
    seen.add(id);
    chain.unshift(id);
  }
  return chain;
};
