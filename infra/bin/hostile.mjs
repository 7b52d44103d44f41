#!/usr/bin/env node
import { join } from 'node:path';
import { prepare, runProgram } from './launch.mjs';

const ready = await prepare({ needs: ['node', 'packages', 'python'] });
const python = ready.environment.ASI_PYTHON ?? 'python3';
process.exitCode = await runProgram(ready, python, [join(ready.checkout, 'test', 'hostile', 'run.py'), ...process.argv.slice(2)]);
