import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FolderError, makeFolder, missingFolders } from '../../../services/storage/make-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('makeFolder', () => {
  it('makes every missing level, and is content with a folder that is there', () => {
    const path = join(temporaryFolder(), 'a', 'b', 'c');
    makeFolder(path);
    makeFolder(path);
    expect(missingFolders(path)).toEqual([]);
  });

  it('names the file that stands in the way, and makes nothing', () => {
    const folder = temporaryFolder();
    const file = join(folder, 'plain');
    writeFileSync(file, '');
    const attempt = () => makeFolder(join(file, 'x', 'y'));
    expect(attempt).toThrow(FolderError);
    expect(attempt).toThrow(`${file} is a file, not a folder`);
  });

  it.runIf(existsSync('/proc/self'))('ends at once where every new folder is answered with ENOENT', () => {
    expect(() => makeFolder('/proc/x/y')).toThrow('/proc/x cannot be made (ENOENT');
  });
});
