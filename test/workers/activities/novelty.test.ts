import { expect, test } from 'vitest';
import type { Embedder } from '../../../services/embed/embedder.ts';
import { openSqliteVectors } from '../../../services/vectors/sqlite-vectors.ts';
import { KnownBaselines } from '../../../workers/activities/known-baselines.ts';
import { NoveltyCheck } from '../../../workers/activities/novelty.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import { aRelative } from '../../services/evolver/relatives.ts';
import { aHash, aProposal } from '../../support/builders.ts';

/** One direction a text: enough to tell texts apart. */
const embedder: Embedder = {
  model: 'letters',
  dimensions: 26,
  close: async () => undefined,
  embed: async (texts) =>
    texts.map((text) => {
      const counts = new Float32Array(26);
      for (const letter of `${text} a`.toLowerCase()) {
        const index = letter.charCodeAt(0) - 97;
        if (index >= 0 && index < 26) counts[index] = (counts[index] ?? 0) + 1;
      }
      const length = Math.hypot(...counts);
      return counts.map((count) => count / length);
    }),
};

const programs = new Map([2, 3].map((number) => [aHash(`program ${number}`), `class Mixer${number}: pass`]));
const history = [
  aRelative({ number: 1, kind: 'baseline', programHash: aHash('baseline') }),
  ...[2, 3].map((number) => aRelative({ number, genome: null, programHash: aHash(`program ${number}`) })),
];
type Asked = Parameters<NoveltyCheck['judge']>[0];
const judge = (vectors: ReturnType<typeof openSqliteVectors>, part: Partial<Asked> = {}) =>
  new NoveltyCheck({
    artifacts: {
      getText: async (hash: string) => programs.get(hash) ?? null,
    } as ConstructorParameters<typeof NoveltyCheck>[0]['artifacts'],
    vectors,
    embedder,
    baselines: new KnownBaselines(async (name) => `class Mixer: return "${name}"`),
  }).judge({
    draft: aProposal({ genome: { ...baselineGenomes.gla, fir: [3], router: 'static' } }),
    program: 'class Mixer: other',
    scope: 'c-test',
    history,
    ...part,
  });

test('an index that was lost is written again from the archive before it is asked', async () => {
  const vectors = openSqliteVectors(':memory:');
  const verdict = await judge(vectors);
  expect(verdict.nearest.map(({ id }) => id).toSorted()).toEqual(['c-test/e0002', 'c-test/e0003']);
  expect(await vectors.count('motivation', 'c-test')).toBe(2);
  await vectors.close();
});

test('an index that is whole is left alone', async () => {
  const vectors = openSqliteVectors(':memory:');
  const elsewhere = new Float32Array(26).fill(0, 1);
  elsewhere[0] = 1;
  for (const space of ['motivation', 'code'] as const)
    for (const id of ['c-test/e0002', 'c-test/e0003']) await vectors.put(space, { id, scope: 'c-test', vector: elsewhere });
  await judge(vectors);
  const [nearest] = await vectors.nearest('code', { scope: 'c-test', vector: elsewhere, limit: 1 });
  expect(nearest?.similarity).toBeCloseTo(1);
  await vectors.close();
});

test('a draft with the genome or the program of a baseline that this campaign does not run is no new one', async () => {
  const vectors = openSqliteVectors(':memory:');
  expect(await judge(vectors)).toMatchObject({ verdict: 'new' });
  const sameGenome = await judge(vectors, { draft: aProposal({ name: 'mine', genome: baselineGenomes.retnet }) });
  expect(sameGenome).toMatchObject({
    verdict: 'duplicate',
    reason: '"mine" has the same genome as retnet "the baseline retnet"',
    repeats: { id: 'retnet' },
  });
  const sameProgram = await judge(vectors, {
    draft: aProposal({ genome: null }),
    program: '# a comment\nclass   Mixer: return "ssd"',
  });
  expect(sameProgram).toMatchObject({ verdict: 'duplicate', repeats: { id: 'ssd' } });
  await vectors.close();
});
