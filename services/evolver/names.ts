import type { Change } from '../../workflows/contracts/experiment.ts';
import type { Genome } from '../../workflows/contracts/genome.ts';

const mostCharacters = 80;

/**
 * A short name that no other experiment of the campaign has: the recurrence, its extra paths, then what was changed, for example
 * "gated-delta + fir 3,15 · two-stage".
 */
export const nameGenome = (
  genome: Genome,
  context: { readonly changes: readonly Change[]; readonly taken: ReadonlySet<string> },
): string => {
  const title = [familyOf(genome), ...pathsOf(genome)].join(' + ');
  const { changed, marks } = marksOf(genome, context.changes);
  // A bare recurrence would read like the baseline that it is named after.
  const fewest = title === familyOf(genome) ? 1 : Math.min(1, changed.length);
  for (let numMarks = fewest; numMarks <= marks.length; numMarks++) {
    const name = [title, ...marks.slice(0, numMarks)].join(' · ');
    if (name.length <= mostCharacters && !context.taken.has(name)) return name;
  }
  const stem = [title, ...marks.slice(0, 2)].join(' · ').slice(0, mostCharacters - 8);
  for (let version = 2; ; version++) {
    const name = `${stem} · v${version}`;
    if (!context.taken.has(name)) return name;
  }
};

const familyOf = (genome: Genome): string => {
  const additive = genome.write.kind === 'additive';
  const fading = {
    none: '',
    'scalar-const': additive ? 'retentive-' : 'fading-',
    'vector-const': additive ? 'channel-retentive-' : 'channel-fading-',
    'scalar-data': 'gated-',
    'vector-data': genome.keyTie === 'one-minus-decay' ? 'tied-gated-' : 'channel-gated-',
  }[genome.decay.kind];
  const writing = {
    additive: 'linear',
    delta: 'delta',
    'decoupled-erase': 'split-delta',
    householder: `delta×${genome.write.steps}`,
  }[genome.write.kind];
  return `${fading}${writing}`;
};

const pathsOf = (genome: Genome): readonly string[] => [
  ...(genome.fir.length > 0 ? [`fir ${genome.fir.join(',')}`] : []),
  ...(genome.valueMix === 'none' ? [] : [genome.valueMix === 'skip' ? 'skip' : 'value mix']),
  ...(genome.layers.pattern === 'uniform' ? [] : [`window ${genome.layers.window}`]),
];

/** Genes that the title tells already. */
const told = new Set(['decay.kind', 'write.kind', 'write.steps', 'keyTie', 'fir', 'valueMix', 'layers.pattern', 'layers.window']);

/** Changed genes first, then others that tell two designs apart; each in as few words as it takes. */
const marksOf = (
  genome: Genome,
  changes: readonly Change[],
): { readonly changed: readonly string[]; readonly marks: readonly string[] } => {
  const changed = changes.filter((change) => !told.has(change.gene)).map((change) => markOf(change.gene, change.to));
  const further = [
    ...(genome.router === 'none' ? [] : [markOf('router', genome.router)]),
    ...(genome.output.gate === 'none' ? [] : [markOf('output.gate', genome.output.gate)]),
    ...(genome.readout === 'plain' ? [] : [markOf('readout', genome.readout)]),
    markOf('featureMap', genome.featureMap),
    `${genome.qkNorm === 'none' ? 'free' : genome.qkNorm} keys`,
    markOf('shortConv.streams', streamsOf(genome)),
    markOf('output.norm', genome.output.norm),
    markOf('decay.param', genome.decay.param),
  ];
  return { changed, marks: [...new Set([...changed, ...further])] };
};

const streamsOf = ({ shortConv: { q, k, v } }: Genome): string => `${q ? 'q' : ''}${k ? 'k' : ''}${v ? 'v' : ''}` || 'none';

const markOf = (gene: string, value: string): string => {
  switch (gene) {
    case 'router':
    case 'featureMap':
    case 'decay.param':
      return value === 'none' ? 'no router' : value;
    case 'write.beta':
      return value === 'one' ? 'full strength' : `beta ${value}`;
    case 'write.eraseTime':
      return value === 'after-decay' ? 'late erase' : 'early erase';
    case 'qkNorm':
      return value === 'none' ? 'free keys' : `${value} keys`;
    case 'scale':
      return value === 'one' ? 'unscaled' : 'scaled';
    case 'position':
      return value === 'none' ? 'no position' : value;
    case 'shortConv.streams':
      return value === 'none' ? 'no conv' : `conv ${value.replaceAll(' ', '')}`;
    case 'shortConv.kernel':
      return `conv length ${value}`;
    case 'readout':
      return value === 'plain' ? 'plain read' : value;
    case 'output.norm':
      return value === 'none' ? 'no output norm' : `${value} norm`;
    case 'output.gate':
      return value === 'none' ? 'ungated' : `${value} gate`;
    case 'heads.multiple':
      return value === '0.5' ? 'half heads' : value === '2' ? 'double heads' : 'usual heads';
    case 'heads.expandKey':
      return value === '0.5' ? 'half keys' : 'full keys';
    case 'heads.expandValue':
      return value === '2' ? 'wide values' : 'usual values';
    default:
      return `${gene} ${value}`;
  }
};
