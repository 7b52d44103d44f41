#!/usr/bin/env node
import { join } from 'node:path';
import { prepare, runProgram } from './launch.mjs';

const ready = await prepare({ needs: ['node', 'packages', 'python'] });
const python = ready.environment.ASI_PYTHON ?? 'python3';
const script = (/** @type {string} */ path) => [ready.node, join(ready.checkout, 'node_modules', path)];
const checks = [
  { name: 'format and lint (Biome)', command: [...script('@biomejs/biome/bin/biome'), 'check', '.'] },
  { name: 'types (tsc)', command: [...script('typescript/bin/tsc'), '-p', '.'] },
  { name: 'types of the set-up (tsc)', command: [...script('typescript/bin/tsc'), '-p', 'infra'] },
  {
    name: 'Python lint (ruff)',
    command: [
      python,
      '-m',
      'ruff',
      'check',
      '--config',
      'kernels/pyproject.toml',
      'kernels',
      'test/kernels',
      'test/hostile/run.py',
      'test/cheats',
    ],
  },
  {
    name: 'Python format (ruff)',
    command: [
      python,
      '-m',
      'ruff',
      'format',
      '--check',
      '--config',
      'kernels/pyproject.toml',
      'kernels',
      'test/kernels',
      'test/hostile/run.py',
      'test/cheats',
    ],
  },
];

const failed = [];
for (const { name, command } of checks) {
  console.log(`\n== ${name}`);
  const [program = '', ...parameters] = command;
  if ((await runProgram(ready, program, parameters, { cwd: ready.checkout })) !== 0) failed.push(name);
}
console.log(failed.length === 0 ? `\ncheck: all ${checks.length} passed` : `\ncheck: failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
