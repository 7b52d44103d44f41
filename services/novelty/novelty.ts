import type { Proposal } from '../../workflows/contracts/experiment.ts';
import type { Embedder } from '../embed/embedder.ts';
import type { Neighbour, VectorIndex } from '../vectors/vector-index.ts';
import { codeKey } from './code-key.ts';
import { embedCode } from './embed-code.ts';

/** What the campaign already holds of another architecture. */
export interface KnownArchitecture {
  readonly id: string;
  readonly name: string;
  /** Canonical key of its genome; null for a program without one. */
  readonly genomeKey: string | null;
  /** Its `codeKey`; null where the program cannot be read any more. */
  readonly codeKey: string | null;
}

export interface NearArchitecture {
  readonly id: string;
  readonly name: string;
  /** Cosine similarities; null where the neighbour is far in that space. */
  readonly motivationSimilarity: number | null;
  readonly codeSimilarity: number | null;
}

export interface Embeddings {
  readonly motivation: Float32Array;
  readonly code: Float32Array;
}

export type NoveltyVerdict =
  | {
      readonly verdict: 'new';
      readonly nearest: readonly NearArchitecture[];
      readonly reason: string;
      /** To be stored by `rememberArchitecture` once the candidate is accepted. */
      readonly embeddings: Embeddings;
    }
  | {
      readonly verdict: 'duplicate';
      readonly nearest: readonly NearArchitecture[];
      readonly reason: string;
      readonly repeats: { readonly id: string; readonly name: string };
    };

export interface NoveltyRequest {
  readonly proposal: Pick<Proposal, 'name' | 'motivation'>;
  /** Canonical key of the proposal's genome; null where it has none. */
  readonly genomeKey: string | null;
  readonly program: string;
  readonly embedder: Embedder;
  readonly vectors: VectorIndex;
  /** Campaign whose vectors are compared. Vectors of another embedding model live in another scope. */
  readonly scope: string;
  readonly known: readonly KnownArchitecture[];
}

const numNearest = 5;
/** Enough of each space that most of the nearest are found in both. */
const numCandidates = 25;

/**
 * Whether the campaign already has this architecture. A duplicate is the same genome or the same program up to comments, layout and names;
 * likeness of words or code is reported and never enough, because nobody here can say whether a small difference matters. Costs no
 * embedding for a duplicate.
 */
export const judgeNovelty = async (request: NoveltyRequest): Promise<NoveltyVerdict> => {
  const repeated = findRepeated(request);
  if (repeated !== null) {
    const { id, name, why } = repeated;
    return {
      verdict: 'duplicate',
      nearest: [],
      reason: `"${request.proposal.name}" ${why} ${id} "${name}"`,
      repeats: { id, name },
    };
  }
  const { embedder, program, proposal } = request;
  const embeddings = await embedArchitecture(embedder, { motivation: proposal.motivation, program });
  const nearest = await findNearest(request, embeddings);
  const first = nearest[0];
  const reason =
    first === undefined
      ? 'nothing to compare with yet'
      : `no equal genome or program among ${request.known.length}; nearest is ${first.id} "${first.name}" (${similarityWords(first)})`;
  return { verdict: 'new', nearest, reason, embeddings };
};

export const embedArchitecture = async (
  embedder: Embedder,
  texts: { readonly motivation: string; readonly program: string },
): Promise<Embeddings> => {
  const [motivation] = await embedder.embed([texts.motivation]);
  if (motivation === undefined) throw new Error(`the embedder ${embedder.model} gave no vector for one text`);
  return { motivation, code: await embedCode(embedder, texts.program) };
};

/** Stores the embeddings of an accepted candidate. Writing them again changes nothing. */
export const rememberArchitecture = async (accepted: {
  readonly vectors: VectorIndex;
  readonly scope: string;
  readonly id: string;
  readonly embeddings: Embeddings;
}): Promise<void> => {
  const { vectors, scope, id, embeddings } = accepted;
  await vectors.put('motivation', { id, scope, vector: embeddings.motivation });
  await vectors.put('code', { id, scope, vector: embeddings.code });
};

const findRepeated = (request: NoveltyRequest): { readonly id: string; readonly name: string; readonly why: string } | null => {
  const { genomeKey, known } = request;
  const sameGenome = genomeKey === null ? undefined : known.find((other) => other.genomeKey === genomeKey);
  if (sameGenome !== undefined) return { ...sameGenome, why: 'has the same genome as' };
  const key = codeKey(request.program);
  const sameCode = known.find((other) => other.codeKey === key);
  return sameCode === undefined ? null : { ...sameCode, why: 'is, up to comments, layout and names, the program of' };
};

const findNearest = async (
  { vectors, scope, known }: NoveltyRequest,
  embeddings: Embeddings,
): Promise<readonly NearArchitecture[]> => {
  const [byMotivation, byCode] = await Promise.all([
    vectors.nearest('motivation', { scope, vector: embeddings.motivation, limit: numCandidates }),
    vectors.nearest('code', { scope, vector: embeddings.code, limit: numCandidates }),
  ]);
  const motivation = similarities(byMotivation);
  const code = similarities(byCode);
  const names = new Map(known.map(({ id, name }) => [id, name]));
  return [...new Set([...motivation.keys(), ...code.keys()])]
    .map((id) => ({
      id,
      name: names.get(id) ?? id,
      motivationSimilarity: motivation.get(id) ?? null,
      codeSimilarity: code.get(id) ?? null,
    }))
    .toSorted((a, b) => closeness(b) - closeness(a) || a.id.localeCompare(b.id))
    .slice(0, numNearest);
};

const similarities = (neighbours: readonly Neighbour[]): ReadonlyMap<string, number> =>
  new Map(neighbours.map(({ id, similarity }) => [id, similarity]));

/** The nearer of the two ways of being alike: a copy in words or a copy in code should both be seen. */
const closeness = ({ motivationSimilarity, codeSimilarity }: NearArchitecture): number =>
  Math.max(motivationSimilarity ?? -1, codeSimilarity ?? -1);

const similarityWords = ({ motivationSimilarity, codeSimilarity }: NearArchitecture): string => {
  const words = (similarity: number | null): string => (similarity === null ? 'far' : similarity.toFixed(3));
  return `motivation ${words(motivationSimilarity)}, code ${words(codeSimilarity)}`;
};
