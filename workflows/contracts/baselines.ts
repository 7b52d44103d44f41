import type { BaselineName, Genome } from './genome.ts';

const deltanet: Genome = {
  decay: { kind: 'none', param: 'softplus' },
  write: { kind: 'delta', beta: 'sigmoid', steps: 1, eraseTime: 'after-decay' },
  keyTie: 'free',
  featureMap: 'silu',
  qkNorm: 'l2',
  scale: 'inverse-sqrt',
  position: 'none',
  shortConv: { q: true, k: true, v: true, kernel: 4 },
  readout: 'plain',
  output: { norm: 'rms', gate: 'none' },
  valueMix: 'none',
  fir: [],
  router: 'none',
  heads: { multiple: 1, expandKey: 1, expandValue: 1 },
  layers: { pattern: 'uniform', window: 32 },
};
const additive: Genome = {
  ...deltanet,
  write: { kind: 'additive', beta: 'one', steps: 1, eraseTime: 'after-decay' },
  qkNorm: 'none',
};

/** The genomes behind the baseline names. `npm run schemas` writes them out for the Python package. */
export const baselineGenomes: Readonly<Record<BaselineName, Genome>> = {
  'linear-attention': { ...additive, featureMap: 'elu-plus-one', shortConv: { q: false, k: false, v: false, kernel: 4 } },
  retnet: {
    ...additive,
    decay: { kind: 'scalar-const', param: 'softplus' },
    featureMap: 'identity',
    position: 'rope',
    shortConv: { q: false, k: false, v: false, kernel: 4 },
    output: { norm: 'group', gate: 'silu' },
  },
  ssd: {
    ...additive,
    decay: { kind: 'scalar-data', param: 'softplus' },
    output: { norm: 'rms', gate: 'silu' },
    valueMix: 'skip',
  },
  gla: {
    ...additive,
    decay: { kind: 'vector-data', param: 'logsigmoid' },
    featureMap: 'identity',
    shortConv: { q: false, k: false, v: false, kernel: 4 },
    output: { norm: 'rms', gate: 'silu' },
  },
  deltanet,
  'gated-deltanet': { ...deltanet, decay: { kind: 'scalar-data', param: 'softplus' }, output: { norm: 'rms', gate: 'silu' } },
  kda: { ...deltanet, decay: { kind: 'vector-data', param: 'softplus' }, output: { norm: 'rms', gate: 'low-rank' } },
  'deltanet-value-mix': { ...deltanet, valueMix: 'sigmoid-mix' },
  'deltanet-fir-gate': { ...deltanet, fir: [3, 15], router: 'sigmoid' },
};
