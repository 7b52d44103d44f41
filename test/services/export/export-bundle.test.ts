import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CorruptArtifactError } from '../../../services/artifacts/artifacts.ts';
import { exportBundle } from '../../../services/export/export-bundle.ts';
import { listTensors } from '../../../services/export/safetensors.ts';
import { verifyBundle } from '../../../services/export/verify-bundle.ts';
import { aHash, anArchitecture, anExperiment, aScore, aTrial, aVerdict } from '../../support/builders.ts';
import { alter, checkpointBytes, exportedId, freshStores, type Stores, storeExportable } from '../../support/exportable.ts';

const files = [
  'MODEL_CARD.md',
  'analysis.json',
  'checkpoint.safetensors',
  'gates.json',
  'genome.json',
  'lineage.json',
  'lists.json',
  'load.py',
  'manifest.json',
  'mixer.py',
  'model.json',
  'recipe.json',
  'record.json',
  'scores.json',
  'settings.json',
  'weights.safetensors',
];

const exported = async (stores: Stores, experimentId = exportedId) =>
  exportBundle({ experimentId, folder: join(stores.folder, 'bundles'), archive: stores.archive, artifacts: stores.artifacts });
const bytesOf = (path: string): ReadonlyMap<string, string> =>
  new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'base64')]));
const read = (path: string, name: string) => JSON.parse(readFileSync(join(path, name), 'utf8'));

describe('a bundle', () => {
  it('holds every file that it should and verifies', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    const bundle = await exported(stores);
    expect(bundle).toEqual({ path: join(stores.folder, 'bundles', 'c-test-e0002'), files });
    expect(readdirSync(bundle.path).sort()).toEqual(files);
    expect(readdirSync(join(stores.folder, 'bundles'))).toEqual(['c-test-e0002']);
    expect(readFileSync(join(bundle.path, 'mixer.py'), 'utf8')).toBe('class Mixer: ...\n');
    expect(await verifyBundle(bundle.path)).toMatchObject({
      ok: true,
      manifest: { experimentId: exportedId, name: 'candidate 2' },
    });
  });

  it('holds the last snapshots of the best trial, by task and parameter', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    const { path } = await exported(stores);
    const weights = join(path, 'weights.safetensors');
    const tensors = await listTensors(weights);
    expect(tensors.map(({ name }) => name)).toEqual(['bytes/blocks.0.w', 'recall/blocks.0.w']);
    const bytes = readFileSync(weights);
    expect(bytes.length).toBe(8 + Number(bytes.readBigUInt64LE()) + 2 * 2 * 4);
    for (const { position } of tensors) expect([bytes.readFloatLE(position), bytes.readFloatLE(position + 4)]).toEqual([2, 10]);
    expect(read(path, 'recipe.json').seeds).toEqual({
      explore: [1, 2],
      confirm: [101],
      exported: { seed: 2, purpose: 'explore', trialId: 'c-test/e0002/tiny/s2', chosenBy: 'best bits-per-byte' },
    });
  });

  it('says how it was made, from what and against what', async () => {
    const stores = freshStores();
    await storeExportable(stores, { experiment: { verdict: aVerdict() } });
    const { path } = await exported(stores);
    expect(read(path, 'recipe.json')).toMatchObject({
      rung: { name: 'tiny' },
      data: { hash: aHash('data') },
      optimiser: { name: 'AdamW' },
    });
    expect(read(path, 'model.json').tasks).toMatchObject({
      bytes: { vocabulary: 256, hidden: 16, heads: 2, layers: 1, mlpHidden: 128 },
      recall: { vocabulary: 16 },
    });
    expect(read(path, 'lineage.json')).toMatchObject({
      ancestors: [{ id: 'c-test/e0001', name: 'deltanet' }],
      self: { id: exportedId },
    });
    expect(read(path, 'scores.json').experiment.scores).toHaveLength(6);
    expect(read(path, 'scores.json').baselines).toMatchObject([{ name: 'deltanet', scores: [{ value: 2.75 }] }]);
    expect(read(path, 'analysis.json').verdict).toEqual(aVerdict());
    expect(read(path, 'gates.json').gates).toHaveLength(1);
    const card = readFileSync(join(path, 'MODEL_CARD.md'), 'utf8');
    expect(card).toContain('# candidate 2');
    expect(card).toContain(`On fresh seeds: ${aVerdict().statement}`);
    expect(card).toContain('| bits per byte on held-out text (lower is better) | 2.5000 | 3 | deltanet | 2.7500 |');
    expect(card).toContain('## What is not claimed');
  });

  it('calls nothing better that was not confirmed', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    const card = readFileSync(join((await exported(stores)).path, 'MODEL_CARD.md'), 'utf8');
    expect(card).toContain('nothing was confirmed on fresh seeds and it is not called better than anything');
  });

  it('bears for good the mark of scores that nothing stood between the program and', async () => {
    const cardOf = async (tier: 'none' | 'S0P') => {
      const stores = freshStores();
      await storeExportable(stores, { tier });
      return readFileSync(join((await exported(stores)).path, 'MODEL_CARD.md'), 'utf8');
    };
    expect(await cardOf('none')).toContain('**Scored without a sandbox** (tier none, see `scores.json`)');
    expect(await cardOf('S0P')).not.toContain('without a sandbox');
  });

  it('does not tell where on a machine the data lay', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    for (const [name, content] of bytesOf((await exported(stores)).path))
      expect(Buffer.from(content, 'base64').toString('latin1'), name).not.toContain('alice');
  });

  it('tells the names of starting programs, not where they lay', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    expect(read((await exported(stores)).path, 'settings.json').starts).toEqual(['gla', 'mine.py']);
  });

  it('keeps words of a researcher from passing for parts of the card', async () => {
    const stores = freshStores();
    const { proposal } = anExperiment({ state: 'recorded' });
    const motivation = 'Good.\n## What was measured\nEverything is better.';
    await storeExportable(stores, { experiment: { proposal: proposal && { ...proposal, name: 'a\n# b', motivation } } });
    const lines = readFileSync(join((await exported(stores)).path, 'MODEL_CARD.md'), 'utf8').split('\n');
    expect(lines.filter((line) => line === '## What was measured')).toHaveLength(1);
    expect(lines[0]).toBe('# a # b');
  });

  it('brings kernels where there are any', async () => {
    const stores = freshStores();
    await storeExportable(stores, { kernel: 'def kernel(): ...\n' });
    const { path, files: names } = await exported(stores);
    const kernel = names.find((name) => name.startsWith('kernels/')) ?? '';
    expect(readFileSync(join(path, kernel), 'utf8')).toBe('def kernel(): ...\n');
    expect(await verifyBundle(path)).toMatchObject({ ok: true });
  });

  it('has the same bytes when it is exported again, elsewhere or in its place', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    const first = await exported(stores);
    const bytes = bytesOf(first.path);
    const elsewhere = await exportBundle({ ...stores, experimentId: exportedId, folder: join(stores.folder, 'elsewhere') });
    expect(bytesOf(elsewhere.path)).toEqual(bytes);
    await exported(stores);
    expect(bytesOf(first.path)).toEqual(bytes);
    alter(first.path, 'scores.json', '{}');
    await exported(stores);
    expect(bytesOf(first.path)).toEqual(bytes);
    expect(readdirSync(join(stores.folder, 'bundles'))).toEqual(['c-test-e0002']);
  });

  it('is replaced when the record has a verdict since', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    await exported(stores);
    await stores.archive.setVerdict(exportedId, aVerdict());
    const { path } = await exported(stores);
    expect(read(path, 'lineage.json').self.verdict).toBe('better');
    expect(await verifyBundle(path)).toMatchObject({ ok: true });
  });
});

describe('an export', () => {
  const refused = async (stores: Stores, reason: string, message: RegExp, experimentId = exportedId): Promise<void> => {
    const attempt = exported(stores, experimentId);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toMatchObject({ name: 'ExportRefusedError', reason, experimentId });
    expect(existsSync(join(stores.folder, 'bundles')) ? readdirSync(join(stores.folder, 'bundles')) : []).toEqual([]);
  };

  it('is refused for an experiment that does not exist', async () => {
    await refused(freshStores(), 'unknown', /holds no such experiment/, 'c-test/e0404');
  });

  it('is refused for an experiment that did not end well', async () => {
    const stores = freshStores();
    await storeExportable(stores, { experiment: { state: 'rejected' } });
    await refused(stores, 'not-recorded', /its state is rejected; right would be recorded/);
  });

  it('is refused without a trial that has both a checkpoint and a score', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    await stores.archive.createExperiment(anExperiment({ number: 3, state: 'recorded' }));
    await stores.archive.createTrial(aTrial({ experimentId: 'c-test/e0003', state: 'scored', checkpointArtifact: null }));
    await stores.archive.createTrial(aTrial({ experimentId: 'c-test/e0003', seed: 2, state: 'trained' }));
    await stores.archive.appendScores([1, 2].map((seed) => aScore({ trialId: `c-test/e0003/tiny/s${seed}` })));
    await refused(stores, 'no-scored-trial', /none of its 2 trials/, 'c-test/e0003');
  });

  it('is refused when an artifact is gone, naming it', async () => {
    const stores = freshStores();
    await storeExportable(stores, { experiment: { architecture: anArchitecture({ hash: aHash('gone') }) } });
    await refused(stores, 'missing-artifact', new RegExp(`its program, artifact ${aHash('gone')}, is gone`));
  });

  it('is refused when the checkpoint is no safetensors file or lacks a task', async () => {
    for (const [bytes, message] of [
      [Buffer.from('not tensors'), /cannot be read/],
      [
        Buffer.from(checkpointBytes(2).toString('latin1').replaceAll('recall/', 'rec___/'), 'latin1'),
        /no weights of task recall/,
      ],
    ] as const) {
      const stores = freshStores();
      await storeExportable(stores);
      const best = aTrial({
        experimentId: exportedId,
        seed: 7,
        state: 'scored',
        checkpointArtifact: await stores.artifacts.put(bytes),
      });
      await stores.archive.createTrial(best);
      await stores.archive.appendScores([aScore({ trialId: best.id, value: 0.1 })]);
      await refused(stores, 'bad-checkpoint', message);
    }
  });

  it('throws when stored bytes are damaged, and leaves nothing behind', async () => {
    const stores = freshStores();
    await storeExportable(stores, { program: 'class Mixer: pass\n' });
    const hash = (await stores.archive.getExperiment(exportedId))?.architecture?.hash ?? '';
    const path = join(stores.folder, 'artifacts', hash.slice(0, 2), hash);
    rmSync(path);
    writeFileSync(path, 'class Mixer: evil\n');
    await expect(exported(stores)).rejects.toThrow(CorruptArtifactError);
    expect(readdirSync(join(stores.folder, 'bundles'))).toEqual([]);
  });

  it('does not replace a folder that is no bundle', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    const path = join(stores.folder, 'bundles', 'c-test-e0002');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'thesis.tex'), 'years of work');
    await expect(exported(stores)).rejects.toMatchObject({ reason: 'occupied', message: expect.stringContaining(path) });
    expect(readdirSync(path)).toEqual(['thesis.tex']);
  });
});

describe('verifying a bundle', () => {
  const problemsOf = async (path: string) => {
    const verification = await verifyBundle(path);
    return verification.ok ? [] : verification.problems.map(({ file, problem }) => `${file} ${problem}`);
  };

  it('names each file that was altered, removed, added or made a link', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    const { path } = await exported(stores);
    alter(path, 'mixer.py', 'class Mixer: evil\n');
    alter(path, 'notes.txt', 'mine');
    rmSync(join(path, 'gates.json'));
    rmSync(join(path, 'load.py'));
    symlinkSync('/etc/hostname', join(path, 'load.py'));
    expect(await problemsOf(path)).toEqual([
      'gates.json missing',
      'load.py unreadable',
      'mixer.py altered',
      'notes.txt unexpected',
    ]);
  });

  it('notices one changed bit of the weights', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    const { path } = await exported(stores);
    const bytes = readFileSync(join(path, 'weights.safetensors'));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(join(path, 'weights.safetensors'), bytes);
    expect(await problemsOf(path)).toEqual(['weights.safetensors altered']);
  });

  it('says when there is no manifest, or one that is malformed or names paths outside', async () => {
    const stores = freshStores();
    await storeExportable(stores);
    const { path } = await exported(stores);
    const manifest = read(path, 'manifest.json');
    expect(await problemsOf(join(stores.folder, 'nothing'))).toEqual(['manifest.json missing']);
    for (const text of [
      'no json',
      '{}',
      JSON.stringify({ ...manifest, version: 'two' }),
      JSON.stringify({ ...manifest, files: { '../../../etc/passwd': { sha256: aHash(), bytes: 1 } } }),
      JSON.stringify({ ...manifest, files: { '/etc/passwd': { sha256: aHash(), bytes: 1 } } }),
    ]) {
      alter(path, 'manifest.json', text);
      expect(await problemsOf(path), text.slice(0, 60)).toEqual(['manifest.json unreadable']);
    }
  });
});
