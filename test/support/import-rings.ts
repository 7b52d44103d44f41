import { dirname, posix } from 'node:path';

/** One import of one file. Paths are from the root of the checkout, with slashes. */
export interface ImportStatement {
  /** A path of the tree, a package's name, or `node:…`. */
  readonly target: string;
  /** True where the import leaves nothing behind when types are erased. */
  readonly typeOnly: boolean;
}

const statement = /^[ \t]*(import|export)\b([^;'"`]*?)\bfrom\s*['"]([^'"]+)['"]/gm;
const sideEffect = /^[ \t]*import\s*['"]([^'"]+)['"]/gm;
const dynamic = /\bimport\s*\(\s*['"]([^'"]+)['"]/g;

/** The imports of a TypeScript or JavaScript text. An import whose names are all inline types still runs its module. */
export const importsOf = (path: string, text: string): ImportStatement[] => {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const resolve = (name: string): string => (name.startsWith('.') ? posix.join(dirname(path), name) : name);
  return [
    ...[...code.matchAll(statement)].map(([, , names = '', name = '']) => ({
      target: resolve(name),
      typeOnly: /^\s*type\b/.test(names),
    })),
    ...[...code.matchAll(sideEffect), ...code.matchAll(dynamic)].map(([, name = '']) => ({
      target: resolve(name),
      typeOnly: false,
    })),
  ];
};

export interface Ring {
  /** Folder with a slash at its end: all below it; `folder/*`: its own files only. */
  readonly folder: string;
  /** Folders and files of the tree, beside the ring's own folder. */
  readonly tree: readonly string[];
  /** Of these folders, types only. */
  readonly typesOf?: readonly string[];
  /** Packages by name or scope; `node:` for the built-ins. */
  readonly packages: readonly string[];
}

const ports = [
  'services/archive/archive.ts',
  'services/artifacts/artifacts.ts',
  'services/vectors/vector-index.ts',
  'services/embed/embedder.ts',
  'services/dispatch/dispatcher.ts',
];
const contracts = 'workflows/contracts/';
const rules = 'workflows/rules/';
const service = (name: string, tree: readonly string[], packages: readonly string[] = []): Ring => ({
  folder: `services/${name}/`,
  tree: [contracts, ...tree],
  packages: ['node:', 'zod', ...packages],
});

/**
 * The table of rings: a folder may import only what its row names. Whatever a workflow runs must be deterministic and small, so
 * its row has no zod and no built-in module; contracts reach it as types or through files that are free of both. Tests may
 * import anything and have no row.
 */
export const rings: readonly Ring[] = [
  { folder: contracts, tree: [], packages: ['zod', 'node:fs', 'node:url'] },
  { folder: rules, tree: [], typesOf: [contracts], packages: [] },
  { folder: 'workflows/*', tree: [contracts, rules], packages: ['@temporalio/workflow', '@temporalio/common'] },
  service('storage', []),
  service('archive', [rules, 'services/storage/']),
  service('artifacts', ['services/storage/']),
  service('vectors', ['services/storage/']),
  service('dispatch', [rules]),
  service('embed', ['services/python/']),
  service('outages', []),
  service('python', []),
  service('judge', ['services/python/', ...ports]),
  service('researcher', []),
  service('evolver', [rules, 'services/researcher/']),
  service('analyst', [rules]),
  service('novelty', ports),
  service('export', [rules, 'services/storage/', ...ports]),
  service('report', [rules, ...ports], ['@observablehq/plot', 'd3-hierarchy', 'linkedom']),
  { folder: 'workers/view/', tree: [contracts, rules, ...ports], packages: ['node:', 'diff', 'zod'] },
  {
    folder: 'workers/',
    tree: ['workflows/', 'services/'],
    packages: ['node:', '@temporalio/', 'zod', 'commander', 'log-update', 'diff', 'protobufjs'],
  },
  { folder: 'infra/', tree: [], packages: ['node:'] },
];

/** The row of a file: the longest folder that holds it. */
const ringOf = (path: string): Ring | undefined =>
  rings.filter((ring) => holds(ring.folder, path)).toSorted((a, b) => b.folder.length - a.folder.length)[0];

const holds = (folder: string, path: string): boolean =>
  folder.endsWith('/*')
    ? dirname(path) === folder.slice(0, -2)
    : folder.endsWith('/')
      ? path.startsWith(folder)
      : path === folder;

const isOfTree = (target: string): boolean =>
  target.includes('/') && /\.(ts|mts|mjs|js|json)$/.test(target) && !target.startsWith('@');

/** A sentence for each import that the table does not allow, and for each file without a row. */
export const ringViolations = (files: ReadonlyMap<string, string>): string[] =>
  [...files].flatMap(([path, text]) => {
    const ring = ringOf(path);
    if (ring === undefined) return [`${path}: no row of the table of rings speaks of this folder`];
    return importsOf(path, text)
      .filter((statement) => !isAllowed(statement, ring))
      .map(({ target, typeOnly }) => `${path}: may not import ${typeOnly ? 'types of ' : ''}${target}`);
  });

const isAllowed = ({ target, typeOnly }: ImportStatement, ring: Ring): boolean => {
  if (!isOfTree(target)) return ring.packages.some((name) => target === name || (/[:/]$/.test(name) && target.startsWith(name)));
  if (holds(ring.folder, target) || ring.tree.some((folder) => holds(folder, target))) return true;
  return typeOnly && (ring.typesOf ?? []).some((folder) => holds(folder, target));
};

/** Packages and built-ins that run when a file is loaded, each with the chain of files that leads to it. */
export const runtimeReach = (entry: string, files: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> => {
  const reached = new Map<string, readonly string[]>();
  const visit = (path: string, chain: readonly string[]): void => {
    if (reached.has(path)) return;
    reached.set(path, chain);
    const text = files.get(path);
    if (text === undefined) return;
    for (const { target, typeOnly } of importsOf(path, text)) if (!typeOnly) visit(target, [...chain, path]);
  };
  visit(entry, []);
  return new Map([...reached].filter(([path]) => !files.has(path)));
};
