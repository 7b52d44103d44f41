import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { genomeViolations, isLegal } from '../../../services/evolver/legality.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import type { Genome } from '../../../workflows/contracts/genome.ts';
import { anyGenome, legalGenome, nearLegalGenome } from './arbitrary-genomes.ts';

const python = process.env.ASI_PYTHON;
const kernels = join(import.meta.dirname, '..', '..', '..', 'kernels');

test('every baseline is legal', () => {
  expect(Object.values(baselineGenomes).flatMap(genomeViolations)).toEqual([]);
});

test('FIR kernels out of order or twice are told with the right order', () => {
  const genome: Genome = { ...baselineGenomes.deltanet, fir: [15, 3, 3], router: 'sigmoid' };
  expect(genomeViolations(genome)).toEqual(['fir is [15, 3, 3]; kernels must be ascending without repeats: [3, 15]']);
});

test.skipIf(python === undefined)(
  'the generator and the evolver give the same violations for thousands of genomes (needs ASI_PYTHON)',
  () => {
    const genomes = [
      ...fc.sample(anyGenome, { numRuns: 2000, seed: 1 }),
      ...fc.sample(nearLegalGenome, { numRuns: 3000, seed: 2 }),
      ...fc.sample(legalGenome, { numRuns: 1000, seed: 3 }),
      { ...baselineGenomes.deltanet, fir: [5, 3, 5], router: 'static' } satisfies Genome,
    ];
    const ours = genomes.map(genomeViolations);
    const theirs: unknown = JSON.parse(
      execFileSync(python ?? '', ['-c', violationsProgram], {
        cwd: kernels,
        input: JSON.stringify(genomes),
        encoding: 'utf8',
        maxBuffer: 64 * 2 ** 20,
      }),
    );
    expect(theirs).toEqual(ours);
    // The sample holds both kinds in numbers, or agreement would mean little.
    expect(genomes.filter(isLegal).length).toBeGreaterThan(1500);
    expect(genomes.filter((genome) => !isLegal(genome)).length).toBeGreaterThan(3000);
    expect(new Set(ours.flat().map((line) => line.replace(/is \S+/, ''))).size).toBeGreaterThan(20);
  },
);

const violationsProgram = `
import json, sys
from asi_kernels.generate.legal import violations
print(json.dumps([violations(genome) for genome in json.load(sys.stdin)]))
`;
