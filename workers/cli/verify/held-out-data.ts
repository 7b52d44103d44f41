import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import { ZodError } from 'zod';
import type { BundleRecord } from '../../../services/export/bundle-record.ts';
import { type DataManifest, type DataSource, dataManifestSchema } from '../../../workflows/contracts/data.ts';
import { prepareData } from '../../activities/open-campaign.ts';
import type { Config } from '../../config.ts';

/** mismatch: the text is here, and it is not as the bundle tells. not-repeated: it cannot be had here. */
export type HeldOutData =
  | { readonly ok: true; readonly data: DataManifest }
  | { readonly ok: false; readonly state: 'mismatch' | 'not-repeated'; readonly why: string };

/**
 * The held-out text that the bundle's rows were measured on: as this home holds it, or prepared once more from its source when that gives the
 * same hash. `folder` is where a user's own text lies here, if that is known: a bundle tells only its name.
 */
export const findHeldOutData = async (
  config: Config,
  { data, settings, versions }: BundleRecord['campaign'],
  folder: string | null,
): Promise<HeldOutData> => {
  const dataFolder = join(config.home, 'data');
  const judgeFolder = join(config.home, 'judge');
  const known = await readKnown(join(dataFolder, data.hash));
  if (known !== null && existsSync(join(judgeFolder, 'data', data.hash))) return asTold(data, known);
  const source = sourceHere(data.source, folder);
  if (source === null)
    return {
      ok: false,
      state: 'not-repeated',
      why: `this home does not hold the text, which came from a folder named "${data.source.kind === 'folder' ? data.source.path : ''}"; --data-folder names a copy of it`,
    };
  try {
    const prepared = await prepareData({ python: config.python, dataFolder, judgeFolder }, { data: source, rung: settings.rung });
    if (prepared.hash === data.hash) return asTold(data, prepared);
    const hint = source.kind === 'stdlib' ? `; the bundle's Python was ${versions.python ?? 'not recorded'}` : '';
    return {
      ok: false,
      state: 'not-repeated',
      why: `the text prepared here has hash ${prepared.hash.slice(0, 12)}, that of the bundle has ${data.hash.slice(0, 12)}${hint}`,
    };
  } catch (error) {
    if (error instanceof ApplicationFailure) return { ok: false, state: 'not-repeated', why: error.message };
    throw error;
  }
};

/** The manifest of a text that this home has prepared; null where there is none that can be read. */
const readKnown = async (folder: string): Promise<DataManifest | null> => {
  try {
    return dataManifestSchema.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
  } catch (error) {
    const isUnknown = error instanceof SyntaxError || error instanceof ZodError || (error instanceof Error && 'code' in error);
    if (isUnknown) return null;
    throw error;
  }
};

const facts = ['trainBytes', 'heldOutBytes', 'trainFiles', 'heldOutFiles', 'shards'] as const;

/** Sizes follow from the text, which the hash names. */
const asTold = (told: BundleRecord['campaign']['data'], found: DataManifest): HeldOutData => {
  const differ = facts.filter((fact) => JSON.stringify(told[fact]) !== JSON.stringify(found[fact]));
  if (differ.length === 0) return { ok: true, data: found };
  const words = differ.map(
    (fact) => `${fact} of the data is ${JSON.stringify(told[fact])}, and here ${JSON.stringify(found[fact])}`,
  );
  return { ok: false, state: 'mismatch', why: `record.json is altered: ${words.join('; ')}` };
};

const sourceHere = (source: DataSource, folder: string | null): DataSource | null => {
  if (source.kind === 'stdlib') return source;
  return folder === null ? null : { kind: 'folder', path: folder };
};
