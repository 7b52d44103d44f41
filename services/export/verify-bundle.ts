import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BundleProblem, bundleNames, hashFile, type Manifest, manifestName, readManifest } from './manifest.ts';

export type Verification =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problems: readonly BundleProblem[] };

/**
 * Compares a folder with its manifest both ways: every file there and as it says, nothing else there, no link. Covers accident and careless
 * edits: whoever can write the folder can write the manifest too, and then `checkClaims` and what follows it must tell.
 */
export const verifyBundle = async (folder: string): Promise<Verification> => {
  const found = await readManifest(folder);
  if (!found.ok) return found;
  const { manifest } = found;
  const present = await listEntries(folder);
  const problems: BundleProblem[] = [];
  for (const [file, expected] of Object.entries(manifest.files)) {
    const problem = await compare(folder, { file, kind: present.get(file), expected });
    if (problem !== null) problems.push(problem);
  }
  for (const file of bundleNames)
    if (!Object.hasOwn(manifest.files, file))
      problems.push({ file, problem: 'missing', detail: 'every bundle holds it, and the manifest does not name it' });
  for (const file of [...present.keys()].sort())
    if (file !== manifestName && !Object.hasOwn(manifest.files, file))
      problems.push({ file, problem: 'unexpected', detail: 'the manifest does not name it' });
  return problems.length === 0 ? { ok: true, manifest } : { ok: false, problems };
};

interface Listed {
  readonly file: string;
  readonly kind: 'file' | 'other' | undefined;
  readonly expected: Manifest['files'][string];
}

const compare = async (folder: string, { file, kind, expected }: Listed): Promise<BundleProblem | null> => {
  if (kind === undefined) return { file, problem: 'missing', detail: 'the manifest names it, but it is not there' };
  if (kind !== 'file') return { file, problem: 'unreadable', detail: 'it is not a plain file' };
  const { size } = await lstat(join(folder, file));
  if (size !== expected.bytes) return { file, problem: 'altered', detail: `it has ${size} bytes; ${says(expected.bytes)}` };
  const sha256 = await hashFile(join(folder, file));
  if (sha256 === expected.sha256) return null;
  return { file, problem: 'altered', detail: `its SHA-256 is ${sha256}; ${says(expected.sha256)}` };
};

/** Nothing tells which of the two was changed. */
const says = (expected: number | string): string =>
  `${manifestName} says ${expected}, so this file or ${manifestName} is altered`;

/** Everything below a folder but folders that hold something; links are not followed. */
const listEntries = async (folder: string): Promise<ReadonlyMap<string, 'file' | 'other'>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const parents = new Set(entries.map(({ parentPath }) => parentPath));
  return new Map(
    entries
      .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
      .filter(({ entry, path }) => !entry.isDirectory() || !parents.has(path))
      .map(({ entry, path }) => [
        path.slice(folder.length).replace(/^\/+/, ''),
        entry.isFile() ? ('file' as const) : ('other' as const),
      ]),
  );
};
