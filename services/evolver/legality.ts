import type { Genome } from '../../workflows/contracts/genome.ts';

/**
 * Which combinations of genes may become programs: the rules of `kernels/asi_kernels/generate/legal.py`, one for one and word for word, so
 * that nothing is proposed that the generator refuses. Values are the schema's business. A test holds the two together.
 */
export const genomeViolations = (genome: Genome): string[] => [
  ...writeViolations(genome),
  ...keyViolations(genome),
  ...pathViolations(genome),
  ...idleViolations(genome),
];

export const isLegal = (genome: Genome): boolean => genomeViolations(genome).length === 0;

/** Feature maps that are nowhere negative and do not sum to one already. */
export const summableMaps: readonly Genome['featureMap'][] = ['relu', 'elu-plus-one', 'square'];
export const hasDataDecay = (genome: Genome): boolean =>
  genome.decay.kind === 'scalar-data' || genome.decay.kind === 'vector-data';
/** An erasing write needs keys of norm at most one. */
export const hasBoundedKeys = (genome: Genome): boolean => genome.qkNorm === 'l2' || genome.qkNorm === 'sum';
export const sortedFir = (fir: Genome['fir']): Genome['fir'] => [...new Set(fir)].sort((a, b) => a - b);

/** Messages are written only when they are needed: keys of whole campaigns are checked with every draft. */
type Rule = readonly [broken: boolean, message: () => string];
const broken = (rules: readonly Rule[]): string[] => rules.filter(([isBroken]) => isBroken).map(([, message]) => message());

const writeViolations = (genome: Genome): string[] => {
  const { kind, beta, steps, eraseTime } = genome.write;
  const early = eraseTime === 'before-decay';
  return broken([
    [kind !== 'additive' && !hasBoundedKeys(genome), () => `qkNorm is ${genome.qkNorm}; write.kind ${kind} needs l2 or sum`],
    [kind === 'decoupled-erase' && beta !== 'sigmoid', () => `write.beta is ${beta}; write.kind decoupled-erase needs sigmoid`],
    [kind === 'householder' && steps < 2, () => `write.steps is ${steps}; write.kind householder needs 2 or 3`],
    [kind !== 'householder' && steps !== 1, () => `write.steps is ${steps}; write.kind ${kind} needs 1`],
    [early && kind !== 'delta', () => `write.eraseTime is before-decay; write.kind ${kind} needs after-decay`],
    [early && genome.decay.kind === 'none', () => 'write.eraseTime is before-decay; decay.kind none needs after-decay'],
    [early && beta === 'double-sigmoid', () => 'write.beta is double-sigmoid; write.eraseTime before-decay needs one or sigmoid'],
  ]);
};

const keyViolations = (genome: Genome): string[] => {
  const { featureMap, qkNorm, shortConv } = genome;
  const tied = genome.keyTie === 'one-minus-decay';
  return broken([
    [
      tied && genome.decay.kind !== 'vector-data',
      () => `decay.kind is ${genome.decay.kind}; keyTie one-minus-decay needs vector-data`,
    ],
    [tied && genome.write.kind !== 'additive', () => `write.kind is ${genome.write.kind}; keyTie one-minus-decay needs additive`],
    [tied && shortConv.k, () => 'shortConv.k is true; keyTie one-minus-decay needs false'],
    [tied && qkNorm !== 'none', () => `qkNorm is ${qkNorm}; keyTie one-minus-decay needs none`],
    [
      qkNorm === 'sum' && !summableMaps.includes(featureMap),
      () => `featureMap is ${featureMap}; qkNorm sum needs one of ${summableMaps.join(', ')}`,
    ],
    [featureMap === 'square' && qkNorm === 'none', () => 'qkNorm is none; featureMap square needs l2, rms or sum'],
  ]);
};

const pathViolations = ({ fir, router }: Genome): string[] => {
  const sorted = sortedFir(fir);
  const isSorted = sorted.length === fir.length && sorted.every((kernel, index) => kernel === fir[index]);
  return broken([
    [!isSorted, () => `fir is ${listWords(fir)}; kernels must be ascending without repeats: ${listWords(sorted)}`],
    [
      fir.length > 0 && router === 'none',
      () => `router is none; fir ${listWords(fir)} needs static, softmax, sigmoid or two-stage`,
    ],
    [fir.length === 0 && router !== 'none', () => `router is ${router}; without FIR branches it must be none`],
    [fir.length === 1 && router === 'two-stage', () => 'router is two-stage; one FIR branch needs static, softmax or sigmoid'],
  ]);
};

const idleViolations = (genome: Genome): string[] => {
  const { decay, shortConv, layers } = genome;
  return broken([
    [
      !hasDataDecay(genome) && decay.param !== 'softplus',
      () => `decay.param is ${decay.param}; decay.kind ${decay.kind} needs softplus`,
    ],
    [
      genome.write.kind === 'additive' && genome.write.beta === 'double-sigmoid',
      () => 'write.beta is double-sigmoid; write.kind additive needs one or sigmoid',
    ],
    [
      !(shortConv.q || shortConv.k || shortConv.v) && shortConv.kernel !== 4,
      () => `shortConv.kernel is ${shortConv.kernel}; without a short convolution it must be 4`,
    ],
    [
      layers.pattern === 'uniform' && layers.window !== 32,
      () => `layers.window is ${layers.window}; layers.pattern uniform needs 32`,
    ],
  ]);
};

const listWords = (kernels: readonly number[]): string => `[${kernels.join(', ')}]`;
