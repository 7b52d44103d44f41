import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** `npm test` hands on where Python and Temporal are; an editor or `npx vitest` asks the set-up, which changes nothing when asked so. */
const findTools = (): Record<string, string> => {
  if (process.env.ASI_PYTHON && process.env.ASI_TEMPORAL) return {};
  const setup = fileURLToPath(new URL('infra/setup/main.mjs', import.meta.url));
  // It ends with 1 when something is missing, and prints the rows all the same.
  const script = `"${process.execPath}" "${setup}" --check --json || true`;
  const rows: { name: string; ok: boolean; path: string }[] = JSON.parse(
    execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }),
  );
  const pathOf = (name: string): string | undefined => rows.find((row) => row.name === name && row.ok)?.path;
  const found = { ASI_PYTHON: pathOf('Python'), ASI_TEMPORAL: pathOf('Temporal') };
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== undefined));
};

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: findTools(),
  },
});
