import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifestName } from '../../../services/export/verify-bundle.ts';
import { makeRecordedCampaign } from '../../support/recorded-campaign.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { runAsi } from './run-asi.ts';

const env = { ASI_PYTHON: process.env.ASI_PYTHON ?? 'python3' };

/** One real experiment, trained on a text folder, scored by the judge of its home. */
let home: string;
let bundle: string;
let experimentId: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'asi-verify-'));
  ({ bundle, experimentId } = await makeRecordedCampaign(home));
}, 120_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

const verify = (words: readonly string[], ofHome = home) => runAsi(['verify', ...words], { home: ofHome, env });
const stepsOf = (out: string): Readonly<Record<string, string>> =>
  Object.fromEntries(JSON.parse(out).steps.map(({ step, state }: { step: string; state: string }) => [step, state]));

const copy = (): string => {
  const path = join(temporaryFolder(), 'bundle');
  cpSync(bundle, path, { recursive: true });
  return path;
};

/** What a careful forger does: alters a file and writes its hash into the manifest. */
const forge = (path: string, file: string, change: (text: string) => string): void => {
  const text = change(readFileSync(join(path, file), 'utf8'));
  writeFileSync(join(path, file), text);
  const manifest = JSON.parse(readFileSync(join(path, manifestName), 'utf8'));
  manifest.files[file] = { sha256: createHash('sha256').update(text).digest('hex'), bytes: Buffer.byteLength(text) };
  writeFileSync(join(path, manifestName), JSON.stringify(manifest));
};

describe('asi verify', { timeout: 120_000 }, () => {
  it('does everything again in the home that measured it, for an experiment by its id', async () => {
    const ran = await verify([experimentId]);
    expect(ran, ran.out).toMatchObject({ exitCode: 0 });
    expect(ran.out).toContain(experimentId);
    for (const step of ['files', 'claims', 'gates', 'seals', 'record', 'scores'])
      expect(ran.out).toMatch(new RegExp(`^  ${step} +verified`, 'm'));
    expect(ran.out).toMatch(/search +bits per byte +\S+ +\S+ +0\.0e\+0/);
    expect(readdirSync(join(home, 'work', 'verify'))).toEqual([]);
  });

  it('fails on one altered byte in any file and names the file', async () => {
    for (const file of readdirSync(bundle)) {
      const path = copy();
      const bytes = readFileSync(join(path, file));
      const at = Math.floor(bytes.length / 2);
      bytes.writeUInt8((bytes.readUInt8(at) + 1) % 256, at);
      writeFileSync(join(path, file), bytes);
      const ran = await verify([path, '--json']);
      expect([file, ran.exitCode]).toEqual([file, 1]);
      // A byte of the manifest itself may be in the hash of another file, which it then names.
      if (file !== manifestName)
        expect(JSON.parse(ran.out).steps[0]).toMatchObject({ step: 'files', detail: expect.stringContaining(file) });
    }
  });

  it('names what is missing and what is too much', async () => {
    const path = copy();
    rmSync(join(path, 'genome.json'));
    writeFileSync(join(path, 'notes.txt'), '');
    const { exitCode, out } = await verify([path, '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(out).steps[0].detail).toMatch(/genome\.json is missing.*notes\.txt is unexpected/);
  });

  it('tells a score that was improved and put into the manifest, by its seal, the archive and the judge', async () => {
    const path = copy();
    forge(path, 'scores.json', (text) => {
      const value = JSON.parse(text);
      for (const row of value.experiment.scores) if (row.metric === 'bits-per-byte') row.value -= 0.5;
      return JSON.stringify(value);
    });
    const { exitCode, out } = await verify([path, '--json']);
    expect(exitCode).toBe(1);
    expect(stepsOf(out)).toMatchObject({ files: 'verified', seals: 'mismatch', record: 'mismatch', scores: 'mismatch' });
  });

  it('tells another program under the same rows', async () => {
    const path = copy();
    forge(path, 'mixer.py', (text) => `${text}\n# a word more\n`);
    const { exitCode, out } = await verify([path, '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(out).steps.at(-1)).toMatchObject({
      step: 'claims',
      detail: expect.stringContaining('mixer.py is altered'),
    });
  });

  it('says in another home what cannot be repeated there', async () => {
    const { exitCode, out } = await verify([bundle, '--json'], temporaryFolder());
    expect(exitCode).toBe(3);
    expect(stepsOf(out)).toEqual({
      files: 'verified',
      claims: 'verified',
      gates: 'verified',
      seals: 'not-repeated',
      scores: 'not-repeated',
    });
    expect(JSON.parse(out).steps.at(-1).detail).toContain('--data-folder names a copy of it');
  });

  it('scores again in another home that is given the text, and says whose the seals are', async () => {
    const other = temporaryFolder();
    const { exitCode, out } = await verify([bundle, '--json', '--data-folder', join(home, 'texts')], other);
    expect(exitCode).toBe(3);
    expect(stepsOf(out)).toMatchObject({ gates: 'verified', seals: 'not-repeated', scores: 'verified' });
  });

  it('does not take another text for the one of the bundle', async () => {
    const texts = temporaryFolder();
    for (let file = 0; file < 60; file++) writeFileSync(join(texts, `${file}.txt`), `other line ${file}\n`.repeat(400));
    const { exitCode, out } = await verify([bundle, '--json', '--data-folder', texts], temporaryFolder());
    expect(exitCode).toBe(3);
    expect(JSON.parse(out).steps.at(-1)).toMatchObject({ state: 'not-repeated', detail: expect.stringContaining('has hash') });
  });
});

describe('asi verify on what is no bundle', () => {
  it.each([
    ['a folder without a manifest', () => temporaryFolder(), 'holds no manifest.json'],
    ['a file', () => join(bundle, 'mixer.py'), 'is not a folder'],
    ['an id that nothing has', () => 'c-none/e0001', 'there is none with id "c-none"'],
  ])('ends with one line on %s', async (_, given, message) => {
    const ran = await verify([given()]);
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toContain(message);
  });

  it('says that this home has no archive', async () => {
    const ran = await verify(['e0001'], temporaryFolder());
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toContain('this home has no archive');
  });
});
