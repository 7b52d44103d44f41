import type { Genome } from '../../workflows/contracts/genome.ts';
import type { GeneGroup } from './genes.ts';
import { genomeViolations, hasBoundedKeys, hasDataDecay, sortedFir, summableMaps } from './legality.ts';

export interface RepairedGenome {
  readonly genome: Genome;
  /** What was changed to make it legal, one line each; empty when it was legal. */
  readonly repairs: readonly string[];
}

interface Step {
  readonly because: string;
  readonly applies: (genome: Genome) => boolean;
  readonly mend: (genome: Genome, keeps: (group: GeneGroup) => boolean) => Genome;
}

/**
 * The nearest legal genome of the genes that `keep` names: where two genes cannot live together, the one that is not kept gives way (and a
 * kept write or tie wins over another kept gene). Legal genomes come back as they are.
 */
export const repairGenome = (genome: Genome, keep: readonly GeneGroup[] = []): RepairedGenome => {
  const keeps = (group: GeneGroup): boolean => keep.includes(group);
  let mended = genome;
  const repairs: string[] = [];
  for (const step of steps) {
    if (!step.applies(mended)) continue;
    mended = step.mend(mended, keeps);
    repairs.push(step.because);
  }
  const left = genomeViolations(mended);
  if (left.length > 0) throw new Error(`a repaired genome is still illegal: ${left.join('; ')} in ${JSON.stringify(mended)}`);
  return { genome: mended, repairs };
};

const withWrite = (genome: Genome, write: Partial<Genome['write']>): Genome => ({
  ...genome,
  write: { ...genome.write, ...write },
});
const isTied = (genome: Genome): boolean => genome.keyTie === 'one-minus-decay';
const isEarly = (genome: Genome): boolean => genome.write.eraseTime === 'before-decay';

/** In this order, no later step breaks what an earlier one mended. */
const steps: readonly Step[] = [
  {
    because: 'a key tied to the decay needs a data-dependent decay per channel, an additive write and a bare key',
    applies: (g) =>
      isTied(g) && (g.decay.kind !== 'vector-data' || g.write.kind !== 'additive' || g.shortConv.k || g.qkNorm !== 'none'),
    mend: (g, keeps) =>
      keeps('key-tie')
        ? {
            ...withWrite(g, { kind: 'additive', steps: 1, eraseTime: 'after-decay' }),
            decay: { ...g.decay, kind: 'vector-data' },
            shortConv: { ...g.shortConv, k: false },
            qkNorm: 'none',
            featureMap: g.featureMap === 'square' ? 'silu' : g.featureMap,
          }
        : { ...g, keyTie: 'free' },
  },
  {
    because: 'several steps a token are the Householder write, and that write needs two or three',
    applies: ({ write }) => (write.kind === 'householder') !== write.steps > 1,
    mend: (g, keeps) => {
      if (g.write.kind === 'householder') return withWrite(g, { steps: 2 });
      return keeps('write') && g.write.kind === 'delta' && !isEarly(g)
        ? withWrite(g, { kind: 'householder' })
        : withWrite(g, { steps: 1 });
    },
  },
  {
    because: 'erasing before the decay needs the delta rule, a decay and a strength of at most one',
    applies: (g) => isEarly(g) && (g.write.kind !== 'delta' || g.decay.kind === 'none' || g.write.beta === 'double-sigmoid'),
    mend: (g) => withWrite(g, { eraseTime: 'after-decay' }),
  },
  {
    because: 'a decoupled erase has sigmoid gates per channel',
    applies: ({ write }) => write.kind === 'decoupled-erase' && write.beta !== 'sigmoid',
    mend: (g) => withWrite(g, { beta: 'sigmoid' }),
  },
  {
    because: 'an erasing write needs keys of norm at most one',
    applies: (g) => g.write.kind !== 'additive' && !hasBoundedKeys(g),
    mend: (g, keeps) =>
      keeps('qk-norm') && !keeps('write')
        ? withWrite(g, { kind: 'additive', steps: 1, eraseTime: 'after-decay' })
        : { ...g, qkNorm: 'l2' },
  },
  {
    because: 'an additive write has no negative eigenvalue, so its strength is at most one',
    applies: ({ write }) => write.kind === 'additive' && write.beta === 'double-sigmoid',
    mend: (g) => withWrite(g, { beta: 'sigmoid' }),
  },
  {
    because: 'a sum can only normalise features that are nowhere negative',
    applies: (g) => g.qkNorm === 'sum' && !summableMaps.includes(g.featureMap),
    mend: (g, keeps) =>
      keeps('qk-norm') && !keeps('feature-map') ? { ...g, featureMap: 'elu-plus-one' } : { ...g, qkNorm: 'l2' },
  },
  {
    because: 'squared features overflow unless they are normalised',
    applies: (g) => g.featureMap === 'square' && g.qkNorm === 'none',
    mend: (g, keeps) =>
      isTied(g) || (keeps('qk-norm') && !keeps('feature-map')) ? { ...g, featureMap: 'silu' } : { ...g, qkNorm: 'l2' },
  },
  {
    because: 'FIR kernels are listed once, shortest first',
    applies: ({ fir }) => String(fir) !== String(sortedFir(fir)),
    mend: (g) => ({ ...g, fir: sortedFir(g.fir) }),
  },
  {
    because: 'FIR branches and their router come together',
    applies: ({ fir, router }) => (fir.length === 0) !== (router === 'none'),
    mend: (g, keeps) => {
      if (g.fir.length > 0) return keeps('router') && !keeps('fir') ? { ...g, fir: [] } : { ...g, router: 'sigmoid' };
      return keeps('router') ? { ...g, fir: [3, 15] } : { ...g, router: 'none' };
    },
  },
  {
    because: 'a two-stage router has at least two FIR branches to choose from',
    applies: ({ fir, router }) => router === 'two-stage' && fir.length < 2,
    mend: (g, keeps) =>
      keeps('router') && !keeps('fir')
        ? { ...g, fir: sortedFir([...g.fir, g.fir[0] === 15 ? 3 : 15]) }
        : { ...g, router: 'sigmoid' },
  },
  {
    because: 'a gate formula without a data-dependent decay does nothing',
    applies: (g) => !hasDataDecay(g) && g.decay.param !== 'softplus',
    mend: (g) => ({ ...g, decay: { ...g.decay, param: 'softplus' } }),
  },
  {
    because: 'a kernel length without a short convolution does nothing',
    applies: ({ shortConv }) => !(shortConv.q || shortConv.k || shortConv.v) && shortConv.kernel !== 4,
    mend: (g) => ({ ...g, shortConv: { ...g.shortConv, kernel: 4 } }),
  },
  {
    because: 'a window without window layers does nothing',
    applies: ({ layers }) => layers.pattern === 'uniform' && layers.window !== 32,
    mend: (g) => ({ ...g, layers: { ...g.layers, window: 32 } }),
  },
];
