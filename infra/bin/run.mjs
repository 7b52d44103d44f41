#!/usr/bin/env node
import { prepare, runEntry } from './launch.mjs';

const [entry, ...parameters] = process.argv.slice(2);
if (entry === undefined) {
  console.error('Usage: node infra/bin/run.mjs <entry.ts> [arguments]   (the path counts from the root of the checkout)');
  process.exitCode = 2;
} else {
  process.exitCode = await runEntry(await prepare({ needs: ['node', 'packages'], quiet: true }), entry, parameters);
}
