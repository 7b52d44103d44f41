#!/usr/bin/env node
import { prepare, runEntry } from './launch.mjs';

process.exitCode = await runEntry(await prepare(), 'workers/bench.ts', process.argv.slice(2));
