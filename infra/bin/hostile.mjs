#!/usr/bin/env node
import { join } from 'node:path';
import { prepare, runProgram } from './launch.mjs';

/** The whole catalogue; without arguments then 100 hosts killed at random moments. */
const ready = await prepare({ needs: ['node', 'packages', 'python'] });
const python = ready.environment.ASI_PYTHON ?? 'python3';
const chosen = process.argv.slice(2);
process.exitCode = await runProgram(ready, python, [join(ready.checkout, 'test', 'hostile', 'run.py'), ...chosen]);
if (chosen.length === 0 && process.exitCode === 0) {
  const parameters = ['-m', 'pytest', '-q', '-c', 'kernels/pyproject.toml', 'test/kernels/sandbox/test_reaper.py'];
  process.exitCode = await runProgram(ready, python, parameters, {
    cwd: ready.checkout,
    environment: { ...ready.environment, PYTHONPATH: join(ready.checkout, 'kernels'), ASI_TEST_KILLS: '100' },
  });
}
