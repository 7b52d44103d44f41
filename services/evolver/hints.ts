import { type Gene, type GeneGroup, genes } from './genes.ts';

/**
 * How a person's hints steer the draw. Plain keyword matching, nothing cleverer:
 * - a topic word ("fir", "decay", "gate", "delta", "state", …, see `topics`) makes its groups of genes `wished` times likelier;
 * - a value's own name ("two-stage", "householder", "vector-data", …) does so for the value (and, where wished, for its group); so do "wider" and "shorter" beside
 *   "fir" for branches of 31 tokens and more, or fewer;
 * - a topic or value after "no", "not", "avoid", "without", "less", "fewer", "drop" or "remove" in the same clause becomes `avoided` times
 *   as likely. Clauses end at commas, semicolons, full stops and "but".
 * A hint without any known word steers nothing, and the motivation says so.
 */
export interface HintWeights {
  group(group: GeneGroup): number;
  value(gene: Gene, value: string): number;
  /** Hints in which a known word was found, and those without. */
  readonly followed: readonly string[];
  readonly unknown: readonly string[];
}

const wished = 4;
const avoided = 0.2;
const avoiding = /\b(no|not|avoid|without|less|fewer|drop|remove)\b/;

const topics: readonly { readonly words: RegExp; readonly groups: readonly GeneGroup[] }[] = [
  { words: /\b(fir|local|multi-?scale|branch(es)?|filters?)\b/, groups: ['fir', 'router'] },
  { words: /\b(conv(olutions?)?)\b/, groups: ['short-conv', 'fir'] },
  { words: /\b(decays?|forget(ting)?|fad(e|ing)|horizons?)\b/, groups: ['decay'] },
  { words: /\b(gat(es?|ed|ing))\b/, groups: ['output', 'decay'] },
  { words: /\b(delta|eras(e|ing)|writ(es?|ing)|overwrit(e|ing))\b/, groups: ['write'] },
  { words: /\b(state[- ]tracking|negative|eigenvalues?|rotations?|reflections?)\b/, groups: ['write'] },
  { words: /\b(state|memory|recall|capacity|width|expand)\b/, groups: ['state-size', 'heads'] },
  { words: /\bheads?\b/, groups: ['heads'] },
  { words: /\b(feature|activation|kernel)( maps?| functions?)?\b/, groups: ['feature-map'] },
  { words: /\b(norms?|normali[sz](e|ed|ation))\b/, groups: ['qk-norm', 'output'] },
  { words: /\b(keys?)\b/, groups: ['key-tie', 'qk-norm', 'feature-map'] },
  { words: /\b(positions?|rope|rotary)\b/, groups: ['position'] },
  { words: /\b(read-?outs?|bonus|quer(y|ies))\b/, groups: ['readout'] },
  { words: /\b(value[- ](mix|path)|skips?|mix(ing)?)\b/, groups: ['value-mix'] },
  { words: /\b(router?s?|routing)\b/, groups: ['router', 'fir'] },
  { words: /\b(windows?|attention|hybrids?|layers?)\b/, groups: ['layers'] },
  { words: /(?<!-)\bscal(e|es|ing)\b/, groups: ['scale'] },
];

/** Too short or too common a word to mean the value in running text. */
const plainWords = new Set([
  'none',
  'one',
  'free',
  'plain',
  'identity',
  'static',
  'group',
  'layer',
  'skip',
  'square',
  'sum',
  'delta',
]);
const namedValues = genes.flatMap((gene) =>
  gene.values.filter((value) => /^[a-z][a-z0-9-]+$/.test(value) && !plainWords.has(value)).map((value) => ({ gene, value })),
);

export const readHints = (hints: readonly string[]): HintWeights => {
  const groups = new Map<GeneGroup, number>();
  const values = new Map<string, number>();
  const wide = { weight: 1 };
  const followed = hints.filter((hint) =>
    clausesOf(hint)
      .map((clause) => readClause(clause, { groups, values, wide }))
      .includes(true),
  );
  return {
    group: (group) => groups.get(group) ?? 1,
    value: (gene, value) =>
      (values.get(`${gene.path}=${value}`) ?? 1) * (gene.path === 'fir' && longestKernel(value) >= 31 ? wide.weight : 1),
    followed,
    unknown: hints.filter((hint) => !followed.includes(hint)),
  };
};

interface Steering {
  readonly groups: Map<GeneGroup, number>;
  readonly values: Map<string, number>;
  readonly wide: { weight: number };
}

/** Whether the clause held a known word. Later clauses win over earlier ones. */
const readClause = (clause: string, { groups, values, wide }: Steering): boolean => {
  const weightAt = (index: number): number => (avoiding.test(clause.slice(0, index)) ? avoided : wished);
  let found = false;
  for (const topic of topics) {
    const index = clause.search(topic.words);
    if (index < 0) continue;
    found = true;
    for (const group of topic.groups) groups.set(group, weightAt(index));
  }
  for (const { gene, value } of namedValues) {
    const index = clause.search(new RegExp(`(?<![a-z0-9-])${value}(?![a-z0-9-])`));
    if (index < 0) continue;
    found = true;
    const weight = weightAt(index);
    values.set(`${gene.path}=${value}`, weight);
    // Avoiding one value is no reason to touch its group more or less.
    if (weight === wished) groups.set(gene.group, wished);
  }
  if (/\bfir\b/.test(clause)) {
    if (/\b(wide|wider|long|longer)\b/.test(clause)) wide.weight = wished;
    else if (/\b(narrow|narrower|short|shorter)\b/.test(clause)) wide.weight = avoided;
  }
  return found;
};

const clausesOf = (hint: string): readonly string[] => hint.toLowerCase().split(/[,;.]|\bbut\b/);
const longestKernel = (value: string): number => (value === 'none' ? 0 : Math.max(...value.split(' ').map(Number)));
