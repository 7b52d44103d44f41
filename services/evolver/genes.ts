import type { Change } from '../../workflows/contracts/experiment.ts';
import { type Genome, genomeSchema } from '../../workflows/contracts/genome.ts';

/** Genes that are drawn together: one mutation operator each. */
export const geneGroups = [
  'decay',
  'write',
  'key-tie',
  'feature-map',
  'qk-norm',
  'scale',
  'position',
  'short-conv',
  'readout',
  'output',
  'value-mix',
  'fir',
  'router',
  'heads',
  'state-size',
  'layers',
] as const;
export type GeneGroup = (typeof geneGroups)[number];

/** One gene. Its values are spoken of in words, so that changes, lessons and weights share one notation. */
export interface Gene {
  readonly path: string;
  readonly group: GeneGroup;
  /** Part of the recurrence itself rather than of the paths around it or of its size: more or larger heads run the same recurrence. */
  readonly recurrence: boolean;
  /** Every value of the schema, in words. */
  readonly values: readonly string[];
  read(genome: Genome): string;
  /** A copy with this value. Throws RangeError for a word that is no value of the gene. */
  write(genome: Genome, word: string): Genome;
}

interface GeneSpec<T> {
  readonly path: string;
  readonly group: GeneGroup;
  readonly recurrence: boolean;
  readonly values: readonly T[];
  readonly get: (genome: Genome) => T;
  readonly set: (genome: Genome, value: T) => Genome;
  readonly words?: (value: T) => string;
}

const gene = <T>({ path, group, recurrence, values, get, set, words = String }: GeneSpec<T>): Gene => {
  const byWord = new Map(values.map((value) => [words(value), value]));
  return {
    path,
    group,
    recurrence,
    values: [...byWord.keys()],
    read: (genome) => words(get(genome)),
    write(genome, word) {
      const value = byWord.get(word);
      if (value === undefined)
        throw new RangeError(`${path} cannot be "${word}"; its values are ${[...byWord.keys()].join(', ')}`);
      return set(genome, value);
    },
  };
};

const shape = genomeSchema.shape;
const decay = shape.decay.shape;
const write = shape.write.shape;
const output = shape.output.shape;
const heads = shape.heads.shape;
const layers = shape.layers.shape;
const literals = <T>(options: readonly { readonly value: T }[]): readonly T[] => options.map(({ value }) => value);

type Fir = Genome['fir'];
export const firKernels = literals(shape.fir.element.options);
const maxFirBranches = 4;

/** Sets of at most four kernels, in the order of binary counting. */
const firSets: readonly Fir[] = Array.from({ length: 2 ** firKernels.length }, (_, mask) =>
  firKernels.filter((_kernel, bit) => (mask >> bit) & 1),
).filter((set) => set.length <= maxFirBranches);

export const firWords = (fir: Fir): string => (fir.length === 0 ? 'none' : fir.join(' '));

type Streams = Pick<Genome['shortConv'], 'q' | 'k' | 'v'>;
const streamSets: readonly Streams[] = [false, true].flatMap((q) =>
  [false, true].flatMap((k) => [false, true].map((v) => ({ q, k, v }))),
);
const streamWords = ({ q, k, v }: Streams): string =>
  [q ? 'q' : '', k ? 'k' : '', v ? 'v' : ''].filter((stream) => stream !== '').join(' ') || 'none';
const convKernels = Array.from({ length: 7 }, (_, index) => index + 2);

export const genes: readonly Gene[] = [
  gene({
    path: 'decay.kind',
    group: 'decay',
    recurrence: true,
    values: decay.kind.options,
    get: (g) => g.decay.kind,
    set: (g, kind) => ({ ...g, decay: { ...g.decay, kind } }),
  }),
  gene({
    path: 'decay.param',
    group: 'decay',
    recurrence: true,
    values: decay.param.options,
    get: (g) => g.decay.param,
    set: (g, param) => ({ ...g, decay: { ...g.decay, param } }),
  }),
  gene({
    path: 'write.kind',
    group: 'write',
    recurrence: true,
    values: write.kind.options,
    get: (g) => g.write.kind,
    set: (g, kind) => ({ ...g, write: { ...g.write, kind } }),
  }),
  gene({
    path: 'write.beta',
    group: 'write',
    recurrence: true,
    values: write.beta.options,
    get: (g) => g.write.beta,
    set: (g, beta) => ({ ...g, write: { ...g.write, beta } }),
  }),
  gene({
    path: 'write.steps',
    group: 'write',
    recurrence: true,
    values: [1, 2, 3],
    get: (g) => g.write.steps,
    set: (g, steps) => ({ ...g, write: { ...g.write, steps } }),
  }),
  gene({
    path: 'write.eraseTime',
    group: 'write',
    recurrence: true,
    values: write.eraseTime.options,
    get: (g) => g.write.eraseTime,
    set: (g, eraseTime) => ({ ...g, write: { ...g.write, eraseTime } }),
  }),
  gene({
    path: 'keyTie',
    group: 'key-tie',
    recurrence: true,
    values: shape.keyTie.options,
    get: (g) => g.keyTie,
    set: (g, keyTie) => ({ ...g, keyTie }),
  }),
  gene({
    path: 'featureMap',
    group: 'feature-map',
    recurrence: true,
    values: shape.featureMap.options,
    get: (g) => g.featureMap,
    set: (g, featureMap) => ({ ...g, featureMap }),
  }),
  gene({
    path: 'qkNorm',
    group: 'qk-norm',
    recurrence: true,
    values: shape.qkNorm.options,
    get: (g) => g.qkNorm,
    set: (g, qkNorm) => ({ ...g, qkNorm }),
  }),
  gene({
    path: 'scale',
    group: 'scale',
    recurrence: false,
    values: shape.scale.options,
    get: (g) => g.scale,
    set: (g, scale) => ({ ...g, scale }),
  }),
  gene({
    path: 'position',
    group: 'position',
    recurrence: false,
    values: shape.position.options,
    get: (g) => g.position,
    set: (g, position) => ({ ...g, position }),
  }),
  gene({
    path: 'shortConv.streams',
    group: 'short-conv',
    recurrence: false,
    values: streamSets,
    get: (g) => g.shortConv,
    set: (g, { q, k, v }) => ({ ...g, shortConv: { ...g.shortConv, q, k, v } }),
    words: streamWords,
  }),
  gene({
    path: 'shortConv.kernel',
    group: 'short-conv',
    recurrence: false,
    values: convKernels,
    get: (g) => g.shortConv.kernel,
    set: (g, kernel) => ({ ...g, shortConv: { ...g.shortConv, kernel } }),
  }),
  gene({
    path: 'readout',
    group: 'readout',
    recurrence: true,
    values: shape.readout.options,
    get: (g) => g.readout,
    set: (g, readout) => ({ ...g, readout }),
  }),
  gene({
    path: 'output.norm',
    group: 'output',
    recurrence: false,
    values: output.norm.options,
    get: (g) => g.output.norm,
    set: (g, norm) => ({ ...g, output: { ...g.output, norm } }),
  }),
  gene({
    path: 'output.gate',
    group: 'output',
    recurrence: false,
    values: output.gate.options,
    get: (g) => g.output.gate,
    set: (g, gate) => ({ ...g, output: { ...g.output, gate } }),
  }),
  gene({
    path: 'valueMix',
    group: 'value-mix',
    recurrence: false,
    values: shape.valueMix.options,
    get: (g) => g.valueMix,
    set: (g, valueMix) => ({ ...g, valueMix }),
  }),
  gene({
    path: 'fir',
    group: 'fir',
    recurrence: false,
    values: firSets,
    get: (g) => g.fir,
    set: (g, fir) => ({ ...g, fir: [...fir] }),
    words: firWords,
  }),
  gene({
    path: 'router',
    group: 'router',
    recurrence: false,
    values: shape.router.options,
    get: (g) => g.router,
    set: (g, router) => ({ ...g, router }),
  }),
  gene({
    path: 'heads.multiple',
    group: 'heads',
    recurrence: false,
    values: literals(heads.multiple.options),
    get: (g) => g.heads.multiple,
    set: (g, multiple) => ({ ...g, heads: { ...g.heads, multiple } }),
  }),
  gene({
    path: 'heads.expandKey',
    group: 'state-size',
    recurrence: false,
    values: literals(heads.expandKey.options),
    get: (g) => g.heads.expandKey,
    set: (g, expandKey) => ({ ...g, heads: { ...g.heads, expandKey } }),
  }),
  gene({
    path: 'heads.expandValue',
    group: 'state-size',
    recurrence: false,
    values: literals(heads.expandValue.options),
    get: (g) => g.heads.expandValue,
    set: (g, expandValue) => ({ ...g, heads: { ...g.heads, expandValue } }),
  }),
  gene({
    path: 'layers.pattern',
    group: 'layers',
    recurrence: false,
    values: layers.pattern.options,
    get: (g) => g.layers.pattern,
    set: (g, pattern) => ({ ...g, layers: { ...g.layers, pattern } }),
  }),
  gene({
    path: 'layers.window',
    group: 'layers',
    recurrence: false,
    values: literals(layers.window.options),
    get: (g) => g.layers.window,
    set: (g, window) => ({ ...g, layers: { ...g.layers, window } }),
  }),
];

const byPath = new Map(genes.map((known) => [known.path, known]));
/** Throws RangeError for an unknown path. */
export const geneAt = (path: string): Gene => {
  const found = byPath.get(path);
  if (found === undefined) throw new RangeError(`there is no gene "${path}"; genes are ${[...byPath.keys()].join(', ')}`);
  return found;
};
export const genesOf = (group: GeneGroup): readonly Gene[] => genes.filter((known) => known.group === group);
/** Operators that change the recurrence itself. */
export const recurrenceGroups: readonly GeneGroup[] = geneGroups.filter((group) =>
  genesOf(group).some((known) => known.recurrence),
);

/** Every gene that differs, in the order of the table. */
export const changesBetween = (from: Genome, to: Genome): Change[] =>
  genes
    .filter((known) => known.read(from) !== known.read(to))
    .map((known) => ({ gene: known.path, from: known.read(from), to: known.read(to), recurrence: known.recurrence }));

/** The genome that the changes started from. */
export const undoChanges = (genome: Genome, changes: readonly Change[]): Genome =>
  changes.reduce((undone, change) => geneAt(change.gene).write(undone, change.from), genome);
