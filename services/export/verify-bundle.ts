import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { hashSchema } from '../../workflows/contracts/architecture.ts';

export const manifestName = 'manifest.json';
/** A manifest may come from anywhere: its names stay inside the bundle. */
const fileNameSchema = z.string().regex(/^(?!\.)[A-Za-z0-9_.-]+(\/(?!\.)[A-Za-z0-9_.-]+)*$/);

export const manifestSchema = z.strictObject({
  format: z.literal('asi-arch-bundle'),
  version: z.literal(1),
  experimentId: z.string(),
  name: z.string(),
  files: z.record(fileNameSchema, z.strictObject({ sha256: hashSchema, bytes: z.int().min(0) })),
});
export type Manifest = z.infer<typeof manifestSchema>;

export interface BundleProblem {
  readonly file: string;
  /** unreadable: of the manifest, or something that is no plain file. unexpected: not in the manifest. */
  readonly problem: 'altered' | 'missing' | 'unexpected' | 'unreadable';
  readonly detail: string;
}
export type Verification =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problems: readonly BundleProblem[] };

/** Compares every file of a bundle with its manifest. Covers accident and careless edits: whoever can write the folder can write the manifest too. */
export const verifyBundle = async (folder: string): Promise<Verification> => {
  const found = await readManifest(folder);
  if (!found.ok) return found;
  const { manifest } = found;
  const present = await listFiles(folder);
  const problems: BundleProblem[] = [];
  for (const [file, expected] of Object.entries(manifest.files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const kind = present.get(file);
    if (kind === undefined) problems.push({ file, problem: 'missing', detail: 'the manifest names it, but it is not there' });
    else if (kind !== 'file') problems.push({ file, problem: 'unreadable', detail: 'it is not a plain file' });
    else {
      const sha256 = await hashFile(join(folder, file));
      if (sha256 !== expected.sha256)
        problems.push({ file, problem: 'altered', detail: `its SHA-256 is ${sha256}; the manifest says ${expected.sha256}` });
    }
  }
  for (const file of [...present.keys()].sort())
    if (file !== manifestName && !(file in manifest.files))
      problems.push({ file, problem: 'unexpected', detail: 'the manifest does not name it' });
  return problems.length === 0 ? { ok: true, manifest } : { ok: false, problems };
};

/** SHA-256 of a file's bytes, streaming. */
export const hashFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
};

const readManifest = async (folder: string): Promise<Verification> => {
  const refuse = (problem: BundleProblem['problem'], detail: string): Verification => ({
    ok: false,
    problems: [{ file: manifestName, problem, detail }],
  });
  let text: string;
  try {
    text = await readFile(join(folder, manifestName), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return refuse('missing', `${folder} holds no ${manifestName}, so it is no bundle`);
    throw error;
  }
  try {
    return { ok: true, manifest: manifestSchema.parse(JSON.parse(text)) };
  } catch (error) {
    const said = error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : String(error);
    return refuse('unreadable', said);
  }
};

const listFiles = async (folder: string): Promise<ReadonlyMap<string, 'file' | 'other'>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => [
        join(entry.parentPath, entry.name).slice(folder.length).replace(/^\/+/, ''),
        entry.isFile() ? ('file' as const) : ('other' as const),
      ]),
  );
};
