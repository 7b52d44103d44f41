import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainFileInside } from '../../../workers/activities/plain-file.ts';

let folder: string;
let inside: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'asi-plain-'));
  inside = join(folder, 'work');
  mkdirSync(inside);
  writeFileSync(join(folder, 'secret'), 'x');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a path that a result names', () => {
  it('is taken when it is a plain file inside the work folder', () => {
    writeFileSync(join(inside, 'final.safetensors'), 'x');
    expect(plainFileInside(inside, join(inside, 'final.safetensors'))).toMatch(/work\/final\.safetensors$/);
  });

  it('is refused when it lies outside, is missing, a folder, a symbolic link or a second name of another file', () => {
    symlinkSync(join(folder, 'secret'), join(inside, 'link'));
    linkSync(join(folder, 'secret'), join(inside, 'hard'));
    mkdirSync(join(inside, 'folder'));
    for (const name of ['../secret', 'missing', 'folder', 'link', 'hard'])
      expect(plainFileInside(inside, join(inside, name)), name).toBeNull();
  });
});
