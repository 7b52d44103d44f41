import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import type { BundleRecord } from '../../../services/export/bundle-record.ts';
import type { DataManifest, DataSource } from '../../../workflows/contracts/data.ts';
import { prepareData } from '../../activities/open-campaign.ts';
import type { Config } from '../../config.ts';

export type HeldOutData = { readonly ok: true; readonly data: DataManifest } | { readonly ok: false; readonly why: string };

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
  const manifest: DataManifest = { ...data, folder: join(dataFolder, data.hash) };
  if (existsSync(join(judgeFolder, 'data', data.hash))) return { ok: true, data: manifest };
  const source = sourceHere(data.source, folder);
  if (source === null)
    return {
      ok: false,
      why: `this home does not hold the text, which came from a folder named "${data.source.kind === 'folder' ? data.source.path : ''}"; --data-folder names a copy of it`,
    };
  try {
    const prepared = await prepareData({ python: config.python, dataFolder, judgeFolder }, { data: source, rung: settings.rung });
    if (prepared.hash === data.hash) return { ok: true, data: prepared };
    const hint = source.kind === 'stdlib' ? `; the bundle's Python was ${versions.python ?? 'not recorded'}` : '';
    return {
      ok: false,
      why: `the text prepared here has hash ${prepared.hash.slice(0, 12)}, that of the bundle has ${data.hash.slice(0, 12)}${hint}`,
    };
  } catch (error) {
    if (error instanceof ApplicationFailure) return { ok: false, why: error.message };
    throw error;
  }
};

const sourceHere = (source: DataSource, folder: string | null): DataSource | null => {
  if (source.kind === 'stdlib') return source;
  return folder === null ? null : { kind: 'folder', path: folder };
};
