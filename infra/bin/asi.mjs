#!/usr/bin/env node
import { prepare, runEntry } from './launch.mjs';

/** These start a stack or measure; all others read the archive or talk to a running server and come up without Python and Temporal. */
const parameters = process.argv.slice(2);
const [first, second] = parameters.filter((word) => !word.startsWith('-'));
const asksForHelp = parameters.some((word) => word === '--help' || word === '-h');
const needsEverything =
  !asksForHelp &&
  (first === 'try' ||
    first === 'gate' ||
    first === 'verify' ||
    first === 'export' ||
    (first === 'campaign' && second === 'start'));
const ready = await prepare({ quiet: true, ...(!needsEverything && { needs: ['node', 'packages'] }) });
process.exitCode = await runEntry(ready, 'workers/cli/main.ts', parameters);
