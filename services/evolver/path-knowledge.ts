import type { ComponentNote, KnowledgeTable } from './component-knowledge.ts';

const asiArch = 'ASI-Arch, arXiv 2507.18074';
const mamba = 'Mamba, arXiv 2312.00752';
const h3 = 'H3, arXiv 2212.14052';
const rope = 'RoFormer, arXiv 2104.09864';
const transnormer = 'TransNormer, arXiv 2210.10340';
const samba = 'Samba, arXiv 2406.07522; Based, arXiv 2402.18668';
const attention = 'Vaswani et al., arXiv 1706.03762';

const convolved = (streams: string, prior: number): ComponentNote => ({
  says: `A short causal convolution on ${streams} lets a token see its neighbours before it enters the memory, so that a key can stand for a pair of tokens.`,
  source: `${h3}; ${mamba}`,
  loss: 'better',
  recall: 'better',
  speed: 'slower',
  prior,
});
const convKernel = (tokens: number): ComponentNote => ({
  says:
    tokens < 4
      ? `A short convolution over ${tokens} tokens sees less than the usual four and costs less.`
      : tokens === 4
        ? 'Four tokens are the usual reach of the short convolution.'
        : `A short convolution over ${tokens} tokens carries longer local patterns into keys and values.`,
  source: mamba,
  loss: tokens === 4 ? 'same' : 'unclear',
  recall: tokens === 4 ? 'same' : 'unclear',
  speed: tokens < 4 ? 'faster' : tokens === 4 ? 'same' : 'slower',
  prior: tokens === 4 ? 1.2 : 1,
});
const window = (tokens: number): ComponentNote => ({
  says: `Window layers that look back over ${tokens} tokens ${tokens === 16 ? 'leave most of the work to the memory' : tokens === 64 ? 'take over most local work' : 'share local work with the memory'}.`,
  source: samba,
  loss: 'unclear',
  recall: 'unclear',
  speed: tokens === 16 ? 'faster' : tokens === 64 ? 'slower' : 'same',
  prior: 1,
});

/** Genes of the paths around the recurrence. `fir` has a note per number and reach of branches, not per set. */
export const pathKnowledge: KnowledgeTable = {
  scale: {
    'inverse-sqrt': {
      says: 'Dividing the query by the root of its width keeps the size of the read independent of the head width.',
      source: attention,
      loss: 'same',
      recall: 'same',
      speed: 'same',
      prior: 1,
    },
    one: {
      says: 'An unscaled query reads louder, which helps only where no output norm takes the size out again.',
      source: `seed architecture of ${asiArch}`,
      loss: 'unclear',
      recall: 'unclear',
      speed: 'same',
      prior: 0.9,
    },
  },
  position: {
    none: {
      says: 'Decay and convolution already tell order, so that no position code is needed.',
      source: mamba,
      loss: 'same',
      recall: 'same',
      speed: 'faster',
      prior: 1.1,
    },
    rope: {
      says: 'Rotating queries and keys by their position makes matches depend on distance, which a memory without decay cannot know.',
      source: `${rope}; RetNet, arXiv 2307.08621`,
      loss: 'unclear',
      recall: 'unclear',
      speed: 'slower',
      prior: 0.9,
    },
  },
  'shortConv.streams': {
    none: {
      says: 'Without short convolutions a token enters the memory alone; cheaper, and weaker at anything that needs the previous token.',
      source: h3,
      loss: 'worse',
      recall: 'worse',
      speed: 'faster',
      prior: 0.6,
    },
    q: convolved('queries', 0.9),
    k: convolved('keys', 1),
    v: convolved('values', 0.9),
    'q k': convolved('queries and keys', 1),
    'q v': convolved('queries and values', 0.9),
    'k v': convolved('keys and values', 1),
    'q k v': convolved('queries, keys and values', 1.3),
  },
  'shortConv.kernel': Object.fromEntries([2, 3, 4, 5, 6, 7, 8].map((tokens) => [String(tokens), convKernel(tokens)])),
  'output.norm': {
    none: {
      says: 'Leaving the read as it is keeps its size as a signal of how sure the memory is, and risks growth over depth.',
      source: transnormer,
      loss: 'worse',
      recall: 'unclear',
      speed: 'faster',
      prior: 0.7,
    },
    rms: {
      says: 'An RMS norm per head takes the varying size of the read out before the heads are joined.',
      source: transnormer,
      loss: 'same',
      recall: 'same',
      speed: 'same',
      prior: 1.2,
    },
    group: {
      says: 'A group norm per head also takes out the mean, so that heads of different horizons meet on equal terms.',
      source: 'RetNet, arXiv 2307.08621',
      loss: 'unclear',
      recall: 'unclear',
      speed: 'same',
      prior: 1,
    },
    layer: {
      says: 'A layer norm over all heads keeps their relative sizes, so that a confident head can speak louder.',
      source: 'Ba et al., arXiv 1607.06450',
      loss: 'unclear',
      recall: 'unclear',
      speed: 'same',
      prior: 0.9,
    },
  },
  'output.gate': {
    none: {
      says: 'Without an output gate its parameters go to the MLP instead.',
      source: 'DeltaNet, arXiv 2406.06484',
      loss: 'unclear',
      recall: 'same',
      speed: 'faster',
      prior: 1,
    },
    silu: {
      says: 'A SiLU gate from the token lets each channel amplify or silence what was read.',
      source: 'GLA, arXiv 2312.06635; Gated DeltaNet, arXiv 2412.06464',
      loss: 'better',
      recall: 'unclear',
      speed: 'slower',
      prior: 1.1,
    },
    sigmoid: {
      says: 'A sigmoid gate can only silence, which keeps the size of the output in check.',
      source: 'gated attention, arXiv 2505.06708',
      loss: 'better',
      recall: 'unclear',
      speed: 'slower',
      prior: 1.1,
    },
    'low-rank': {
      says: 'A gate through a narrow bottleneck gives most of the effect of a full one for a fraction of its parameters.',
      source: 'Kimi Linear (KDA), arXiv 2510.26692',
      loss: 'better',
      recall: 'unclear',
      speed: 'slower',
      prior: 1.2,
    },
  },
  valueMix: {
    none: {
      says: 'Everything a token learns from the mixer passes through the memory.',
      source: 'DeltaNet, arXiv 2406.06484',
      loss: 'same',
      recall: 'same',
      speed: 'faster',
      prior: 1,
    },
    'sigmoid-mix': {
      says: 'A gate per token and head chooses between the read and the own value, so that a token need not query a memory that has nothing for it.',
      source: `AdaptiveMixTransformer of ${asiArch}`,
      loss: 'better',
      recall: 'unclear',
      speed: 'same',
      prior: 1.3,
    },
    skip: {
      says: 'A learned share of the own value beside the read is the cheapest way around the memory.',
      source: mamba,
      loss: 'better',
      recall: 'unclear',
      speed: 'same',
      prior: 1.1,
    },
  },
  fir: {
    none: {
      says: 'Without FIR branches all mixing between tokens is left to the memory and the short convolution.',
      source: 'DeltaNet, arXiv 2406.06484',
      loss: 'worse',
      recall: 'better',
      speed: 'faster',
      prior: 1,
    },
    one: {
      says: 'A fixed local filter on the values takes neighbourhood patterns off the memory; it lowers loss in small models and may delay the learning of recall.',
      source: `${asiArch}, most of whose winners have such branches`,
      loss: 'better',
      recall: 'worse',
      speed: 'slower',
      prior: 1.1,
    },
    several: {
      says: 'Local filters of several lengths on the values cover characters, words and phrases at once; they lower loss in small models and may delay the learning of recall.',
      source: `${asiArch}, whose cheapest winners have two or three scales`,
      loss: 'better',
      recall: 'worse',
      speed: 'slower',
      prior: 1.4,
    },
    wide: {
      says: 'Local filters of several lengths, the longest of them a phrase wide, leave the memory for what is truly far away; each long filter costs time.',
      source: `${asiArch}; Hyena, arXiv 2302.10866`,
      loss: 'better',
      recall: 'worse',
      speed: 'slower',
      prior: 1.2,
    },
  },
  router: {
    none: {
      says: 'Without FIR branches there is nothing to weigh.',
      source: asiArch,
      loss: 'same',
      recall: 'same',
      speed: 'faster',
      prior: 1,
    },
    static: {
      says: 'One learned weight per head and path costs nothing at run time and cannot follow the token.',
      source: asiArch,
      loss: 'worse',
      recall: 'unclear',
      speed: 'faster',
      prior: 0.9,
    },
    softmax: {
      says: 'A softmax per token and head makes memory and local paths compete; a path that leads early can starve the others.',
      source: asiArch,
      loss: 'unclear',
      recall: 'worse',
      speed: 'same',
      prior: 0.9,
    },
    sigmoid: {
      says: 'Independent sigmoids let memory and local paths be open together, so that one does not starve the other.',
      source: `HeadWiseGateNet of ${asiArch}`,
      loss: 'better',
      recall: 'unclear',
      speed: 'same',
      prior: 1.2,
    },
    'two-stage': {
      says: 'Deciding first between memory and local paths, then among the local ones, keeps the share of the memory apart from the number of branches.',
      source: `hierarchical gates of ${asiArch}`,
      loss: 'better',
      recall: 'unclear',
      speed: 'slower',
      prior: 1.1,
    },
  },
  'layers.pattern': {
    uniform: {
      says: 'The same mixer in every layer keeps the whole model linear in length.',
      source: 'DeltaNet, arXiv 2406.06484',
      loss: 'same',
      recall: 'same',
      speed: 'same',
      prior: 1.2,
    },
    'alternate-window': {
      says: 'Exact attention over a short window in every second layer takes care of near tokens and leaves the memory for far ones.',
      source: samba,
      loss: 'better',
      recall: 'unclear',
      speed: 'slower',
      prior: 0.8,
    },
  },
  'layers.window': { 16: window(16), 32: window(32), 64: window(64) },
};
