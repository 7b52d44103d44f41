import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeMachine, npmScript, uvScript } from './fake-machine.ts';

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
});
afterEach(() => machine.remove());

/** Makes the set-up think that an old Node.js runs it. */
const oldNode = {
  NODE_OPTIONS: `--import ${dataUrl("Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.1.0'}})")}`,
};

function dataUrl(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

const waitFor = async (isTrue: () => boolean): Promise<void> => {
  const endAt = Date.now() + 20_000;
  while (!isTrue()) {
    if (Date.now() > endAt) throw new Error('what was waited for did not happen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

const pythonFolder = (): string => {
  const folder = join(machine.cache, 'python');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return join(folder, names.find((name) => !name.includes('.')) ?? 'none');
};

describe('a set-up from nothing', () => {
  it('brings every step with a line each, and a second run brings nothing', async () => {
    machine.addHealthyPrograms();
    const first = await machine.run();
    expect(first.output).toContain('2 packages by npm ci');
    expect(first.output).toContain('3.12.4, torch 2.13.0 installed');
    expect(first.code).toBe(0);
    const second = await machine.run();
    expect(second.output).toContain('nothing was missing');
    expect(second.code).toBe(0);
    expect(machine.countCalls('npm ci')).toBe(1);
    expect(machine.countCalls('uv pip sync')).toBe(1);
  });

  it('insists on the hashes of the lock and runs no install script', async () => {
    machine.addHealthyPrograms();
    await machine.run();
    expect(machine.countCalls('uv pip sync --quiet --require-hashes')).toBe(1);
    expect(machine.countCalls('npm ci --ignore-scripts')).toBe(1);
  });

  it('fetches a Node.js that runs TypeScript when an old one runs the set-up', async () => {
    machine.addHealthyPrograms();
    const { output, code } = await machine.run([], oldNode);
    expect(output).toMatch(/Node\.js\s+24\.\d+\.\d+ fetched/);
    expect(code).toBe(0);
    const [folder = ''] = readdirSync(join(machine.cache, 'node'));
    expect(readdirSync(join(machine.cache, 'node', folder)).sort()).toEqual(['asi-stamp.json', 'bin']);
  });

  it('installs again what a changed lockfile, a deleted package or a damaged environment makes wrong', async () => {
    machine.addHealthyPrograms();
    await machine.run();
    machine.lockPackages({
      'node_modules/left': { version: '1.0.1' },
      'node_modules/other-platform': { version: '1.0.0', optional: true },
    });
    expect((await machine.run()).output).toContain('by npm ci');
    rmSync(join(machine.checkout, 'node_modules', 'left'), { recursive: true });
    expect((await machine.run()).output).toContain('by npm ci');
    rmSync(join(pythonFolder(), 'lib', 'python3.12', 'site-packages', 'torch-2.13.0.dist-info'), { recursive: true });
    expect((await machine.run(['--check'])).output).toContain('packages were deleted from it (torch-2.13.0.dist-info)');
    expect((await machine.run()).output).toContain('torch 2.13.0 installed');
    expect(machine.countCalls('npm ci')).toBe(3);
  });
});

describe('a set-up that is interrupted', () => {
  const slowSync = 'touch "$7.reached"; sleep 5';
  const reached = (): boolean =>
    existsSync(join(machine.cache, 'python')) &&
    readdirSync(join(machine.cache, 'python')).some((name) =>
      existsSync(join(machine.cache, 'python', name, 'bin', 'python.reached')),
    );

  it('never uses what was half built, and finishes the next time', async () => {
    machine.addHealthyPrograms();
    machine.addProgram('uv', uvScript(slowSync));
    const killed = machine.start();
    await waitFor(reached);
    process.kill(killed.pid, 'SIGKILL');
    await killed.ended.catch(() => undefined);
    expect((await machine.run(['--check'])).output).toContain('missing  Python');
    machine.addProgram('uv', uvScript());
    expect((await machine.run()).code).toBe(0);
    expect(readdirSync(join(machine.cache, 'python'))).toHaveLength(1);
    expect(machine.countCalls('npm ci')).toBe(1);
  });

  it('says so, ends with the code of the signal and leaves no program behind', async () => {
    machine.addHealthyPrograms();
    machine.addProgram('uv', uvScript(`echo $$ > '${join(machine.root, 'uv.pid')}'; ${slowSync}`));
    const started = machine.start();
    await waitFor(reached);
    process.kill(started.pid, 'SIGINT');
    const { code, output } = await started.ended;
    expect(code).toBe(130);
    expect(output).toContain('finished steps are kept');
    const uvPid = Number(readFileSync(join(machine.root, 'uv.pid'), 'utf8'));
    await waitFor(() => !isAlive(uvPid));
    expect(existsSync(join(machine.cache, 'setup.lock'))).toBe(false);
  });

  it('lets a second set-up wait and do nothing twice', async () => {
    machine.addHealthyPrograms();
    machine.addProgram('npm', `sleep 1\n${npmScript()}`);
    const both = [machine.start(), machine.start()];
    const ended = await Promise.all(both.map(({ ended }) => ended));
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    expect(ended.map(({ output }) => output).join('')).toContain('another set-up is at work');
    expect(machine.countCalls('npm ci')).toBe(1);
  });

  it('takes over the lock of a set-up that is dead', async () => {
    machine.addHealthyPrograms();
    mkdirSync(machine.cache);
    writeFileSync(join(machine.cache, 'setup.lock'), '999999999 1');
    expect((await machine.run()).code).toBe(0);
  });
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a machine that lacks something', () => {
  it('hears that npm is missing and how to get it', async () => {
    const { code, output } = await machine.run();
    expect(code).toBe(1);
    expect(output).toMatch(/set-up stopped at npm packages\n {2}what {4}npm is not on PATH\n {2}remedy {2}install npm/);
    expect(output).not.toContain('at async');
  });

  it('hears which Pythons will do', async () => {
    machine.addHealthyPrograms();
    machine.addProgram('python3', 'printf "%s\\n3.9.18\\n" "$0"');
    rmSync(join(machine.programs, 'uv'));
    const { code, output } = await machine.run();
    expect(code).toBe(1);
    expect(output).toContain('no Python from 3.11 to 3.13 on PATH');
  });

  it('hears of every way to Temporal that was tried', async () => {
    machine.addHealthyPrograms();
    machine.addProgram('temporal', 'echo "temporal version 0.9.0 (Server 1.20.0, UI 2.1.0)"');
    const { code, output } = await machine.run();
    expect(code).toBe(1);
    for (const tried of [
      'TEMPORAL_CLI: not set',
      '0.9.0, server 1.20.0',
      'cache: nothing whole',
      'official release: http://127.0.0.1:9',
      'Go build: no program "go"',
    ]) {
      expect(output).toContain(tried);
    }
    expect(output).toContain('install Go');
  });

  it('is not given another Temporal than the one that TEMPORAL_CLI names', async () => {
    machine.addHealthyPrograms();
    const { code, output } = await machine.run([], { TEMPORAL_CLI: '/nowhere/temporal' });
    expect(code).toBe(1);
    expect(output).toContain('TEMPORAL_CLI=/nowhere/temporal: no such program');
  });

  it.each([
    ['a full disk', 'ENOSPC: no space left on device', 'the disk is full'],
    ['no network', 'getaddrinfo ENOTFOUND registry', 'check the network'],
    ['a lockfile that does not fit', 'npm error code EUSAGE', 'do not belong together'],
    ['a download that is not the locked one', 'npm error code EINTEGRITY', 'do not trust it'],
  ])('hears the remedy for %s', async (_, said, remedy) => {
    machine.addHealthyPrograms();
    machine.addProgram('npm', `echo '${said}' >&2; exit 1`);
    const { code, output } = await machine.run();
    expect(code).toBe(1);
    expect(output).toContain(said);
    expect(output).toContain(remedy);
  });

  it('hears that the cache folder cannot be written', async () => {
    machine.addHealthyPrograms();
    const blocked = join(machine.root, 'a-file', 'cache');
    writeFileSync(join(machine.root, 'a-file'), '');
    const { code, output } = await machine.run([], { ASI_CACHE: blocked });
    expect(code).toBe(1);
    expect(output).toContain(blocked);
    expect(output).toContain('point ASI_CACHE');
  });

  it('is told by --check, which changes nothing, and as JSON', async () => {
    machine.addProgram('temporal', 'echo "temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)"');
    const { code, output } = await machine.run(['--check', '--json']);
    expect(code).toBe(1);
    const rows = JSON.parse(output) as { name: string; ok: boolean; remedy: string | null }[];
    expect(rows.map(({ name, ok }) => [name, ok])).toEqual([
      ['Node.js', true],
      ['npm packages', false],
      ['Python', false],
      ['Temporal', true],
    ]);
    expect(rows.every(({ ok, remedy }) => ok === (remedy === null))).toBe(true);
    expect(existsSync(machine.cache)).toBe(false);
  });

  it('refuses an option that it does not know', async () => {
    const { code, output } = await machine.run(['--chekc']);
    expect(code).toBe(2);
    expect(output).toContain('unknown option --chekc');
  });
});

describe('the official release of Temporal', () => {
  let server: Server;
  let isHonest = true;
  beforeEach(async () => {
    machine.addHealthyPrograms();
    rmSync(join(machine.programs, 'temporal'));
    const made = join(machine.root, 'release');
    mkdirSync(made);
    writeFileSync(join(made, 'temporal'), '#!/bin/sh\necho "temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)"\n', {
      mode: 0o755,
    });
    execFileSync('tar', ['-czf', 'release.tar.gz', 'temporal'], { cwd: made });
    const archive = readFileSync(join(made, 'release.tar.gz'));
    server = createServer(({ url = '' }, response) => {
      const name = url.split('/').at(-1) ?? '';
      const sum = createHash('sha256')
        .update(isHonest ? archive : 'something else')
        .digest('hex');
      const arch = process.arch === 'x64' ? 'amd64' : process.arch;
      response.end(name === 'checksums.txt' ? `${sum}  temporal_cli_1.8.2_${process.platform}_${arch}.tar.gz\n` : archive);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => server.close());

  const releases = (): NodeJS.ProcessEnv => {
    const address = server.address();
    return { ASI_TEMPORAL_RELEASES: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` };
  };

  it('is used when its checksum holds', async () => {
    isHonest = true;
    const { code, output } = await machine.run([], releases());
    expect(output).toContain('1.8.2 by official release');
    expect(code).toBe(0);
    expect((await machine.run([], releases())).output).toContain('nothing was missing');
  });

  it('is not used when its checksum does not hold', async () => {
    isHonest = false;
    const { code, output } = await machine.run([], releases());
    expect(output).toContain('checksum mismatch');
    expect(code).toBe(1);
    expect(readdirSync(join(machine.cache, 'temporal'))).toEqual([]);
  });
});

describe('this machine', () => {
  it('has everything, and says so quickly', () => {
    const main = fileURLToPath(new URL('../../infra/setup/main.mjs', import.meta.url));
    const startedAt = performance.now();
    const rows = JSON.parse(execFileSync(process.execPath, [main, '--check', '--json'], { encoding: 'utf8' })) as {
      ok: boolean;
    }[];
    console.log(`set-up with nothing missing: ${Math.round(performance.now() - startedAt)} ms`);
    expect(rows.map(({ ok }) => ok)).toEqual([true, true, true, true]);
  });
});
