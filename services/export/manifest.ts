import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { hashSchema } from '../../workflows/contracts/architecture.ts';
import { experimentIdSchema } from '../../workflows/contracts/ids.ts';
import { canonicalJson, recordName } from './bundle-record.ts';
import { listsName } from './score-lists.ts';

export const manifestName = 'manifest.json';
export const programName = 'mixer.py';
export const weightsName = 'weights.safetensors';
/** Every snapshot that was scored; weights.safetensors holds the last of them under the names that load.py wants. */
export const checkpointName = 'checkpoint.safetensors';

/** Rises whenever other files, or other texts of the same records, are written: verification makes them again and compares. */
export const formatVersion = 6;

/** What every bundle holds beside its manifest and its kernels. */
export const bundleNames = [
  'MODEL_CARD.md',
  'analysis.json',
  checkpointName,
  'gates.json',
  'genome.json',
  'lineage.json',
  listsName,
  'load.py',
  programName,
  'model.json',
  'recipe.json',
  recordName,
  'scores.json',
  'settings.json',
  weightsName,
] as const;
export const kernelName = (hash: string): string => `kernels/${hash}.py`;

const isBundleName = (name: string): boolean =>
  (bundleNames as readonly string[]).includes(name) || /^kernels\/[0-9a-f]{64}\.py$/.test(name);

const manifestSchema = z.strictObject({
  format: z.literal('asi-arch-bundle'),
  version: z.literal(formatVersion),
  experimentId: experimentIdSchema,
  name: z.string(),
  files: z.record(
    z.string().refine(isBundleName, 'no bundle holds a file of this name'),
    z.strictObject({ sha256: hashSchema, bytes: z.int().min(0) }),
  ),
});
export type Manifest = z.infer<typeof manifestSchema>;
const otherVersionSchema = z.looseObject({ format: z.literal('asi-arch-bundle'), version: z.int() });

export interface BundleProblem {
  readonly file: string;
  /**
   * unreadable: not what its schema says, or something that is no plain file. unexpected: not in the manifest. other-version: a bundle of another
   * format, which this version does not check.
   */
  readonly problem: 'altered' | 'missing' | 'unexpected' | 'unreadable' | 'other-version';
  readonly detail: string;
}
export type ReadManifest =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problems: readonly BundleProblem[] };

/** The one text of a manifest: files by name, keys in the order of the schema. */
export const manifestText = (manifest: Manifest): string => {
  const files = Object.entries(manifest.files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return canonicalJson(manifestSchema.parse({ ...manifest, files: Object.fromEntries(files) }));
};

/** Reads a manifest that may come from anywhere: strict schema, and not a byte but those that writing it again would give. */
export const readManifest = async (folder: string): Promise<ReadManifest> => {
  const refuse = (problem: BundleProblem['problem'], detail: string): ReadManifest => ({
    ok: false,
    problems: [{ file: manifestName, problem, detail }],
  });
  const path = join(folder, manifestName);
  const kind = await plainFile(path);
  if (kind === 'missing') return refuse('missing', `${folder} holds no ${manifestName}, so it is no bundle`);
  if (kind === 'other') return refuse('unreadable', 'it is not a plain file');
  const bytes = await readFile(path);
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refuse('unreadable', `it is not JSON: ${error.message}`);
  }
  const manifest = manifestSchema.safeParse(parsed);
  if (!manifest.success) {
    const other = otherVersionSchema.safeParse(parsed);
    if (other.success && other.data.version !== formatVersion)
      return refuse(
        'other-version',
        `its version is ${other.data.version}; this version of asi-arch checks version ${formatVersion}. Export the experiment again`,
      );
    return refuse('unreadable', z.prettifyError(manifest.error));
  }
  const canonical = Buffer.from(manifestText(manifest.data));
  if (bytes.equals(canonical)) return { ok: true, manifest: manifest.data };
  return refuse('altered', `it is not written as asi-arch writes it, from byte ${firstDifference(bytes, canonical)} on`);
};

/** What lies at a path, without following a link. */
export const plainFile = async (path: string): Promise<'file' | 'other' | 'missing'> => {
  try {
    return (await lstat(path)).isFile() ? 'file' : 'other';
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return 'missing';
    throw error;
  }
};

/** SHA-256 of a file's bytes, streaming. */
export const hashFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
};

/** Position of the first byte that two texts do not share. */
export const firstDifference = (a: Uint8Array, b: Uint8Array): number => {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) if (a[at] !== b[at]) return at;
  return shorter;
};
