import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JobEnd } from '../../../services/dispatch/dispatcher.ts';
import { InProcessDispatcher } from '../../../services/dispatch/in-process-dispatcher.ts';
import { PythonHost } from '../../../services/python/host.ts';
import { PythonProcessError } from '../../../services/python/line-process.ts';
import { PythonTools } from '../../../services/python/tools.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import { rungs } from '../../../workflows/contracts/rung.ts';
import { type CheckRequest, checkResultSchema } from '../../../workflows/contracts/trial.ts';
import { isAlive, processTree } from '../../support/process-tree.ts';

const python = process.env.ASI_PYTHON ?? 'python3';
const limits = { wallSeconds: 60, idleSeconds: 60, memoryBytes: 3e9, logBytes: 1e6 };

describe('the tools process', () => {
  let tools: PythonTools;
  beforeAll(() => {
    tools = new PythonTools({ python });
  });
  afterAll(() => tools.close());

  it('writes a self-contained program with a mixer class', async () => {
    const program = await tools.emit(baselineGenomes.kda, 'kda', 'A baseline.');
    expect(program).toMatch(/^class Mixer\(nn\.Module\):/m);
    expect(program.match(/^(?:import|from) .*$/gm)?.filter((line) => !/\b(torch|math)\b/.test(line))).toEqual([]);
  });

  it('refuses an illegal genome by the name of the gene, and goes on', async () => {
    const illegal = { ...baselineGenomes.deltanet, router: 'softmax' as const };
    await expect(tools.emit(illegal, 'x', 'x')).rejects.toThrow(/router/);
    await expect(tools.emit(illegal, 'x', 'x')).rejects.toBeInstanceOf(PythonProcessError);
    expect(await tools.emit(baselineGenomes.deltanet, 'deltanet', '')).toContain('class Mixer');
  });
});

describe('the host', () => {
  let folder: string;
  let host: PythonHost;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'asi-host-'));
    host = new PythonHost({ python, folders: { work: [folder], read: [] } });
  });
  afterEach(async () => {
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const checkJob = async (program: string) => {
    const tools = new PythonTools({ python });
    const referencePath = join(folder, 'reference.py');
    writeFileSync(referencePath, await tools.emit(baselineGenomes.deltanet, 'deltanet', ''));
    await tools.close();
    const programPath = join(folder, 'mixer.py');
    writeFileSync(programPath, program === 'reference' ? readFileSync(referencePath) : program);
    const workdir = join(folder, 'work');
    mkdirSync(workdir);
    const request: CheckRequest = { programPath, referencePath, rung: rungs.tiny, seed: 1, cuts: 8, flopsLimit: 2 };
    const requestPath = join(workdir, 'request.json');
    writeFileSync(requestPath, JSON.stringify(request));
    return { id: 'job', command: 'check' as const, requestPath, workdir, channel: null, limits };
  };

  it('says what it runs on, and runs a job to its result', async () => {
    const facts = await host.start();
    expect(facts.device).toBe('cpu');
    // What was promised was tried: a tier is never one whose canaries got through.
    expect(facts.sandbox.canaries.filter(({ held }) => !held && facts.sandbox.tier === 'S2')).toEqual([]);
    expect(facts.sandbox.missing === '').toBe(facts.sandbox.tier === 'S2');
    const job = await checkJob('reference');
    const end = await host.run(job, () => undefined);
    expect(end.label, end.detail).toBeNull();
    const result = checkResultSchema.parse(JSON.parse(readFileSync(join(job.workdir, 'result.json'), 'utf8')));
    expect(result.status, result.detail).toBe('pass');
  }, 60_000);

  it('ends its jobs as an outage with what they had used when it dies, and starts again for the next one', async () => {
    await host.start();
    const job = await checkJob('from torch import nn\n\n\nclass Mixer(nn.Module):\n    total = sum(range(10**12))\n');
    const told: number[] = [];
    const first = host.run(
      job,
      () => undefined,
      (seconds) => told.push(seconds),
    );
    await expect.poll(() => told.at(-1) ?? 0, { timeout: 20_000 }).toBeGreaterThan(1);
    process.kill(host.pid ?? 0, 'SIGKILL');
    const end = await first;
    expect(end).toMatchObject({ label: 'infra', cpuSeconds: told.at(-1) });
    expect(end.wallSeconds).toBeGreaterThan(1);
    writeFileSync(join(folder, 'mixer.py'), readFileSync(join(folder, 'reference.py')));
    expect(await host.run({ ...job, id: 'next' }, () => undefined)).toMatchObject({ label: null });
  }, 60_000);

  it('has a program given up as poison that runs each time that it dies', async () => {
    const { workdir, command, requestPath } = await checkJob('import time\ntime.sleep(1000)\n');
    const request: unknown = JSON.parse(readFileSync(requestPath, 'utf8'));
    const dispatcher = new InProcessDispatcher({ slots: 1, runner: host });
    const ends: JobEnd[] = [];
    for (let count = 0; count < 3; count++) {
      await host.start();
      const pid = host.pid ?? 0;
      const numIdle = processTree(pid).length;
      const end = dispatcher.run({ id: 'job', command, request: request as CheckRequest, workdir, limits, suspect: 'c/e3' });
      // A child of it is there: the program runs.
      await expect.poll(() => processTree(pid).length, { timeout: 20_000 }).toBeGreaterThan(numIdle);
      process.kill(pid, 'SIGKILL');
      ends.push(await end);
    }
    expect(ends).toMatchObject([
      { ok: false, label: 'infra' },
      { ok: false, label: 'infra' },
      { ok: false, label: 'poison', detail: expect.stringMatching(/^3 of its runs ended in an outage.*SIGKILL/) },
    ]);
  }, 120_000);

  it('kills one that is frozen, ends its jobs as an outage, and starts again for the next one', async () => {
    const watched = new PythonHost({
      python,
      folders: { work: [folder], read: [] },
      pulse: { everyMs: 100, patienceMs: 2000 },
    });
    try {
      await watched.start();
      const job = await checkJob('import time\ntime.sleep(1000)\n');
      const first = watched.run(job, () => undefined);
      const frozen = processTree(watched.pid ?? 0);
      for (const pid of frozen) process.kill(pid, 'SIGSTOP');
      expect(await first).toMatchObject({ label: 'infra', detail: expect.stringMatching(/host stopped: it was silent for 2 s/) });
      await expect.poll(() => frozen.filter(isAlive), { timeout: 5000 }).toEqual([]);
      writeFileSync(join(folder, 'mixer.py'), readFileSync(join(folder, 'reference.py')));
      expect(await watched.run({ ...job, id: 'next' }, () => undefined)).toMatchObject({ label: null });
    } finally {
      await watched.close();
    }
  }, 60_000);

  it('lets one live that is busy for longer than silence is borne', async () => {
    const patient = new PythonHost({ python, folders: { work: [folder], read: [] }, pulse: { everyMs: 100, patienceMs: 1000 } });
    try {
      await patient.start();
      const job = await checkJob('import time\ntime.sleep(3)\n');
      expect(await patient.run(job, () => undefined)).toMatchObject({ label: null });
    } finally {
      await patient.close();
    }
  }, 60_000);

  it('tells its owner when it breaks, and nothing when it is closed', async () => {
    const breaks: string[] = [];
    const owned = new PythonHost({ python, folders: { work: [folder], read: [] }, onBreak: (reason) => breaks.push(reason) });
    try {
      await owned.start();
      process.kill(owned.pid ?? 0, 'SIGKILL');
      await expect.poll(() => breaks, { timeout: 5000 }).toEqual([expect.stringContaining('SIGKILL')]);
      await owned.start();
    } finally {
      await owned.close();
    }
    expect(breaks).toHaveLength(1);
  }, 60_000);

  it('says which interpreter cannot be started', async () => {
    const broken = new PythonHost({ python: '/no/such/python' });
    await expect(broken.start()).rejects.toThrow('/no/such/python');
  });
});
