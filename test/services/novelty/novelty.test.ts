import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Embedder } from '../../../services/embed/embedder.ts';
import { localEmbedder } from '../../../services/embed/local-embedder.ts';
import { genomeKey } from '../../../services/evolver/genome-key.ts';
import { CodeKeys, codeKey } from '../../../services/novelty/code-key.ts';
import {
  judgeNovelty,
  type KnownArchitecture,
  type NoveltyRequest,
  rememberArchitecture,
} from '../../../services/novelty/novelty.ts';
import { PythonTools } from '../../../services/python/tools.ts';
import { openSqliteVectors } from '../../../services/vectors/sqlite-vectors.ts';
import type { VectorIndex } from '../../../services/vectors/vector-index.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import type { Genome } from '../../../workflows/contracts/genome.ts';

const python = process.env.ASI_PYTHON;

/** Counts of hashed words: a small embedding without a model, in which texts with common words are near. */
const hashedWords = (): Embedder & { readonly numTexts: () => number } => {
  let numTexts = 0;
  const dimensions = 64;
  return {
    model: 'hashed words',
    dimensions,
    embed(texts) {
      numTexts += texts.length;
      return Promise.resolve(
        texts.map((text) => {
          const vector = new Float32Array(dimensions);
          for (const word of text.match(/\w+/g) ?? ['']) {
            const index = createHash('sha256').update(word).digest().readUInt32LE() % dimensions;
            vector[index] = (vector[index] ?? 0) + 1;
          }
          const length = Math.hypot(...vector);
          return vector.map((value) => value / length);
        }),
      );
    },
    close: () => Promise.resolve(),
    numTexts: () => numTexts,
  };
};

const programOf = (body: string): string =>
  `import torch\nclass Mixer:\n    def forward(self, x, state=None):\n        ${body}\n        return x, state\n`;
const decayed = programOf('x = x * torch.sigmoid(x)');

let vectors: VectorIndex;
let embedder: ReturnType<typeof hashedWords>;
beforeEach(() => {
  vectors = openSqliteVectors(':memory:');
  embedder = hashedWords();
  return () => vectors.close();
});

const aRequest = (part: Partial<NoveltyRequest> = {}): NoveltyRequest => ({
  proposal: { name: 'new one', motivation: 'a forget gate clears the memory' },
  genomeKey: null,
  program: decayed,
  embedder,
  vectors,
  scope: 'c-test',
  known: [],
  ...part,
});
const known = (id: string, part: Partial<KnownArchitecture> = {}): KnownArchitecture => ({
  id,
  name: `name of ${id}`,
  genomeKey: null,
  codeKey: null,
  ...part,
});

/** Judges, expects it to be new, and stores it as the campaign does. */
const accept = async (id: string, part: Partial<NoveltyRequest>): Promise<KnownArchitecture> => {
  const request = aRequest(part);
  const verdict = await judgeNovelty(request);
  if (verdict.verdict !== 'new') throw new Error(verdict.reason);
  await rememberArchitecture({ vectors, scope: request.scope, id, embeddings: verdict.embeddings });
  return known(id, { codeKey: codeKey(request.program) });
};

test('the first architecture of a campaign is new and has no neighbours', async () => {
  expect(await judgeNovelty(aRequest())).toMatchObject({ verdict: 'new', nearest: [], reason: 'nothing to compare with yet' });
});

test('an equal genome is a duplicate whatever its program says, and costs no embedding', async () => {
  const key = genomeKey(baselineGenomes.kda);
  const verdict = await judgeNovelty(aRequest({ genomeKey: key, known: [known('e1'), known('e2', { genomeKey: key })] }));
  expect(verdict).toEqual({
    verdict: 'duplicate',
    nearest: [],
    reason: '"new one" has the same genome as e2 "name of e2"',
    repeats: { id: 'e2', name: 'name of e2' },
  });
  expect(embedder.numTexts()).toBe(0);
});

test('a program that is equal up to comments and names is a duplicate, with or without a genome', async () => {
  const renamed = `# mine\nimport torch\n\nclass Mixer:\n  def forward(self, x, state = None):\n    """Text."""\n    x = x * torch.sigmoid(x)\n    return x, state\n`;
  const verdict = await judgeNovelty(
    aRequest({
      program: renamed,
      genomeKey: genomeKey(baselineGenomes.gla),
      known: [known('e7', { codeKey: codeKey(decayed) })],
    }),
  );
  expect(verdict).toMatchObject({ verdict: 'duplicate', repeats: { id: 'e7' } });
});

test('likeness alone is no duplicate: the same motivation with another program is new and reported', async () => {
  const first = await accept('e1', {});
  const verdict = await judgeNovelty(aRequest({ program: programOf('x = x * torch.sigmoid(x) * 2'), known: [first] }));
  expect(verdict.verdict).toBe('new');
  expect(verdict.nearest).toHaveLength(1);
  expect(verdict.nearest[0]).toMatchObject({ id: 'e1', name: 'name of e1' });
  expect(verdict.nearest[0]?.motivationSimilarity).toBeCloseTo(1);
  expect(verdict.nearest[0]?.codeSimilarity).toBeGreaterThan(0.9);
  expect(verdict.reason).toMatch(
    /^no equal genome or program among 1; nearest is e1 "name of e1" \(motivation 1\.000, code 0\.9\d\d\)$/,
  );
});

test('the nearest five are reported, the nearest first, and only those of the campaign', async () => {
  const words = ['gate', 'decay', 'router', 'branch', 'window', 'norm', 'head'];
  const accepted: KnownArchitecture[] = [];
  for (const [index, word] of words.entries()) {
    const motivation = `${word} ${words.slice(0, index).join(' ')}`;
    accepted.push(
      await accept(`e${index}`, { proposal: { name: word, motivation }, program: programOf(`x = x.${word}()`), known: accepted }),
    );
  }
  await accept('other', { scope: 'c-other', proposal: { name: 'x', motivation: 'head gate decay router branch window norm' } });
  const verdict = await judgeNovelty(
    aRequest({
      proposal: { name: 'y', motivation: 'head gate decay router branch window norm' },
      program: programOf('x = x.head().y()'),
      known: accepted,
    }),
  );
  expect(verdict.nearest).toHaveLength(5);
  expect(verdict.nearest[0]?.id).toBe('e6');
  const closeness = verdict.nearest.map(({ motivationSimilarity, codeSimilarity }) =>
    Math.max(motivationSimilarity ?? -1, codeSimilarity ?? -1),
  );
  expect(closeness).toEqual(closeness.toSorted((a, b) => b - a));
  expect(verdict.nearest.map(({ id }) => id)).not.toContain('other');
});

test('judging stores nothing; accepting stores one vector in each space, once', async () => {
  const verdict = await judgeNovelty(aRequest());
  expect(await vectors.count('motivation', 'c-test')).toBe(0);
  if (verdict.verdict !== 'new') throw new Error(verdict.reason);
  for (let round = 0; round < 2; round++)
    await rememberArchitecture({ vectors, scope: 'c-test', id: 'e1', embeddings: verdict.embeddings });
  expect(await vectors.count('motivation', 'c-test')).toBe(1);
  expect(await vectors.count('code', 'c-test')).toBe(1);
});

test('code is embedded without its comments, to its end', async () => {
  const base = programOf('x = x.sin()');
  const commented = base.replace('import torch', `# ${'gate memory decay '.repeat(200)}\nimport torch`);
  const long = (end: string): string => `${base}${'y = 1\n'.repeat(400)}${`z = x.${end}()\n`.repeat(60)}`;
  const codeOf = async (program: string): Promise<Float32Array> => {
    const verdict = await judgeNovelty(aRequest({ program }));
    if (verdict.verdict !== 'new') throw new Error(verdict.reason);
    return verdict.embeddings.code;
  };
  expect(await codeOf(commented)).toEqual(await codeOf(base));
  expect(await codeOf(long('tan'))).not.toEqual(await codeOf(long('cosh')));
  expect(Math.hypot(...(await codeOf(long('tan'))))).toBeCloseTo(1);
});

test('programs are read and normalised once by their hash; a lost one has no key', async () => {
  const read: string[] = [];
  const keys = new CodeKeys((hash) => {
    read.push(hash);
    return Promise.resolve(hash === 'lost' ? null : decayed);
  });
  expect(await keys.keyOf('a')).toBe(codeKey(decayed));
  expect(await keys.keyOf('a')).toBe(codeKey(decayed));
  expect(await keys.keyOf('lost')).toBeNull();
  expect(read).toEqual(['a', 'lost']);
});

describe.skipIf(python === undefined)('with the generator and the local model (needs ASI_PYTHON)', () => {
  const tools = new PythonTools({ python: python ?? '' });
  const model = localEmbedder(tools);
  afterAll(() => tools.close());

  test('programs of different genomes differ and a program differs from itself in nothing but its header', () => {
    const genomes: readonly Genome[] = [
      ...Object.values(baselineGenomes),
      { ...baselineGenomes.kda, scale: 'one' },
      { ...baselineGenomes.kda, write: { ...baselineGenomes.kda.write, beta: 'double-sigmoid' } },
    ];
    const emitted: unknown = JSON.parse(
      execFileSync(python ?? '', ['-c', emitProgram], {
        cwd: join(import.meta.dirname, '..', '..', '..', 'kernels'),
        input: JSON.stringify(genomes),
        encoding: 'utf8',
      }),
    );
    const pairs = emitted as readonly (readonly [string, string])[];
    expect(new Set(pairs.map(([one]) => codeKey(one))).size).toBe(genomes.length);
    for (const [one, other] of pairs) {
      expect(one).not.toBe(other);
      expect(codeKey(one)).toBe(codeKey(other));
    }
  });

  // Loading the model alone takes several seconds of processor time.
  test('the local model finds the motivation that speaks of the same thing nearest', { timeout: 120_000 }, async () => {
    const texts = [
      'A forget gate per head lets the memory fade when a new topic begins.',
      'Local filters of several lengths cover words and phrases.',
      'Data-dependent decay clears old associations from the state.',
    ];
    const accepted: KnownArchitecture[] = [];
    for (const [index, motivation] of texts.slice(0, 2).entries()) {
      const program = programOf(`x = x + ${index}`);
      accepted.push(
        await accept(`e${index}`, { embedder: model, proposal: { name: 'n', motivation }, program, known: accepted }),
      );
    }
    const verdict = await judgeNovelty(
      aRequest({ embedder: model, proposal: { name: 'n', motivation: texts[2] ?? '' }, known: accepted }),
    );
    const similarity = new Map(verdict.nearest.map((near) => [near.id, near.motivationSimilarity ?? 0]));
    expect(similarity.get('e0') ?? 0).toBeGreaterThan(similarity.get('e1') ?? 0);
  });
});

const emitProgram = `
import json, sys
from asi_kernels.generate.emit import emit_program
print(json.dumps([[emit_program(g, "one", "because"), emit_program(g, "other", "for another reason")] for g in json.load(sys.stdin)]))
`;
