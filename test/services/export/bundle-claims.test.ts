import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkClaims } from '../../../services/export/bundle-claims.ts';
import type { BundleRecord } from '../../../services/export/bundle-record.ts';
import { exportBundle } from '../../../services/export/export-bundle.ts';
import { bundleNames, formatVersion, manifestName } from '../../../services/export/manifest.ts';
import { verifyBundle } from '../../../services/export/verify-bundle.ts';
import type { Score } from '../../../workflows/contracts/score.ts';
import { aHash } from '../../support/builders.ts';
import { freshStores } from '../../support/exportable.ts';
import { forgeFile, forgeRecord, recordOf } from '../../support/forge-bundle.ts';
import { storeJudgedCampaign, winnerId } from '../../support/judged-campaign.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let honest: string;
beforeAll(async () => {
  const stores = freshStores(mkdtempSync(join(tmpdir(), 'asi-judged-')));
  await storeJudgedCampaign(stores);
  ({ path: honest } = await exportBundle({ ...stores, experimentId: winnerId, folder: join(stores.folder, 'bundles') }));
});

afterAll(() => rmSync(join(honest, '..', '..'), { recursive: true, force: true }));

const copy = (): string => {
  const path = join(temporaryFolder(), 'bundle');
  cpSync(honest, path, { recursive: true });
  return path;
};

/** What a reader is told first: of the files, or of the claims where those are as the manifest says. */
const toldOf = async (path: string): Promise<readonly string[]> => {
  const files = await verifyBundle(path);
  const scratch = mkdtempSync(join(temporaryFolder(), 'scratch-'));
  const claims = files.ok ? await checkClaims(path, files.manifest, scratch) : files;
  return claims.ok ? [] : claims.problems.map(({ file, problem, detail }) => `${file} ${problem}: ${detail}`);
};

describe('an honest bundle', () => {
  it('contradicts nothing', async () => {
    expect(await toldOf(honest)).toEqual([]);
  });

  it('fails with one altered byte, wherever it is, and tells the file', async () => {
    for (const file of readdirSync(honest)) {
      const path = copy();
      const bytes = readFileSync(join(path, file));
      for (const at of offsets(bytes.length)) {
        const altered = Buffer.from(bytes);
        altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
        writeFileSync(join(path, file), altered);
        const told = await toldOf(path);
        expect(told, `${file} at ${at}`).not.toEqual([]);
        // A byte of the manifest may be in the hash of another file, which it then names.
        const named = file === manifestName ? [manifestName, ...bundleNames] : [file];
        expect(
          told.every((line) => named.some((name) => line.startsWith(`${name} `))),
          `${file} at ${at}: ${told.join()}`,
        ).toBe(true);
      }
    }
  });

  it('fails with a byte more or less, in every file', async () => {
    for (const file of readdirSync(honest))
      for (const change of [
        (bytes: Buffer) => bytes.subarray(0, -1),
        (bytes: Buffer) => Buffer.concat([bytes, Buffer.from(' ')]),
      ]) {
        const path = copy();
        writeFileSync(join(path, file), change(readFileSync(join(path, file))));
        expect(await toldOf(path)).toEqual([expect.stringMatching(new RegExp(`^${file} (altered|unreadable)`))]);
      }
  });
});

/** First and last byte, and a dozen spread between them. */
const offsets = (length: number): readonly number[] => [
  ...new Set([0, length - 1, ...Array.from({ length: 12 }, (_, index) => Math.floor((index * length) / 12))]),
];

describe('a bundle whose manifest was written anew', () => {
  it.each(bundleNames.filter((name) => !name.endsWith('.safetensors') && name !== 'lists.json'))(
    'tells that %s was altered under a hash that fits',
    async (file) => {
      const path = copy();
      forgeFile(path, file, (text) => `${text.slice(0, -1)} \n`);
      expect(await toldOf(path)).toEqual([expect.stringMatching(new RegExp(`^${file.replace('.', '\\.')} altered`))]);
    },
  );

  it('tells of weights that are not those of the checkpoint, and of another checkpoint', async () => {
    const other = copy();
    forgeFile(other, 'weights.safetensors', () => readFileSync(join(honest, 'checkpoint.safetensors'), 'latin1'));
    expect(await toldOf(other)).toEqual([
      expect.stringMatching(/^weights\.safetensors altered: they are not the last snapshots/),
    ]);
    const swapped = copy();
    forgeFile(swapped, 'checkpoint.safetensors', () => readFileSync(join(honest, 'weights.safetensors'), 'latin1'));
    expect((await toldOf(swapped))[0]).toMatch(/^checkpoint\.safetensors altered: its SHA-256 is/);
  });

  it('tells of another limit of the gates, in recipe.json', async () => {
    const path = copy();
    forgeFile(path, 'recipe.json', (text) => text.replace('"flopsLimit": 1.25', '"flopsLimit": 40'));
    expect(await toldOf(path)).toEqual([expect.stringMatching(/^recipe\.json altered/)]);
  });

  it.each<readonly [what: string, change: (text: string) => string, told: RegExp]>([
    ['a key more', (text) => text.replace('{', '{ "note": 1,'), /^manifest\.json unreadable/],
    ['other blanks', (text) => text.replace('\n  ', '\n   '), /^manifest\.json altered: .* from byte 4 on/],
    [
      'a file twice',
      (text) => text.replace('"files": {', '"files": {\n    "load.py": {"sha256": "", "bytes": 1},'),
      /^manifest\.json altered/,
    ],
    ['an escape', (text) => text.replace('c-test', 'c\\u002dtest'), /^manifest\.json altered/],
    ['a file left out', (text) => text.replace(/ {4}"load\.py": \{[^}]*\},\n/, ''), /^load\.py missing/],
    [
      'another experiment',
      (text) => text.replace('c-test/e0003', 'c-test/e0001'),
      /^manifest\.json altered: it is about c-test\/e0001/,
    ],
    ['another name', (text) => text.replace('fir 3', 'fir 5'), /^manifest\.json altered: its name is/],
    [
      'another size',
      (text) => text.replace(/("bytes": )(\d+)/, '$19$2'),
      /^MODEL_CARD\.md altered: it has \d+ bytes; manifest\.json says \d+, so this file or manifest\.json is altered$/,
    ],
    [
      'a file that no bundle holds',
      (text) => text.replace('"files": {', `"files": {\n    "toString": { "sha256": "${aHash()}", "bytes": 1 },`),
      /^manifest\.json unreadable/,
    ],
    [
      'an earlier format',
      (text) => text.replace(`"version": ${formatVersion}`, '"version": 1'),
      /^manifest\.json other-version: .*Export the experiment again/,
    ],
  ])('tells of a manifest with %s', async (_, change, told) => {
    const path = copy();
    const text = readFileSync(join(path, manifestName), 'utf8');
    expect(change(text)).not.toBe(text);
    writeFileSync(join(path, manifestName), change(text));
    expect((await toldOf(path))[0]).toMatch(told);
  });

  it('tells of an empty folder and of a file with the name of a property', async () => {
    const path = copy();
    mkdirSync(join(path, 'more'));
    writeFileSync(join(path, 'constructor'), '');
    expect(await toldOf(path)).toEqual([
      expect.stringMatching(/^constructor unexpected/),
      expect.stringMatching(/^more unexpected/),
    ]);
  });
});

const own = (change: (row: Score) => Score) => (record: BundleRecord) => ({ ...record, scores: record.scores.map(change) });

describe('a bundle that was made anew around another record', () => {
  it.each<readonly [what: string, change: (record: BundleRecord) => BundleRecord, told: RegExp]>([
    ['rows of another program', own((row) => ({ ...row, programHash: aHash('other') })), /is about program/],
    ['rows of other weights', own((row) => ({ ...row, checkpointHash: aHash('other') })), /is about checkpoint/],
    ['rows of other data', own((row) => ({ ...row, dataHash: aHash('other') })), /was measured on data/],
    ['rows of another seed', own((row) => ({ ...row, seed: row.seed + 1 })), /is no row of c-test\/e0003/],
    [
      'an exploring row called a confirming one',
      own((row) => (row.set === 'search' ? { ...row, set: 'promotion' } : row)),
      /of a trial that was run to explore/,
    ],
    [
      'one metric left out',
      (record) => ({ ...record, scores: record.scores.filter(({ metric }) => metric !== 'recall-auc') }),
      /there is bits-per-byte, recall-accuracy; right would be/,
    ],
    ['a row twice', (record) => ({ ...record, scores: [...record.scores, ...record.scores.slice(0, 1)] }), /right would be/],
    ['rows without their trial', (record) => ({ ...record, trials: record.trials.slice(1) }), /is of no scored trial/],
    [
      'a trial without rows',
      (record) => ({ ...record, scores: record.scores.filter(({ set }) => set !== 'search') }),
      /was scored and has no row/,
    ],
    [
      'a candidate that calls itself a baseline',
      (record) => ({ ...record, experiment: { ...record.experiment, kind: 'baseline' } }),
      /calls itself a baseline; the campaign has 2 baselines/,
    ],
    [
      'another number',
      (record) => ({ ...record, experiment: { ...record.experiment, number: 2 } }),
      /has number 2 of campaign c-test/,
    ],
    [
      'worse rows of a baseline in one place',
      (record) => ({
        ...record,
        noise: record.noise.map((one) => ({ ...one, scores: one.scores.map((row) => ({ ...row, value: row.value + 1 })) })),
      }),
      /are told in two ways/,
    ],
  ])('tells of %s', async (_, change, told) => {
    const path = copy();
    forgeRecord(path, change);
    expect((await toldOf(path)).join('\n')).toMatch(told);
    expect((await toldOf(path))[0]).toMatch(/^record\.json altered/);
  });

  it('takes champion rows of an exploring trial, as a result that was too good has them', async () => {
    const path = copy();
    const { trials, scores } = recordOf(path);
    const exploring = trials.filter(({ purpose }) => purpose === 'explore').map(({ id }) => id);
    expect(scores.filter(({ set, trialId }) => set === 'champion' && exploring.includes(trialId))).not.toEqual([]);
    expect((await toldOf(path)).filter((line) => line.startsWith('record.json'))).toEqual([]);
  });

  it('tells of a record with a key that no schema knows', async () => {
    const path = copy();
    forgeFile(path, 'record.json', (text) => text.replace('{', '{"note": 1,'));
    expect((await toldOf(path))[0]).toMatch(/^record\.json unreadable: .*note/);
  });
});
