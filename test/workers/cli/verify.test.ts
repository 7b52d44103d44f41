import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFolderArtifacts } from '../../../services/artifacts/folder-artifacts.ts';
import { type BundleRecord, canonicalJson } from '../../../services/export/bundle-record.ts';
import { sourceOf } from '../../../services/export/bundle-source.ts';
import { formatVersion, manifestName } from '../../../services/export/manifest.ts';
import { noiseFrom } from '../../../workers/activities/calibrate.ts';
import { fitnessFrom } from '../../../workers/activities/judge.ts';
import { ScoreTable } from '../../../workers/activities/score-table.ts';
import { checkSeals, type Seals } from '../../../workers/cli/verify/seals.ts';
import { readConfig } from '../../../workers/config.ts';
import { openJudge } from '../../../workers/roles/judge.ts';
import type { Score } from '../../../workflows/contracts/score.ts';
import type { ScoreList } from '../../../workflows/contracts/score-list.ts';
import { forgeFile, forgeRecord, forgeWeights, recordOf } from '../../support/forge-bundle.ts';
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

const detailOf = (out: string, wanted: string): string =>
  JSON.parse(out).steps.find(({ step }: { step: string }) => step === wanted)?.detail ?? '';

const copy = (): string => {
  const path = join(temporaryFolder(), 'bundle');
  cpSync(bundle, path, { recursive: true });
  return path;
};

/** A campaign of one exploring seed, told consistently. */
const withoutSeed = (record: BundleRecord, seed: number): BundleRecord =>
  withRows(record, (rows) => rows.filter((row) => row.seed !== seed), 1);
const lastSeed = (path: string): number => Math.max(...recordOf(path).scores.map(({ seed }) => seed));
/** With the weights of the seed that is left, should it not have been the best. */
const forgeWithout = async (path: string, seed: number): Promise<void> => {
  forgeRecord(path, (record) => withoutSeed(record, seed));
  await forgeWeights(path, openFolderArtifacts(join(home, 'artifacts'), { readOnly: true }));
};

const forgeLists = (path: string, seed: number): void =>
  forgeFile(path, 'lists.json', (text) => {
    const lists: ScoreList[] = JSON.parse(text);
    const isLeft = ({ trialId }: ScoreList['scorings'][number]): boolean => !trialId.endsWith(`/s${seed}`);
    return canonicalJson(lists.map((list) => ({ ...list, scorings: list.scorings.filter(isLeft) })));
  });

/** What a stranger's home says of seals and lists, without the gates and the scoring beside it. */
const sealsInAnotherHome = async (path: string): Promise<Seals['steps']> => {
  const config = readConfig({ ASI_HOME: temporaryFolder(), ...env });
  const source = sourceOf(recordOf(path));
  if (source === null) throw new Error('a forged record needs a scored trial');
  const judge = openJudge(config);
  return (await checkSeals({ config, judge }, path, source)).steps;
};

/** Rows of the record changed, fitness and noise floor made anew from them: everything in the bundle agrees with everything else. */
const withRows = (record: BundleRecord, change: (rows: readonly Score[]) => readonly Score[], seeds = 2): BundleRecord => {
  const scores = [...change(record.scores)];
  const table = new ScoreTable(scores);
  const campaign = { ...record.campaign, settings: { ...record.campaign.settings, exploreSeeds: seeds } };
  const noise = noiseFrom(campaign, table);
  const judged = fitnessFrom({ ...campaign, noise }, table, record.experiment.id);
  if (!judged.ok) throw new Error(judged.reason);
  const told = { fitness: judged.fitness.value, scores };
  return {
    ...record,
    campaign: { ...campaign, noise },
    experiment: { ...record.experiment, fitness: judged.fitness },
    trials: record.trials.filter(({ id }) => scores.some(({ trialId }) => trialId === id)),
    scores,
    baselines: record.baselines.map((baseline) => ({ ...baseline, ...told })),
    noise: record.noise.map((one) => ({ ...one, scores })),
  };
};

describe('asi verify', { timeout: 120_000 }, () => {
  it('does everything again in the home that measured it, for an experiment by its id', async () => {
    const ran = await verify([experimentId]);
    expect(ran, ran.out).toMatchObject({ exitCode: 0 });
    expect(ran.out).toContain(experimentId);
    for (const step of ['files', 'claims', 'figures', 'gates', 'seals', 'list', 'record', 'scores'])
      expect(ran.out).toMatch(new RegExp(`^  ${step} +verified`, 'm'));
    expect(ran.out).toMatch(/search +bits per byte +\S+ +\S+ +0\.0e\+0/);
    expect(readdirSync(join(home, 'work', 'verify'))).toEqual([]);
  });

  it('fails on a few altered bytes of any file, one at a time, and names the file', async () => {
    for (const file of readdirSync(bundle)) {
      const path = copy();
      const bytes = readFileSync(join(path, file));
      for (const share of [0, 0.3, 0.5, 0.9, 1]) {
        const altered = Buffer.from(bytes);
        const at = Math.min(bytes.length - 1, Math.floor(share * bytes.length));
        altered.writeUInt8((altered.readUInt8(at) + 1) % 256, at);
        writeFileSync(join(path, file), altered);
        const ran = await verify([path, '--json']);
        expect([file, at, ran.exitCode]).toEqual([file, at, 1]);
        // A byte of the manifest itself may be in the hash of another file, which it then names.
        const named = file === manifestName ? 'is ' : `${file} is `;
        expect(JSON.parse(ran.out).steps).toMatchObject([
          { step: 'files', state: 'mismatch', detail: expect.stringContaining(named) },
        ]);
      }
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

  it('tells improved scores under which everything was made anew, by seals, list, archive and judge', async () => {
    const path = copy();
    forgeRecord(path, (record) =>
      withRows(record, (rows) => rows.map((row) => (row.metric === 'bits-per-byte' ? { ...row, value: row.value - 0.5 } : row))),
    );
    const { exitCode, out } = await verify([path, '--json']);
    expect(exitCode).toBe(1);
    expect(stepsOf(out)).toMatchObject({
      files: 'verified',
      claims: 'verified',
      figures: 'verified',
      seals: 'mismatch',
      record: 'mismatch',
      scores: 'mismatch',
    });
    expect(detailOf(out, 'seals')).toMatch(/^record\.json is altered: .*bits-per-byte of c-test\/e0001\/tiny\/s1000/);
  });

  it('tells that a seed was left out, with all that would tell of it, by the list of the judge and by the archive', async () => {
    const path = copy();
    const dropped = lastSeed(path);
    await forgeWithout(path, dropped);
    const { exitCode, out } = await verify([path, '--json']);
    expect(exitCode).toBe(1);
    expect(stepsOf(out)).toMatchObject({ claims: 'verified', seals: 'verified', list: 'mismatch', record: 'mismatch' });
    expect(detailOf(out, 'list')).toContain(`scored c-test/e0001/tiny/s${dropped} on set search, and record.json leaves it out`);
    expect(detailOf(out, 'record')).toContain(`of c-test/e0001/tiny/s${dropped} on set search`);
    expect(detailOf(out, 'record')).toContain('is in the archive and not in record.json');
  });

  it('tells that a seed was left out of the list too, by the seal of the list and by what the judge remembers', async () => {
    const path = copy();
    const dropped = lastSeed(path);
    await forgeWithout(path, dropped);
    forgeLists(path, dropped);
    const { out } = await verify([path, '--json']);
    expect(detailOf(out, 'list')).toMatch(/lists\.json is altered.*record\.json leaves it out/);
  });

  it('tells a stranger of a seed that the list still holds, and cannot tell once that is forged too', async () => {
    const path = copy();
    await forgeWithout(path, lastSeed(path));
    const [seals, list] = await sealsInAnotherHome(path);
    expect([seals?.state, list?.state]).toEqual(['not-repeated', 'mismatch']);
    forgeLists(path, lastSeed(bundle));
    const [, forged] = await sealsInAnotherHome(path);
    expect(forged).toMatchObject({
      state: 'not-repeated',
      detail: expect.stringContaining('this home has no judge, whose key could tell whether the lists are genuine'),
    });
  });

  it('tells gates that were not what they are said to be, by running them', async () => {
    const path = copy();
    forgeRecord(path, (record) => ({
      ...record,
      experiment: {
        ...record.experiment,
        gates: record.experiment.gates.map((gate) => (gate.gate === 'flops' ? { ...gate, limit: 1000 } : gate)),
      },
    }));
    const { exitCode, out } = await verify([path, '--json'], temporaryFolder());
    expect(exitCode).toBe(1);
    expect(detailOf(out, 'gates')).toContain('gates.json is altered: limit of gate flops is 1000, run again 4');
  });

  it('tells words that nobody wrote, by the archive', async () => {
    const path = copy();
    forgeRecord(path, (record) => ({
      ...record,
      experiment: { ...record.experiment, proposal: { ...record.experiment.proposal, motivation: 'It beats everything.' } },
    }));
    const { exitCode, out } = await verify([path, '--json']);
    expect(exitCode).toBe(1);
    expect(detailOf(out, 'record')).toMatch(/MODEL_CARD\.md differs; .*record\.json differs/);
    expect(stepsOf(out)).toMatchObject({ claims: 'verified', seals: 'verified', list: 'verified', scores: 'verified' });
  });

  it.each(['mixer.py', 'load.py', 'MODEL_CARD.md', 'recipe.json'])('tells another %s under a hash that fits', async (file) => {
    const path = copy();
    forgeFile(path, file, (text) => `${text}\n`);
    const { exitCode, out } = await verify([path, '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(out).steps.at(-1)).toMatchObject({
      step: 'claims',
      detail: expect.stringContaining(`${file} is altered`),
    });
  });

  it('says of a bundle of an earlier format that it must be exported again', async () => {
    const path = copy();
    const manifest = JSON.parse(readFileSync(join(path, manifestName), 'utf8'));
    writeFileSync(join(path, manifestName), JSON.stringify({ ...manifest, version: 1 }));
    const ran = await verify([path]);
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toContain(`its version is 1; this version of asi-arch checks version ${formatVersion}`);
  });

  it('says in another home what cannot be repeated there', async () => {
    const { exitCode, out } = await verify([bundle, '--json'], temporaryFolder());
    expect(exitCode).toBe(3);
    expect(stepsOf(out)).toEqual({
      files: 'verified',
      claims: 'verified',
      figures: 'verified',
      gates: 'verified',
      seals: 'not-repeated',
      list: 'not-repeated',
      record: 'not-repeated',
      scores: 'not-repeated',
    });
    expect(JSON.parse(out).steps.at(-1).detail).toContain('--data-folder names a copy of it');
    expect(detailOf(out, 'record')).toContain('are what the bundle says');
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
