import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFolderArtifacts } from '../../../services/artifacts/folder-artifacts.ts';
import { asNobody, inChild } from '../../support/in-child.ts';
import { artifactsSuite } from '../../support/suites/artifacts-suite.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const module = new URL('../../../services/artifacts/folder-artifacts.ts', import.meta.url).href;
const pathIn = (folder: string, hash: string): string => join(folder, hash.slice(0, 2), hash);

artifactsSuite('a folder', async () => {
  const folder = join(temporaryFolder(), 'artifacts');
  return {
    open: async () => openFolderArtifacts(folder),
    damage: async (hash) => {
      chmodSync(pathIn(folder, hash), 0o644);
      writeFileSync(pathIn(folder, hash), 'WEIGHTS');
    },
  };
});

describe('a folder of artifacts', () => {
  it('holds read-only files, and nothing aside when it is done', async () => {
    const folder = temporaryFolder();
    const artifacts = openFolderArtifacts(folder);
    const hash = await artifacts.put('bytes');
    await artifacts.put('bytes');
    expect(statSync(pathIn(folder, hash)).mode & 0o777).toBe(0o444);
    expect(readdirSync(join(folder, 'aside'))).toEqual([]);
  });

  it('does not wait for a FIFO that stands where a file should', async () => {
    const folder = temporaryFolder();
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    await expect(openFolderArtifacts(join(folder, 'store')).putFile(join(folder, 'fifo'))).rejects.toThrow(/FIFO/);
  });

  it('clears what a process that died long ago left aside, and nothing of a process at work', () => {
    const folder = temporaryFolder();
    openFolderArtifacts(folder);
    for (const name of ['old', 'new']) writeFileSync(join(folder, 'aside', name), 'half');
    const longAgo = Date.now() / 1000 - 48 * 3600;
    utimesSync(join(folder, 'aside', 'old'), longAgo, longAgo);
    openFolderArtifacts(folder);
    expect(readdirSync(join(folder, 'aside'))).toEqual(['new']);
  });

  it('says that a full disk took no bytes, and leaves nothing half written', async () => {
    const folder = temporaryFolder();
    const program = `
      import { openFolderArtifacts } from '${module}';
      try { await openFolderArtifacts('${folder}').put(Buffer.alloc(2_000_000, 'x')); }
      catch (error) { console.log(JSON.stringify([error.name, error.reason, error.path])); }`;
    expect(await inChild(program, { wrap: ['bash', '-c', 'ulimit -f 600; exec "$0" "$@"'] })).toEqual([
      'ArtifactsUnavailableError',
      'disk-full',
      folder,
    ]);
    expect(readdirSync(folder)).toEqual(['aside']);
    expect(readdirSync(join(folder, 'aside'))).toEqual([]);
  });

  it('says that this user may not write there', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o555);
    const program = `
      import { openFolderArtifacts } from '${module}';
      ${asNobody}
      try { openFolderArtifacts('${join(folder, 'store')}'); }
      catch (error) { console.log(JSON.stringify([error.name, error.reason, error.message])); }`;
    expect(await inChild(program)).toEqual([
      'ArtifactsUnavailableError',
      'no-permission',
      expect.stringContaining(`The artifacts folder ${join(folder, 'store')} cannot be used`),
    ]);
    chmodSync(folder, 0o755);
    expect(existsSync(join(folder, 'store'))).toBe(false);
  });
});
