import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeMachine } from './fake-machine.ts';

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
  machine.addHealthyPrograms();
});
afterEach(() => machine.remove());

const addEntry = (path: string, code: string): void => {
  const full = join(machine.checkout, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, code);
};

const waitForOutput = async (output: () => string, text: string): Promise<void> => {
  const endAt = Date.now() + 20_000;
  while (!output().includes(text)) {
    if (Date.now() > endAt) throw new Error(`never said "${text}":\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe('a launcher', () => {
  it('sets up, hands its arguments and the places of everything on, and ends with the exit code of the entry', async () => {
    addEntry(
      'workers/bench.ts',
      `const { ASI_HOME, ASI_CACHE, ASI_PYTHON, ASI_TEMPORAL } = process.env;
       console.log(JSON.stringify({ words: process.argv.slice(2), ASI_HOME, ASI_CACHE, ASI_PYTHON, ASI_TEMPORAL }) as string);
       process.exitCode = 7;`,
    );
    const { code, output } = await machine.run(['loop', '--json'], {}, 'infra/bin/bench.mjs');
    expect(code).toBe(7);
    const said = JSON.parse(output.split('\n').find((line) => line.startsWith('{')) ?? '{}') as Record<string, unknown>;
    expect(said).toMatchObject({
      words: ['loop', '--json'],
      ASI_HOME: join(machine.checkout, '.asi'),
      ASI_CACHE: machine.cache,
      ASI_TEMPORAL: join(machine.programs, 'temporal'),
    });
    expect(existsSync(String(said.ASI_PYTHON))).toBe(true);
    expect((await machine.run([], {}, 'infra/bin/bench.mjs')).output).toContain('set-up: nothing missing');
  });

  it('says where every step came from until there is a home, then one line; asi says nothing', async () => {
    addEntry('workers/start.ts', '');
    addEntry('workers/cli/main.ts', '');
    const stepsIn = (output: string): readonly string[] =>
      [...output.matchAll(/^set-up {2}(\S+)/gm)].map(([, step]) => step ?? '').toSorted();
    const all = ['Node.js', 'Python', 'Temporal', 'npm'];
    const home = join(machine.checkout, 'a-home');
    const start = async (): Promise<string> => (await machine.run([], { ASI_HOME: home }, 'infra/bin/start.mjs')).output;
    expect(stepsIn(await start())).toEqual(all);
    const again = await start();
    expect(stepsIn(again)).toEqual(all);
    expect(again).toContain('set-up: nothing missing');
    mkdirSync(home);
    expect(stepsIn(await start())).toEqual([]);
    expect((await machine.run(['lineage'], { ASI_HOME: join(home, 'none') }, 'infra/bin/asi.mjs')).output).toBe('');
  });

  it('does not run the entry when the set-up cannot finish', async () => {
    addEntry('workers/discover.ts', 'console.log("ran");');
    machine.addProgram('npm', 'echo "ENOSPC" >&2; exit 1');
    const { code, output } = await machine.run([], {}, 'infra/bin/discover.mjs');
    expect(code).toBe(1);
    expect(output).toContain('the disk is full');
    expect(output).not.toContain('ran');
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('hands %s on once and waits for the end of the entry', async (signal) => {
    addEntry(
      'workers/start.ts',
      `let numSignals = 0;
       process.on('${signal}', () => { numSignals += 1; setTimeout(() => { console.log('signals ' + numSignals); process.exit(3); }, 300); });
       setInterval(() => undefined, 1000);
       console.log('waiting');`,
    );
    const started = machine.start([], {}, 'infra/bin/start.mjs');
    await waitForOutput(started.output, 'waiting');
    process.kill(started.pid, signal);
    const { code, output } = await started.ended;
    expect(output).toContain('signals 1\n');
    expect(code).toBe(3);
  });

  it('ends with 128 and the number of the signal that ended the entry', async () => {
    addEntry('workers/worker.ts', 'process.kill(process.pid, "SIGKILL");');
    expect((await machine.run([], {}, 'infra/bin/worker.mjs')).code).toBe(137);
  });
});

describe('asi', () => {
  beforeEach(() => addEntry('workers/cli/main.ts', 'console.log("asi " + process.argv.slice(2).join(" "));'));

  it.each([['doctor'], ['lineage c-1'], ['campaign list'], ['campaign start --help'], ['']])(
    'reads without Python and Temporal: %s',
    async (words) => {
      await machine.run([], {}, 'infra/bin/run.mjs');
      await machine.run(words.split(' ').filter(Boolean), {}, 'infra/bin/asi.mjs');
      const { code, output } = await machine.run(words.split(' ').filter(Boolean), {}, 'infra/bin/asi.mjs');
      expect(code).toBe(0);
      expect(output).toBe(`asi ${words}\n`);
      expect(machine.countCalls('uv pip sync')).toBe(0);
    },
  );

  it.each([['try mixer.py'], ['campaign start'], ['export c-1/e0001']])(
    'brings everything first for what computes: %s',
    async (words) => {
      const { output } = await machine.run(words.split(' '), {}, 'infra/bin/asi.mjs');
      expect(output).toContain(`asi ${words}`);
      expect(machine.countCalls('uv pip sync')).toBe(1);
    },
  );
});

describe('npm test', () => {
  beforeEach(() => machine.lockPackages({ 'node_modules/vitest': { version: '5.1.0' } }));

  /** Stand-ins that write the reports which the real runners write. */
  const addRunners = async (
    vitest: { passed: number; failed: number },
    pytest: { tests: number; failures: number; errors: number },
  ): Promise<void> => {
    await machine.run();
    const report = {
      numPassedTests: vitest.passed,
      numFailedTests: vitest.failed,
      numPendingTests: 1,
      numTodoTests: 0,
      numFailedTestSuites: 0,
      testResults: [],
    };
    addEntry(
      'node_modules/vitest/vitest.mjs',
      `import { writeFileSync } from 'node:fs';
       console.log('vitest', process.argv.slice(2).filter((word) => !word.startsWith('--')).join(' '));
       writeFileSync(process.argv.find((word) => word.startsWith('--outputFile.json=')).split('=')[1], '${JSON.stringify(report)}');
       process.exitCode = ${vitest.failed > 0 ? 1 : 0};`,
    );
    const python = machine.addProgram(
      'own-python',
      `case "$*" in *pytest*) for word; do case "$word" in --junitxml=*) echo '<testsuites><testsuite name="pytest" errors="${pytest.errors}" failures="${pytest.failures}" skipped="2" tests="${pytest.tests}">' > "\${word#--junitxml=}" ;; esac; done
         exit ${pytest.failures + pytest.errors > 0 ? 1 : 0} ;;
       *) echo '{"python":"3.12.4","torch":"2.13.0"}' ;; esac`,
    );
    environment = { ASI_PYTHON: python };
  };
  let environment: NodeJS.ProcessEnv = {};

  it('closes with a line for each suite and ends well when both did', async () => {
    await addRunners({ passed: 5, failed: 0 }, { tests: 9, failures: 0, errors: 0 });
    const { code, output } = await machine.run([], environment, 'infra/bin/test.mjs');
    expect(output.trimEnd().split('\n').slice(-2)).toEqual([
      'vitest: 5 passed, 0 failed, 1 skipped',
      'pytest: 7 passed, 0 failed, 2 skipped',
    ]);
    expect(code).toBe(0);
  });

  it('runs the second suite and fails at the end when the first has failed', async () => {
    await addRunners({ passed: 4, failed: 1 }, { tests: 9, failures: 0, errors: 0 });
    const { code, output } = await machine.run([], environment, 'infra/bin/test.mjs');
    expect(output).toContain('vitest: 4 passed, 1 failed, 1 skipped\npytest: 7 passed');
    expect(code).toBe(1);
  });

  it('counts a Python test that broke before it ran as failed', async () => {
    await addRunners({ passed: 5, failed: 0 }, { tests: 9, failures: 1, errors: 1 });
    const { code, output } = await machine.run([], environment, 'infra/bin/test.mjs');
    expect(output).toContain('pytest: 5 passed, 2 failed, 2 skipped');
    expect(code).toBe(1);
  });

  it('runs only the suite that the named files belong to', async () => {
    await addRunners({ passed: 5, failed: 0 }, { tests: 9, failures: 0, errors: 0 });
    const forNode = await machine.run(['test/infra'], environment, 'infra/bin/test.mjs');
    expect(forNode.output).toContain('vitest run test/infra');
    expect(forNode.output).not.toContain('pytest:');
    const forPython = await machine.run(['test/kernels/gates'], environment, 'infra/bin/test.mjs');
    expect(forPython.output).not.toContain('vitest:');
    expect(machine.countCalls('own-python -m pytest -c kernels/pyproject.toml --junitxml')).toBe(1);
  });
});

describe('the scripts of package.json', () => {
  it('name launchers that exist', () => {
    const { scripts, bin } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      scripts: Record<string, string>;
      bin: Record<string, string>;
    };
    const named = [...Object.values(scripts).flatMap((script) => script.match(/infra\/\S+\.mjs/g) ?? []), ...Object.values(bin)];
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)))).toEqual([]);
  });
});
