import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Evolver, proposeDraft } from '../../../services/evolver/evolver.ts';
import { changesBetween } from '../../../services/evolver/genes.ts';
import { genomeKey } from '../../../services/evolver/genome-key.ts';
import { genomeViolations } from '../../../services/evolver/legality.ts';
import { type Draft, isRefusal, type Relative, type ResearchContext } from '../../../services/researcher/researcher.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import { type Change, proposalSchema } from '../../../workflows/contracts/experiment.ts';
import { createRandom } from '../../../workflows/rules/random.ts';
import { aContext, aRelative, baselineRelatives, draftOf, finished } from './relatives.ts';

/** A campaign of the policy arm: parents from the best, references from the rest, fitness from a made landscape. */
const runCampaign = (
  seed: number,
  numCandidates: number,
  options: { readonly judge?: (draft: Draft) => Partial<Relative>; readonly hints?: readonly string[] } = {},
): readonly Draft[] => {
  const random = createRandom(seed);
  const history: Relative[] = [...baselineRelatives];
  const drafts: Draft[] = [];
  for (let number = 10; number < 10 + numCandidates; number++) {
    const ranked = history.filter(({ fitness }) => fitness !== null).toSorted((a, b) => (b.fitness ?? 0) - (a.fitness ?? 0));
    const parent = random.pick(ranked.slice(0, 10));
    const references = random.shuffle(ranked.filter((other) => other !== parent)).slice(0, 4);
    const draft = draftOf(
      proposeDraft(aContext({ seed, number, parent, references, history: [...history], hints: options.hints ?? [] })),
    );
    drafts.push(draft);
    history.push(finished(draft, { number, parentId: parent.id, fitness: random.next() / 10, ...options.judge?.(draft) }));
  }
  return drafts;
};

const anyContext = fc
  .record({
    seed: fc.nat(1000),
    number: fc.integer({ min: 10, max: 500 }),
    parentIndex: fc.nat(8),
    arm: fc.constantFrom('policy' as const, 'control' as const),
  })
  .map(({ seed, number, parentIndex, arm }) => aContext({ seed, number, arm, parent: baselineRelatives[parentIndex] ?? null }));

describe('a draft', () => {
  test('is a legal genome with a whole proposal around it', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        const draft = draftOf(proposeDraft(context));
        expect(proposalSchema.parse(draft)).toEqual(draft);
        expect(draft.genome && genomeViolations(draft.genome)).toEqual([]);
        expect(draft.motivation.length).toBeGreaterThan(100);
      }),
      { numRuns: 300 },
    );
  });

  test('is the same for the same seed, number and history, and another for another', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        expect(proposeDraft(context)).toEqual(proposeDraft(structuredClone(context)));
      }),
      { numRuns: 50 },
    );
    const genomes = Array.from({ length: 40 }, (_, index) => draftOf(proposeDraft(aContext({ seed: index }))).genome);
    expect(new Set(genomes.map((genome) => JSON.stringify(genome))).size).toBeGreaterThan(25);
  });

  test('tells exactly the changes between the parent and itself', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        const draft = draftOf(proposeDraft(context));
        if (draft.genome === null || context.parent?.genome == null) throw new Error('these have genomes');
        expect(draft.changes).toEqual(changesBetween(context.parent.genome, draft.genome));
      }),
      { numRuns: 100 },
    );
  });
});

test('a campaign never sees a design or a name twice', () => {
  for (const seed of [1, 2]) {
    const drafts = runCampaign(seed, 120);
    const known = new Set(Object.values(baselineGenomes).map(genomeKey));
    for (const { genome } of drafts) {
      const key = genome === null ? '' : genomeKey(genome);
      expect(known.has(key)).toBe(false);
      known.add(key);
    }
    expect(new Set(drafts.map(({ name }) => name)).size).toBe(drafts.length);
    expect(Math.max(...drafts.map(({ name }) => name.length))).toBeLessThanOrEqual(80);
  }
});

/** By the genes' own names, so that a flag cannot say what is not so. */
const recurrenceGene = /^(decay\.|write\.|keyTie$|featureMap$|qkNorm$|readout$)/;
const changesRecurrence = ({ changes }: { readonly changes: readonly Change[] }): boolean =>
  changes.some((change) => recurrenceGene.test(change.gene));

test('at least half of the proposals of a campaign change the recurrence itself, at every moment', () => {
  for (let seed = 0; seed < 12; seed++) {
    let changed = 0;
    for (const [index, draft] of runCampaign(seed, 30).entries()) {
      changed += changesRecurrence(draft) ? 1 : 0;
      expect(2 * changed, `seed ${seed}, proposal ${index + 1}`).toBeGreaterThanOrEqual(index + 1);
    }
  }
});

test('half of the proposals change the recurrence even among experiments that cannot see each other, whatever is hinted', () => {
  const hints = ['only fir and router', 'avoid decay, avoid delta'];
  // A history in which the share is met, so that only the number decides.
  const history = [
    ...baselineRelatives,
    aRelative({ number: 900, changes: [{ gene: 'decay.kind', from: 'none', to: 'scalar-data', recurrence: true }] }),
  ];
  const drafts = Array.from({ length: 60 }, (_, index) =>
    draftOf(proposeDraft(aContext({ number: 10 + index, history, hints }))),
  );
  const changed = drafts.filter(changesRecurrence).length;
  expect(changed).toBeGreaterThanOrEqual(30);
  expect(changed).toBeLessThan(60);
});

test('a policy that fell below half returns to the recurrence with its next proposals, whatever their number', () => {
  const paths = Array.from({ length: 4 }, (_, index) =>
    aRelative({ number: 30 + index, changes: [{ gene: 'fir', from: 'none', to: '3', recurrence: false }] }),
  );
  const history = [...baselineRelatives, ...paths];
  const drafts = Array.from({ length: 30 }, (_, seed) => draftOf(proposeDraft(aContext({ seed, number: 41, history }))));
  expect(drafts.filter((draft) => !changesRecurrence(draft))).toEqual([]);
});

describe('measurements steer the draw', () => {
  const share = (drafts: readonly Draft[], test: (draft: Draft) => boolean): number => drafts.filter(test).length / drafts.length;
  const drawn = (part: Partial<ResearchContext>, numDrafts = 150): readonly Draft[] =>
    Array.from({ length: numDrafts }, (_, seed) => draftOf(proposeDraft(aContext({ seed, ...part }))));
  const parent = aRelative({ number: 6, kind: 'baseline', name: 'gated-deltanet', genome: baselineGenomes['gated-deltanet'] });
  /** The baselines, and children of the parent from a number on. */
  const tried = (numTried: number, part: Partial<Relative>, from = 20): readonly Relative[] => [
    ...baselineRelatives,
    ...Array.from({ length: numTried }, (_, index) =>
      aRelative({ number: from + index, parentId: parent.id, genome: null, ...part }),
    ),
  ];

  test('an operator whose children gained is drawn more often than one whose children lost', () => {
    const campaignWith = (readout: number, write: number): readonly Relative[] => [
      ...tried(6, { operator: 'mutate:readout', fitness: readout }),
      ...tried(6, { operator: 'mutate:write', fitness: write }, 26).slice(baselineRelatives.length),
    ];
    const [gaining, losing] = [campaignWith(0.3, -0.3), campaignWith(-0.3, 0.3)];
    const usesReadout = (draft: Draft): boolean => draft.operator === 'mutate:readout';
    expect(share(drawn({ parent, history: gaining }), usesReadout)).toBeGreaterThan(
      2 * share(drawn({ parent, history: losing }), usesReadout),
    );
  });

  const toSquare = [{ gene: 'featureMap', from: 'silu', to: 'square', recurrence: true }];
  const square = { ...baselineGenomes['gated-deltanet'], featureMap: 'square' as const };
  const hasSquare = (draft: Draft): boolean => draft.genome?.featureMap === 'square';
  const ofFeatureMap = (drafts: readonly Draft[]): readonly Draft[] =>
    drafts.filter(({ operator }) => operator === 'mutate:feature-map');
  const featureHints = { parent, hints: ['feature map'] };

  test('a value whose programs failed is drawn less', () => {
    const failure = { label: 'nonfinite' as const, detail: 'loss is NaN at step 4' };
    const failing = tried(6, { fitness: null, failure, changes: toSquare, genome: square, state: 'failed' });
    const sound = ofFeatureMap(drawn({ ...featureHints, history: baselineRelatives }, 400));
    const warned = ofFeatureMap(drawn({ ...featureHints, history: failing }, 400));
    expect(share(sound, hasSquare)).toBeGreaterThan(0.1);
    expect(share(warned, hasSquare)).toBeLessThan(0.6 * share(sound, hasSquare));
  });

  test('a failure of the machine is not held against a value', () => {
    const failure = { label: 'infra' as const, detail: 'the disk was full' };
    const unlucky = tried(6, {
      fitness: null,
      failure,
      changes: toSquare,
      genome: { ...square, output: { norm: 'none', gate: 'none' } },
    });
    const sound = ofFeatureMap(drawn({ ...featureHints, history: baselineRelatives }, 200));
    const after = ofFeatureMap(drawn({ ...featureHints, history: unlucky }, 200));
    expect(share(after, hasSquare)).toBeCloseTo(share(sound, hasSquare), 1);
  });

  test('a value that gained is drawn more', () => {
    const gained = tried(3, { fitness: 0.4, changes: toSquare, genome: { ...square, output: { norm: 'none', gate: 'none' } } });
    const lost = tried(3, { fitness: -0.4, changes: toSquare, genome: { ...square, output: { norm: 'none', gate: 'none' } } });
    const eager = ofFeatureMap(drawn({ ...featureHints, history: gained }, 600));
    const wary = ofFeatureMap(drawn({ ...featureHints, history: lost }, 600));
    expect(share(eager, hasSquare)).toBeGreaterThan(1.5 * share(wary, hasSquare));
  });

  test('a hint makes its genes likelier, and "avoid" less likely', () => {
    const touchesFir = (draft: Draft): boolean => draft.changes.some((change) => change.gene === 'fir');
    const unsteered = share(drawn({ parent, number: 11 }), touchesFir);
    expect(share(drawn({ parent, number: 11, hints: ['try wider FIR branches'] }), touchesFir)).toBeGreaterThan(1.3 * unsteered);
    expect(share(drawn({ parent, number: 11, hints: ['avoid FIR'] }), touchesFir)).toBeLessThan(0.8 * unsteered);
  });
});

test('the control arm ignores history, hints and fitness', () => {
  const plain = draftOf(proposeDraft(aContext({ arm: 'control', parent: null })));
  const better = baselineRelatives.map((relative) => ({
    ...relative,
    fitness: 1,
    lessons: [{ change: 'fir: none → 3', lesson: 'good', gain: 1 }],
  }));
  const steered = draftOf(
    proposeDraft(aContext({ arm: 'control', parent: null, history: better, hints: ['fir'], references: [] })),
  );
  expect(steered).toEqual(plain);
  expect(plain).toMatchObject({ operator: 'random', changes: [], author: 'evolver' });
  expect(plain.motivation).toMatch(/^Control arm/);
});

test('what was refused for this experiment is not drawn again', () => {
  const first = draftOf(proposeDraft(aContext()));
  const second = draftOf(proposeDraft(aContext({ refused: [{ draft: first, reason: 'repeats e0003' }] })));
  expect(second.genome && genomeKey(second.genome)).not.toBe(first.genome && genomeKey(first.genome));
  expect(second.name).not.toBe(first.name);
});

test('a space in which every drawn design is known ends in a refusal that says so', () => {
  const context = aContext();
  // With one draw allowed, the campaign has exactly the design that would be drawn.
  const only = draftOf(proposeDraft(context, 1));
  const crowded = {
    ...context,
    history: [...context.history, finished(only, { number: 3000, changes: [], parentId: null, fitness: null })],
  };
  const outcome = proposeDraft({ ...crowded, references: context.references }, 1);
  expect(isRefusal(outcome)).toBe(true);
  if (isRefusal(outcome))
    expect(outcome.refused).toMatchObject({
      label: 'duplicate',
      detail: expect.stringMatching(/^none of 1 drawn designs was new/),
    });
  expect(isRefusal(proposeDraft(crowded))).toBe(false);
});

test('a parent without a genome is replaced by the nearest design that has one, and the motivation says so', () => {
  const parent = aRelative({ number: 30, name: 'my mixer', genome: null });
  const [reference] = baselineRelatives;
  const draft = draftOf(proposeDraft(aContext({ parent, references: reference ? [reference] : [] })));
  expect(draft.motivation).toMatch(
    /^Starts from linear-attention because its parent my mixer has a program but no typed description/,
  );
  const alone = draftOf(proposeDraft(aContext({ parent, references: [], history: [parent] })));
  expect(alone.motivation).toMatch(/^Starts from deltanet because/);
});

test('an aborted signal ends a proposal with its reason', async () => {
  const stop = new AbortController();
  stop.abort(new Error('the campaign was cancelled'));
  expect(() => new Evolver().propose(aContext(), stop.signal)).toThrow('the campaign was cancelled');
  await expect(new Evolver().propose(aContext(), new AbortController().signal)).resolves.toEqual(proposeDraft(aContext()));
});
