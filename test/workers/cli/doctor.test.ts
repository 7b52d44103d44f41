import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { runAsi, seededHome } from './run-asi.ts';

interface Row {
  readonly name: string;
  readonly status: string;
  readonly version: string | null;
  readonly found: string;
  readonly remedy: string | null;
}
const rowsOf = (text: string): ReadonlyMap<string, Row> =>
  new Map((JSON.parse(text) as readonly Row[]).map((row) => [row.name, row]));
const python = process.env.ASI_PYTHON;

describe('asi doctor', () => {
  it('lists every dependency with its version', async () => {
    const env = {
      ASI_PYTHON: python,
      ASI_CACHE: process.env.ASI_CACHE,
      TEMPORAL_CLI: process.env.TEMPORAL_CLI ?? process.env.ASI_TEMPORAL,
    };
    const ran = await runAsi(['doctor', '--json'], { home: await seededHome(), env });
    const rows = rowsOf(ran.out);
    expect([...rows.keys()]).toEqual([
      'Node.js',
      'npm packages',
      'Python',
      'Temporal',
      'asi_kernels',
      'sandbox',
      'state folder',
      'archive',
      'stack',
    ]);
    expect(rows.get('Node.js')).toMatchObject({ status: 'ok', version: process.versions.node, remedy: null });
    expect(rows.get('npm packages')?.status).toBe('ok');
    expect(rows.get('asi_kernels')?.version).toMatch(/^torch \d/);
    expect(rows.get('archive')).toMatchObject({ status: 'ok', version: '1 campaign' });
    expect(rows.get('stack')?.status).toBe('note');
  }, 60_000);

  it('names what is missing with the remedy and ends with exit code 1', async () => {
    const home = temporaryFolder();
    const broken = join(home, 'python');
    writeFileSync(broken, '#!/bin/sh\necho "ModuleNotFoundError: No module named torch" >&2\nexit 1\n');
    chmodSync(broken, 0o755);
    const ran = await runAsi(['doctor'], { home, env: { ASI_PYTHON: broken, TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    expect(ran.exitCode).toBe(1);
    expect(ran.out).toMatch(/^missing {2}Python/m);
    expect(ran.out).toContain('No module named torch');
    // The set-up would not touch an interpreter that somebody named.
    const [ofPython, ofPackage] = ['Python', 'asi_kernels'].map(
      (name) => new RegExp(`^missing {2}${name}[\\s\\S]*?remedy: (.*)$`, 'm').exec(ran.out)?.[1],
    );
    expect(ofPython).toContain('unset ASI_PYTHON');
    expect(ofPackage).toBe(ofPython);
    expect(ran.out).toMatch(/^missing {2}stack/m);
    expect(ran.err).toMatch(/^missing: .*Python.*asi_kernels.*stack/);
  }, 60_000);

  it('says of a variable that is wrong to set that one right', async () => {
    const ran = await runAsi(['doctor', '--json'], { home: temporaryFolder(), env: { ASI_TEMPORAL_PORT: '99999' } });
    expect(ran.exitCode).toBe(1);
    expect(rowsOf(ran.out).get('environment')).toMatchObject({
      found: expect.stringContaining('ASI_TEMPORAL_PORT: value "99999"; right would be a port'),
      remedy: 'set what it names to what would be right, or unset it',
    });
  });

  it('makes no state folder where there is none', async () => {
    const home = join(temporaryFolder(), 'not', 'yet');
    const ran = await runAsi(['doctor', '--json'], { home });
    expect(rowsOf(ran.out).get('state folder')).toMatchObject({
      status: 'ok',
      found: `none yet; the first campaign makes ${home}`,
    });
    expect(existsSync(join(home, '..'))).toBe(false);
  }, 60_000);

  it('says that the state folder cannot be written', async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, 'file'), '');
    const ran = await runAsi(['doctor', '--json'], { home: join(home, 'file', 'below') });
    expect(rowsOf(ran.out).get('state folder')).toMatchObject({ status: 'missing', remedy: 'set ASI_HOME to a folder of yours' });
  }, 60_000);
});
