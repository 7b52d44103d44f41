#!/usr/bin/env node
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { prepare, runProgram } from './launch.mjs';

/**
 * Both suites, or the one that the named files belong to: npm test -- test/infra, npm test -- test/kernels/gates.
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 */
const ready = await prepare();
const named = process.argv.slice(2);
const isPython = (/** @type {string} */ word) =>
  relative(ready.checkout, resolve(word)).startsWith(join('test', 'kernels')) || word.endsWith('.py');
const forPython = named.filter((word) => isPython(word));
const forNode = named.filter((word) => !isPython(word));
const folder = mkdtempSync(join(tmpdir(), 'asi-test-'));
/** @type {string[]} */
const summary = [];
let exitCode = 0;

/**
 * @param {string} name
 * @param {number} code
 * @param {Counts | null} counts
 */
const conclude = (name, code, counts) => {
  if (code !== 0) exitCode = code;
  summary.push(
    counts === null
      ? `${name}: ended with exit code ${code} before it could count`
      : `${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
  );
};

/** @type {(path: string) => Counts | null} */
const readVitest = (path) => {
  if (!existsSync(path)) return null;
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites, testResults } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  // A file that cannot be loaded has no tests to count, and must not read as "0 failed".
  const broken = testResults.filter(
    (/** @type {any} */ file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  return {
    passed: numPassedTests,
    failed: Math.max(numFailedTests + broken, numFailedTestSuites > 0 ? 1 : 0),
    skipped: numPendingTests + (numTodoTests ?? 0),
  };
};

/** @type {(path: string) => Counts | null} */
const readPytest = (path) => {
  if (!existsSync(path)) return null;
  const suite = /<testsuite [^>]*>/.exec(readFileSync(path, 'utf8'))?.[0] ?? '';
  const count = (/** @type {string} */ key) => Number(new RegExp(` ${key}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  return { passed: count('tests') - failed - count('skipped'), failed, skipped: count('skipped') };
};

try {
  if (forNode.length > 0 || forPython.length === 0) {
    const report = join(folder, 'vitest.json');
    const vitest = join(ready.checkout, 'node_modules', 'vitest', 'vitest.mjs');
    const parameters = [
      '--disable-warning=ExperimentalWarning',
      vitest,
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ];
    const code = await runProgram(ready, ready.node, [...parameters, ...forNode], { cwd: ready.checkout });
    conclude('vitest', code, readVitest(report));
  }
  if (forPython.length > 0 || forNode.length === 0) {
    const report = join(folder, 'pytest.xml');
    const parameters = ['-m', 'pytest', '-c', 'kernels/pyproject.toml', `--junitxml=${report}`];
    const environment = {
      ...ready.environment,
      PYTHONPATH: join(ready.checkout, 'kernels'),
      OMP_NUM_THREADS: '1',
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const code = await runProgram(
      ready,
      ready.environment.ASI_PYTHON ?? 'python3',
      [...parameters, ...(forPython.length > 0 ? forPython : ['test/kernels'])],
      {
        cwd: ready.checkout,
        environment,
      },
    );
    conclude('pytest', code, readPytest(report));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${summary.join('\n')}`);
process.exitCode = exitCode;
