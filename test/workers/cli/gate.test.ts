import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { runAsi } from './run-asi.ts';

const programs = 'test/fixtures/programs';
const python = process.env.ASI_PYTHON ?? 'python3';
const gate = (words: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  runAsi(['gate', ...words], { home: temporaryFolder(), env: { ASI_PYTHON: python, ...env } });

/** A file of the test's own, with this content. */
const fileOf = (content: string | Buffer, name = 'mixer.py'): string => {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
};

describe('asi gate', { timeout: 120_000 }, () => {
  it('passes an honest program and shows every gate with its evidence and the sandbox tier', async () => {
    const ran = await gate([`${programs}/honest/ema.py`, '--rung', 'tiny']);
    expect(ran).toMatchObject({ exitCode: 0, err: '' });
    expect(ran.out).toMatch(/^ema\.py passes \d+ gates/);
    expect(ran.out).toMatch(/; sandbox (S2|S1|S0L|S0P|none)/);
    for (const name of ['contract', 'causality', 'batch', 'parameters', 'flops'])
      expect(ran.out).toMatch(new RegExp(`^  ${name} +pass `, 'm'));
    expect(ran.out).toMatch(/^ {2}gate +verdict +measured +limit +evidence$/m);
  });

  it('fails a leak with the evidence: where, how large, which seed', async () => {
    const ran = await gate([`${programs}/defects/mean_over_time.py`, '--rung', 'tiny', '--seed', '3']);
    expect(ran.exitCode).toBe(1);
    expect(ran.out).toMatch(/^ {2}causality: .*cut.*seed/ms);
    expect(ran.err).toMatch(/^mean_over_time\.py: failed .*causality/);
  });

  it('gives the same as JSON and leaves nothing behind', async () => {
    const home = temporaryFolder();
    const ran = await runAsi(['gate', `${programs}/defects/mean_over_time.py`, '--rung', 'tiny', '--json'], {
      home,
      env: { ASI_PYTHON: python },
    });
    expect(ran.exitCode).toBe(1);
    const report = JSON.parse(ran.out);
    expect(report).toMatchObject({
      file: 'mean_over_time.py',
      status: 'fail',
      label: 'gate',
      sandbox: { tier: expect.any(String) },
    });
    expect(report.gates.find((row: { gate: string }) => row.gate === 'causality').verdict).toBe('fail');
    expect(readdirSync(join(home, 'work', 'gate'))).toEqual([]);
  });

  it.each([
    ['syntax_error', /line \d+/],
    ['missing_class', /class Mixer/],
    ['wrong_signature', /forward\(self, x, state=None\)/],
    ['wrong_shape', /must be \[B, T, hidden\]/],
    ['import_fails', /importing/],
  ])('says on one line what is wrong with %s', async (name, message) => {
    const ran = await gate([`${programs}/defects/${name}.py`, '--rung', 'tiny']);
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err.trimEnd().split('\n')).toHaveLength(1);
    expect(ran.err).toContain(`file.py: value "${programs}/defects/${name}.py"; `);
    expect(ran.err).toMatch(message);
    expect(ran.err).not.toMatch(/Traceback|File "/);
  });

  it.each([
    ['at its import', 'class Mixer', 'raise KeyboardInterrupt\n\n\nclass Mixer'],
    ['in its constructor', 'super().__init__()\n', 'super().__init__()\n        raise KeyboardInterrupt\n'],
    ['in its forward', '        step = 1\n', '        raise KeyboardInterrupt\n'],
  ])('says the same of one that interrupts itself %s', async (_, anchor, interrupting) => {
    const text = readFileSync(`${programs}/honest/ema.py`, 'utf8');
    expect(text).toContain(anchor);
    const ran = await gate([fileOf(text.replace(anchor, interrupting)), '--rung', 'tiny']);
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err.trimEnd().split('\n')).toHaveLength(1);
    expect(ran.err).toContain('KeyboardInterrupt');
  });
});

describe('asi gate on a file with a byte order mark', () => {
  it('reads the text behind it, under the hash of that text', async () => {
    const text = readFileSync(`${programs}/honest/ema.py`, 'utf8');
    const read = async (content: string) => {
      const ran = await gate([fileOf(content), '--rung', 'tiny', '--json']);
      expect(ran, ran.err).toMatchObject({ exitCode: 0 });
      return JSON.parse(ran.out);
    };
    const [marked, plain] = [await read(`\uFEFF${text}`), await read(text)];
    expect(marked.programHash).toBe(plain.programHash);
    expect(marked.programHash).toBe(createHash('sha256').update(text).digest('hex'));
  });
});

const linkToItself = (): string => {
  const path = join(temporaryFolder(), 'loop.py');
  symlinkSync(path, path);
  return path;
};

describe('asi gate on a file that is no program', () => {
  it.each([
    ['a path without a file', () => join(temporaryFolder(), 'no.py'), 'there is no file'],
    ['a folder', () => temporaryFolder(), 'is not a file'],
    ['a link to itself', linkToItself, 'cannot be looked at (ELOOP)'],
    ['a name too long', () => join(temporaryFolder(), 'a'.repeat(300)), 'cannot be looked at (ENAMETOOLONG)'],
    ['an empty file', () => fileOf(''), 'is empty'],
    ['blank lines', () => fileOf('\n \n'), 'is empty'],
    ['a binary file', () => fileOf(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1])), 'is binary'],
    ['text that is not UTF-8', () => fileOf(Buffer.from([0x63, 0xe9, 0xff])), 'is not UTF-8 text'],
    ['50 MB', () => fileOf(Buffer.alloc(50_000_000, 0x20)), '50,000,000 bytes; a program may have 1,048,576'],
  ])('ends with one line on %s, before any Python starts', async (_, make, message) => {
    const path = make();
    const ran = await gate([path], { ASI_PYTHON: '/nowhere/python' });
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err.trimEnd().split('\n')).toHaveLength(1);
    expect(ran.err).toContain(`file.py: value "${path}"; right would be the path of a Python file with a class Mixer`);
    expect(ran.err).toContain(message);
  });

  it.each([
    [['--rung', 'huge'], 'huge'],
    [['--seed', '-1'], '--seed: value "-1"'],
    [['--cuts', '0'], '--cuts: value "0"'],
    [['--flops-limit', 'x'], '--flops-limit: value "x"'],
    [['--baseline', 'deltanett'], 'deltanett'],
  ])('refuses the option %j', async (words, message) => {
    const ran = await gate([fileOf('x = 1\n'), ...words]);
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toContain(message);
  });

  it('says that Python does not run, with the remedy', async () => {
    const ran = await gate([fileOf('x = 1\n')], { ASI_PYTHON: '/nowhere/python' });
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toContain('asi doctor');
    expect(ran.err).not.toContain('    at ');
  });
});
