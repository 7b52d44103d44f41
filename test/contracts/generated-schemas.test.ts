import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { baselineGenomes } from '../../workflows/contracts/baselines.ts';
import { generatedFiles, schemaFolder } from '../../workflows/contracts/emit-json-schemas.ts';
import { baselineNames, genomeSchema } from '../../workflows/contracts/genome.ts';
import { rungNames, rungSchema, rungs } from '../../workflows/contracts/rung.ts';

describe('the files that the Python package reads', () => {
  it('are all there, and no others', () => {
    const committed = readdirSync(schemaFolder).filter((name) => name.endsWith('.json'));
    expect(committed.toSorted()).toEqual([...generatedFiles().keys()].toSorted());
  });

  it.each([...generatedFiles()])('%s is what the contracts say now; if not, run npm run schemas', (name, content) => {
    expect(readFileSync(`${schemaFolder}${name}`, 'utf8')).toBe(content);
  });

  it('refuse unknown fields in every object', () => {
    const open: string[] = [];
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      // A map, whose keys and values have schemas, has no fields.
      const isMap = typeof Reflect.get(node, 'additionalProperties') === 'object' && Reflect.has(node, 'propertyNames');
      const isObject = Reflect.get(node, 'type') === 'object';
      if (isObject && !isMap && Reflect.get(node, 'additionalProperties') !== false) open.push(path);
      for (const [key, value] of Object.entries(node)) visit(value, `${path}/${key}`);
    };
    for (const [name, content] of generatedFiles()) if (!/^(baselines|rungs)\.json$/.test(name)) visit(JSON.parse(content), name);
    expect(open).toEqual([]);
  });
});

describe('tables', () => {
  it.each(baselineNames)('baseline %s is a genome', (name) => {
    expect(genomeSchema.parse(baselineGenomes[name])).toEqual(baselineGenomes[name]);
  });

  it('baselines differ from one another', () => {
    expect(new Set(Object.values(baselineGenomes).map((genome) => JSON.stringify(genome))).size).toBe(baselineNames.length);
  });

  it.each(rungNames)('rung %s fits its schema and its name', (name) => {
    expect(rungSchema.parse(rungs[name]).name).toBe(name);
    expect(rungs[name].hidden % rungs[name].heads).toBe(0);
    expect(new Set(rungs[name].tasks.map(({ kind }) => kind)).size).toBe(rungs[name].tasks.length);
    for (const task of rungs[name].tasks) expect(task.snapshots).toBeLessThanOrEqual(task.steps);
  });
});
