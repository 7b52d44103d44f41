import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importsOf, ringViolations, runtimeReach } from './support/import-rings.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = ['workflows', 'services', 'workers', 'infra'];

const sources: ReadonlyMap<string, string> = new Map(
  folders.flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mts|mjs)$/.test(name) && !name.includes('node_modules'))
      .map((name) => `${folder}/${name}`)
      .map((path) => [path, readFileSync(`${root}${path}`, 'utf8')] as const),
  ),
);
const workflowFiles = [...sources.keys()].filter((path) => /^workflows\/[^/]+\.ts$/.test(path));

describe('the tree', () => {
  it('keeps its rings: each folder imports only what its row names', () => {
    expect(sources.size).toBeGreaterThan(100);
    expect(ringViolations(sources)).toEqual([]);
  });

  it.each([...workflowFiles, ...[...sources.keys()].filter((path) => path.startsWith('workflows/rules/'))])(
    'runs %s without zod, built-in modules or anything else that a workflow sandbox lacks',
    (path) => {
      const reach = [...runtimeReach(path, sources)].filter(([target]) => !/^@temporalio\/(workflow|common)$/.test(target));
      expect(reach.map(([target, chain]) => `${target} through ${chain.join(' → ')}`)).toEqual([]);
    },
  );

  it('has workflows to speak of', () => {
    expect(workflowFiles).toContain('workflows/campaign.ts');
  });
});

describe('importsOf', () => {
  it('sees every kind of import, and which of them are erased', () => {
    const text = `
import { a,
  b } from './near.ts';
import type { C } from '../c.ts';
import { type D } from './d.ts';
import './effect.ts';
export { e } from './e.ts';
export type { F } from './f.ts';
export * from 'zod';
const later = await import('node:fs');
// import { no } from './comment.ts';
/* import { no } from './block.ts'; */
const text = 'a word from ./no.ts';
`;
    expect(importsOf('services/x/y.ts', text)).toEqual([
      { target: 'services/x/near.ts', typeOnly: false },
      { target: 'services/c.ts', typeOnly: true },
      { target: 'services/x/d.ts', typeOnly: false },
      { target: 'services/x/e.ts', typeOnly: false },
      { target: 'services/x/f.ts', typeOnly: true },
      { target: 'zod', typeOnly: false },
      { target: 'services/x/effect.ts', typeOnly: false },
      { target: 'node:fs', typeOnly: false },
    ]);
  });
});

describe('ringViolations', () => {
  it.each([
    [
      'services/export/bundle.ts',
      "import { openSqliteArchive } from '../archive/sqlite-archive.ts';",
      'services/archive/sqlite-archive.ts',
    ],
    ['services/archive/x.ts', "import { Evolver } from '../evolver/evolver.ts';", 'services/evolver/evolver.ts'],
    ['workflows/contracts/x.ts', "import type { Pool } from '../rules/pool.ts';", 'types of workflows/rules/pool.ts'],
    ['workflows/rules/x.ts', "import { metrics } from '../contracts/score.ts';", 'workflows/contracts/score.ts'],
    ['workflows/rules/x.ts', "import * as z from 'zod';", 'zod'],
    ['workflows/rules/x.ts', "import { readFileSync } from 'node:fs';", 'node:fs'],
    ['workflows/x.ts', "import { readFileSync } from 'node:fs';", 'node:fs'],
    ['workflows/x.ts', "import type { Archive } from '../services/archive/archive.ts';", 'types of services/archive/archive.ts'],
    ['services/report/x.ts', "import { Client } from '@temporalio/client';", '@temporalio/client'],
    ['workers/x.ts', "import { step } from '../infra/setup/step.mjs';", 'infra/setup/step.mjs'],
    ['workers/x.ts', "import { aCampaign } from '../test/support/builders.ts';", 'test/support/builders.ts'],
    ['workers/view/x.ts', "import { main } from '../cli/main.ts';", 'workers/cli/main.ts'],
    [
      'infra/bin/x.mjs',
      "const { startStack } = await import('../../workers/supervisor/start-stack.ts');",
      'workers/supervisor/start-stack.ts',
    ],
  ])('names the file %s and the import that breaks its row', (path, text, target) => {
    expect(ringViolations(new Map([[path, text]]))).toEqual([`${path}: may not import ${target}`]);
  });

  it('allows what the rows name', () => {
    const allowed = new Map([
      ['services/export/x.ts', "import type { Archive } from '../archive/archive.ts';\nimport * as z from 'zod';"],
      ['workflows/rules/x.ts', "import type { Pool } from '../contracts/campaign.ts';\nimport { mean } from './statistics.ts';"],
      [
        'workers/x.ts',
        "import { Worker } from '@temporalio/worker';\nimport { openSqliteArchive } from '../services/archive/sqlite-archive.ts';",
      ],
    ]);
    expect(ringViolations(allowed)).toEqual([]);
  });

  it('asks for a row where a folder has none', () => {
    expect(ringViolations(new Map([['services/gossip/x.ts', '']]))).toEqual([
      'services/gossip/x.ts: no row of the table of rings speaks of this folder',
    ]);
  });
});

describe('runtimeReach', () => {
  it('follows imports that run, not types, and shows the way', () => {
    const files = new Map([
      ['workflows/a.ts', "import { b } from './contracts/b.ts';\nimport type { D } from './contracts/d.ts';"],
      ['workflows/contracts/b.ts', "import { c } from './c.ts';"],
      ['workflows/contracts/c.ts', "import * as z from 'zod';\nimport { b } from './b.ts';"],
      ['workflows/contracts/d.ts', "import 'node:fs';"],
    ]);
    expect([...runtimeReach('workflows/a.ts', files)]).toEqual([
      ['zod', ['workflows/a.ts', 'workflows/contracts/b.ts', 'workflows/contracts/c.ts']],
    ]);
  });
});
