#!/usr/bin/env node
import { inspect } from './inspect.mjs';
import { findPlaces } from './places.mjs';
import { setUp } from './setup.mjs';
import { SetupError } from './setup-error.mjs';

const HELP = `Usage: npm run setup [-- --check [--json]]

Brings what asi-arch needs: Node.js 24, npm packages, the locked Python environment, the Temporal CLI. Finished steps are kept.
  --check   only says what is there and what is missing; exit code 1 when something is missing
  --json    with --check: the rows as JSON
Environment: ASI_CACHE, ASI_PYTHON, TEMPORAL_CLI, ASI_TEMPORAL_RELEASES (README.md explains them)`;

const known = new Set(['--check', '--json', '--help', '-h']);
const flags = process.argv.slice(2);
const unknown = flags.find((flag) => !known.has(flag));
const places = findPlaces();

if (unknown !== undefined) {
  console.error(`unknown option ${unknown}\n\n${HELP}`);
  process.exitCode = 2;
} else if (flags.includes('--help') || flags.includes('-h')) {
  console.log(HELP);
} else if (flags.includes('--check')) {
  const table = await inspect();
  if (flags.includes('--json')) console.log(JSON.stringify(table, null, 2));
  else
    for (const row of table)
      console.log(
        `${row.ok ? 'ok     ' : 'missing'}  ${row.name.padEnd(13)} ${row.version ?? row.found}\n         ${row.ok ? row.path : `remedy: ${row.remedy}`}`,
      );
  process.exitCode = table.every((row) => row.ok) ? 0 : 1;
} else {
  try {
    const startedAt = Date.now();
    const { numInstalled } = await setUp(places, { log: (line) => console.log(line), tellFound: 'always' });
    console.log(
      `set-up  ${numInstalled === 0 ? 'nothing was missing' : 'done'}; ${((Date.now() - startedAt) / 1000).toFixed(1)} s`,
    );
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.text);
    process.exitCode = 1;
  }
}
