import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exportBundle } from '../../../services/export/export-bundle.ts';
import { formatVersion } from '../../../services/export/manifest.ts';
import { exportedId, freshStores, storeExportable } from '../../support/exportable.ts';

/** Of the loader, the words of the card and the names of all keys; numbers and hashes are the fixture's and count for nothing. */
const digestOfFormat = (path: string): string => {
  const hash = createHash('sha256');
  for (const file of readdirSync(path).sort()) {
    const text = readFileSync(join(path, file), 'utf8');
    if (file.endsWith('.json')) hash.update(`${file} ${[...keysOf(JSON.parse(text))].sort().join(' ')}\n`);
    if (file === 'load.py') hash.update(text);
    if (file === 'MODEL_CARD.md') hash.update(text.replaceAll(/[0-9a-f]{64}|\d+/g, ''));
  }
  return hash.digest('hex').slice(0, 16);
};

const keysOf = (value: unknown, path = ''): ReadonlySet<string> =>
  typeof value !== 'object' || value === null
    ? new Set([path])
    : new Set(
        Object.entries(value).flatMap(([key, part]) => [...keysOf(part, Array.isArray(value) ? `${path}[]` : `${path}.${key}`)]),
      );

it('raises the version of the format whenever a bundle says something else', async () => {
  const stores = freshStores();
  const doubts = [{ metric: 'bits-per-byte', reason: 'too good', outcome: 'held', detail: 'on fresh data too' }] as const;
  await storeExportable(stores, { experiment: { doubts: [...doubts] } });
  const { path } = await exportBundle({ ...stores, experimentId: exportedId, folder: join(stores.folder, 'bundles') });
  // Verification makes a bundle again and compares: with other texts under the same version, honest bundles of before would fail. If
  // this one fails, raise `formatVersion` and note the new digest; a version that was never released may just take the new digest.
  expect({ formatVersion, digest: digestOfFormat(path) }).toEqual({ formatVersion: 6, digest: '020678953e56c018' });
});
