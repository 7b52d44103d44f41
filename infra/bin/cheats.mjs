#!/usr/bin/env node
/** npm run test:cheats [-- --seeds 5]: every cheat against the evaluator, as two tables; ends with 1 when one was accepted. */
import { join } from 'node:path';
import { prepare, runProgram } from './launch.mjs';

const ready = await prepare({ needs: ['node', 'python'], quiet: true });
const python = ready.environment.ASI_PYTHON ?? 'python3';
const environment = { ...ready.environment, PYTHONPATH: join(ready.checkout, 'kernels'), OMP_NUM_THREADS: '1' };
for (const script of ['sequence_cheats.py', 'program_cheats.py']) {
  const path = join(ready.checkout, 'test', 'cheats', script);
  const options = { cwd: ready.checkout, environment };
  const code = await runProgram(ready, python, [path, ...process.argv.slice(2)], options);
  if (code !== 0) process.exitCode = code;
}
