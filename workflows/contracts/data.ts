import * as z from 'zod';

/** Where training text comes from. The split is by hash of each file's content, so that no file is on both sides. */
export const dataSourceSchema = z.discriminatedUnion('kind', [
  /** The Python standard library's source of the locked interpreter. */
  z.strictObject({ kind: z.literal('stdlib') }),
  /** Every readable UTF-8 text file below a folder. */
  z.strictObject({ kind: z.literal('folder'), path: z.string().min(1) }),
]);
export type DataSource = z.infer<typeof dataSourceSchema>;

const shardSchema = z.strictObject({ bytes: z.int().min(0), files: z.int().min(0) });

/** Facts about prepared data; hash covers the bytes of all parts and the split rule. */
export const dataManifestSchema = z.strictObject({
  source: dataSourceSchema,
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  trainBytes: z.int().min(0),
  /** Of the three shards together. */
  heldOutBytes: z.int().min(0),
  trainFiles: z.int().min(0),
  heldOutFiles: z.int().min(0),
  /** Held-out parts by the score set that reads them. They lie in the judge's folder alone. */
  shards: z.strictObject({ search: shardSchema, promotion: shardSchema, champion: shardSchema }),
  /** Folder that holds train.bin and manifest.json. */
  folder: z.string(),
});
export type DataManifest = z.infer<typeof dataManifestSchema>;
