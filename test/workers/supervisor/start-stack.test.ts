import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../../workers/config.ts';
import {
  findStack,
  PortInUseError,
  type Stack,
  type StackProcess,
  StackRunningError,
  StackStartError,
  startStack,
} from '../../../workers/supervisor/index.ts';
import { identify } from '../../../workers/supervisor/process-identity.ts';

const workerEntry = fileURLToPath(new URL('worker-fixture.ts', import.meta.url));
const homes: string[] = [];
const newHome = (): string => {
  const home = mkdtempSync(join(tmpdir(), 'asi-stack-'));
  homes.push(home);
  return home;
};
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const configOf = async (home: string) =>
  readConfig({
    ASI_HOME: home,
    ASI_PYTHON: process.env.ASI_PYTHON ?? 'python3',
    ASI_TEMPORAL: process.env.ASI_TEMPORAL,
    ASI_TEMPORAL_PORT: String(await freePort()),
    ASI_UI_PORT: String(await freePort()),
  });

const waitFor = async (isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  const endAt = Date.now() + 25_000;
  while (!(await isTrue())) {
    if (Date.now() > endAt) throw new Error(`it did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const pidOf = (processes: readonly StackProcess[], name: string): number => {
  const pid = processes.find((found) => found.name === name)?.pid;
  if (pid === undefined || pid === null) throw new Error(`no process ${name}`);
  return pid;
};
const isGone = (pid: number): boolean => identify(pid) === null;

describe('a running stack', () => {
  const home = newHome();
  const lines: string[] = [];
  let stack: Stack;
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    process.env.SOME_API_KEY = 'abc';
    process.env.SSH_PASSPHRASE = 'correct horse';
    stack = await startStack({
      config: { ...(await configOf(home)), secrets: [{ name: 'SSH_PASSPHRASE', value: 'correct horse' }] },
      roles: ['orchestrator', 'agents'],
      workerEntry,
      onLine: (line) => lines.push(line),
    });
    connection = await Connection.connect({ address: stack.temporalAddress });
    client = new Client({ connection });
  });
  afterAll(async () => {
    await connection?.close();
    await stack?.stop();
    delete process.env.SOME_API_KEY;
    delete process.env.SSH_PASSPHRASE;
  });

  it('keeps closed workflows for thirty days', async () => {
    const { config } = await connection.workflowService.describeNamespace({ namespace: stack.namespace });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(720 * 3600);
  });

  it('serves the Web UI', async () => {
    const page = await fetch(`${stack.uiUrl}/namespaces/default/workflows/start-workflow`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<html');
  });

  it('hands keys to the agents alone, and tells the others what is not to be stored', () => {
    const logOf = (role: string): string => readFileSync(join(home, 'logs', `${role}.log`), 'utf8');
    expect(logOf('agents')).toContain('key abc\nphrase correct horse\n');
    expect(logOf('orchestrator')).toContain('key withheld\nphrase withheld\ntold SSH_PASSPHRASE=correct horse\n');
  });

  it('is found by others on the same home', () => {
    expect(findStack(home)).toMatchObject({ pid: process.pid, temporalAddress: stack.temporalAddress, uiUrl: stack.uiUrl });
    expect(findStack(newHome())).toBeNull();
  });

  it('refuses a second stack on its home and names its process', async () => {
    const second = startStack({ config: await configOf(home), roles: [], onLine: () => undefined });
    await expect(second).rejects.toThrow(StackRunningError);
    await expect(second).rejects.toThrow(`process ${process.pid}`);
  });

  it('brings a killed worker back', async () => {
    const before = pidOf(stack.processes(), 'orchestrator');
    process.kill(before, 'SIGKILL');
    await waitFor(() => lines.includes('orchestrator is up again'), 'the worker is back');
    expect(lines.some((line) => line.startsWith('orchestrator ended (signal 9); starting it again in 0.5 s'))).toBe(true);
    expect(pidOf(stack.processes(), 'orchestrator')).not.toBe(before);
    const recorded = JSON.parse(readFileSync(join(home, 'stack.json'), 'utf8')) as {
      processes: { name: string; program: { pid: number } }[];
    };
    expect(recorded.processes.find(({ name }) => name === 'orchestrator')?.program.pid).toBe(
      pidOf(stack.processes(), 'orchestrator'),
    );
  });

  it('brings a killed server back with all its data and on the same port', async () => {
    const campaign = defineSearchAttributeKey('AsiCampaign', SearchAttributeType.KEYWORD);
    const typedSearchAttributes = [{ key: campaign, value: 'c-kept' }];
    await client.workflow.start('discoverArchitectures', {
      workflowId: 'c-kept',
      taskQueue: 'nobody-polls',
      args: [{}],
      typedSearchAttributes,
    });
    const before = pidOf(stack.processes(), 'temporal');
    process.kill(before, 'SIGKILL');
    await waitFor(() => lines.includes('temporal is up again'), 'the server is back');
    const description = await client.workflow.getHandle('c-kept').describe();
    expect(description.status.name).toBe('RUNNING');
    expect(description.typedSearchAttributes.get(campaign)).toBe('c-kept');
    expect(isGone(before)).toBe(true);
  });
});

describe('a worker that dies', () => {
  it('takes what it had started with it before it is started again', async () => {
    const home = newHome();
    const lines: string[] = [];
    const stack = await startStack({
      config: await configOf(home),
      roles: ['parent'],
      workerEntry,
      onLine: (line) => lines.push(line),
    });
    const children = (): readonly number[] =>
      [...readFileSync(join(home, 'logs', 'parent.log'), 'utf8').matchAll(/^child (\d+)$/gm)].map(([, pid]) => Number(pid));
    const [first = 0] = children();
    expect(isGone(first)).toBe(false);
    process.kill(pidOf(stack.processes(), 'parent'), 'SIGKILL');
    await waitFor(() => lines.includes('parent is up again'), 'the worker is back');
    expect(isGone(first)).toBe(true);
    await stack.stop();
    expect(children()).toHaveLength(2);
    expect(children().every(isGone)).toBe(true);
  });
});

describe('the end of a stack', () => {
  it('leaves no process, no record and the home free for the next', async () => {
    const home = newHome();
    const stack = await startStack({
      config: await configOf(home),
      roles: ['orchestrator', 'trainer'],
      workerEntry,
      onLine: () => undefined,
    });
    const pids = stack.processes().map(({ name }) => pidOf(stack.processes(), name));
    expect(pids).toHaveLength(3);
    await stack.stop();
    expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
    expect(existsSync(join(home, 'stack.json'))).toBe(false);
    expect(findStack(home)).toBeNull();
    const next = await startStack({ config: await configOf(home), roles: [], workerEntry, onLine: () => undefined });
    await next.stop();
  });

  it('comes at once when it is hurried, even where a worker heeds nothing', async () => {
    const stack = await startStack({ config: await configOf(newHome()), roles: ['deaf'], workerEntry, onLine: () => undefined });
    const pids = ['temporal', 'deaf'].map((name) => pidOf(stack.processes(), name));
    const slow = stack.stop();
    const startedAt = performance.now();
    await stack.stop({ atOnce: true });
    await slow;
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(pids.every(isGone)).toBe(true);
  });

  it('takes all its processes with it when the supervisor is killed, and the next start works', async () => {
    const home = newHome();
    const config = await configOf(home);
    const fixture = fileURLToPath(new URL('stack-fixture.ts', import.meta.url));
    const supervisor = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', fixture, 'orchestrator', 'deaf'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        ASI_HOME: home,
        ASI_PYTHON: config.python,
        ASI_TEMPORAL_PORT: String(config.temporalPort),
        ASI_UI_PORT: String(config.uiPort),
      },
    });
    const printed = await new Promise<string>((resolve) => createInterface({ input: supervisor.stdout }).once('line', resolve));
    const processes = JSON.parse(printed) as StackProcess[];
    const obedient = ['temporal', 'orchestrator'].map((name) => pidOf(processes, name));
    const deaf = pidOf(processes, 'deaf');
    supervisor.kill('SIGKILL');
    await waitFor(() => obedient.every(isGone), 'the children end with the supervisor');
    expect(findStack(home)).toBeNull();
    expect(isGone(deaf)).toBe(false);
    const lines: string[] = [];
    const next = await startStack({ config, roles: ['orchestrator'], workerEntry, onLine: (line) => lines.push(line) });
    // The guard of another may take a moment longer than its program.
    expect(lines.join('\n')).toMatch(/ended what a killed stack had left behind: .*deaf/);
    expect(isGone(deaf)).toBe(true);
    await next.stop();
  });
});

describe('a stack that cannot start', () => {
  let taken: Server;
  let takenPort = 0;
  beforeAll(async () => {
    takenPort = await freePort();
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(takenPort, '127.0.0.1', resolve));
  });
  afterAll(() => taken.close());
  let started: Stack | null = null;
  afterEach(async () => {
    await started?.stop();
    started = null;
  });

  it.each([
    ['temporalPort', 'ASI_TEMPORAL_PORT'],
    ['uiPort', 'ASI_UI_PORT'],
  ])('names the taken port and the variable that moves it (%s)', async (field, variable) => {
    const own = await configOf(newHome());
    const config = { ...own, [field]: takenPort, ...(field === 'temporalPort' && { temporalAddress: `127.0.0.1:${takenPort}` }) };
    const start = startStack({ config, roles: [], workerEntry, onLine: () => undefined });
    await expect(start).rejects.toThrow(PortInUseError);
    await expect(start).rejects.toThrow(new RegExp(`port ${takenPort} .* is in use by another program; set ${variable}`));
  });

  it('takes other ports when it may', async () => {
    const own = await configOf(newHome());
    const config = { ...own, temporalPort: takenPort, temporalAddress: `127.0.0.1:${takenPort}`, uiPort: takenPort };
    started = await startStack({ config, roles: [], workerEntry, freePorts: true, onLine: () => undefined });
    expect(started.temporalAddress).not.toContain(String(takenPort));
    const connection = await Connection.connect({ address: started.temporalAddress });
    await connection.close();
  });

  it('tries other ports where the server ends while it starts, three times at most', async () => {
    const home = newHome();
    const config = await configOf(home);
    const counted = join(home, 'starts');
    const server = (failures: number): string => {
      const path = join(home, `server-${failures}`);
      const script = [
        '#!/bin/sh',
        `echo start >> ${counted}`,
        `[ "$(wc -l < ${counted})" -le ${failures} ] && { echo "panic: address already in use"; exit 2; }`,
        `exec ${config.temporalBinary} "$@"`,
      ];
      writeFileSync(path, script.join('\n'), { mode: 0o755 });
      return path;
    };
    const lines: string[] = [];
    const stack = { roles: [], workerEntry, freePorts: true, onLine: (line: string) => lines.push(line) };
    const never = startStack({ ...stack, config: { ...config, temporalBinary: server(9) } });
    await expect(never).rejects.toThrow(/temporal did not start: it ended with exit code 2[\s\S]*address already in use/);
    expect(readFileSync(counted, 'utf8')).toBe('start\n'.repeat(3));
    rmSync(counted);
    started = await startStack({ ...stack, config: { ...config, temporalBinary: server(1) } });
    expect(lines.filter((line) => line.startsWith('temporal ended while it started'))).toHaveLength(3);
  });

  it('says which process failed, quotes it and ends the others', async () => {
    const home = newHome();
    const config = await configOf(home);
    const start = startStack({ config, roles: ['orchestrator', 'broken'], workerEntry, onLine: () => undefined });
    await expect(start).rejects.toThrow(
      /broken did not start: it ended with exit code 3; its last lines:\nthis role cannot open its archive/,
    );
    expect(existsSync(join(home, 'stack.json'))).toBe(false);
    await expect(Connection.connect({ address: config.temporalAddress, connectTimeout: '200ms' })).rejects.toThrow();
  });

  it('stops in the middle of the start when it is told to', async () => {
    const home = newHome();
    const interruption = new AbortController();
    const start = startStack({
      config: await configOf(home),
      roles: ['orchestrator'],
      workerEntry,
      onLine: () => undefined,
      signal: interruption.signal,
    });
    await waitFor(() => existsSync(join(home, 'stack.json')), 'the start has begun');
    interruption.abort();
    await expect(start).rejects.toThrow('the start was interrupted');
    expect(existsSync(join(home, 'stack.json'))).toBe(false);
  });

  it.each([
    [
      'a server of the user',
      { temporalAddress: 'temporal.example:7233' },
      'TEMPORAL_ADDRESS=temporal.example:7233 names a server of yours',
    ],
    ['no Temporal binary', { temporalBinary: null }, 'ASI_TEMPORAL (not set)'],
    [
      'a Temporal binary that is none',
      { temporalBinary: '/nowhere/temporal' },
      'temporal did not start: it ended with exit code 127',
    ],
  ])('says what is wrong with %s', async (_, change, message) => {
    const config = { ...(await configOf(newHome())), ...change };
    const start = startStack({ config, roles: [], workerEntry, onLine: () => undefined });
    await expect(start).rejects.toThrow(StackStartError);
    await expect(start).rejects.toThrow(message);
  });

  it('says that the home cannot be written', async () => {
    const blocked = join(newHome(), 'a-file');
    writeFileSync(blocked, '');
    const config = { ...(await configOf(newHome())), home: join(blocked, 'home') };
    await expect(startStack({ config, roles: [], workerEntry, onLine: () => undefined })).rejects.toThrow(
      `ASI_HOME=${config.home} cannot be used: ${blocked} is a file, not a folder`,
    );
  });
});
