import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import type { Embedder } from '../../services/embed/embedder.ts';
import { genomeKey } from '../../services/evolver/genome-key.ts';
import { CodeKeys } from '../../services/novelty/code-key.ts';
import {
  embedArchitecture,
  judgeNovelty,
  type KnownArchitecture,
  type NoveltyVerdict,
  rememberArchitecture,
} from '../../services/novelty/novelty.ts';
import type { Draft, Relative } from '../../services/researcher/researcher.ts';
import type { VectorIndex } from '../../services/vectors/vector-index.ts';
import type { KnownBaselines } from './known-baselines.ts';

export interface NoveltyDependencies {
  readonly artifacts: Artifacts;
  readonly vectors: VectorIndex;
  readonly embedder: Embedder;
  /** Known whatever a campaign runs. */
  readonly baselines: Pick<KnownBaselines, 'all'>;
}

/** Compares drafts with what a campaign holds, and with the whole list of baselines. */
export class NoveltyCheck {
  readonly #dependencies: NoveltyDependencies;
  readonly #codeKeys: CodeKeys;

  constructor(dependencies: NoveltyDependencies) {
    this.#dependencies = dependencies;
    this.#codeKeys = new CodeKeys((hash) => dependencies.artifacts.getText(hash));
  }

  async judge(request: {
    readonly draft: Draft;
    readonly program: string;
    readonly scope: string;
    readonly history: readonly Relative[];
  }): Promise<NoveltyVerdict> {
    const { draft, program, scope, history } = request;
    const { baselines, embedder, vectors } = this.#dependencies;
    const held = await Promise.all(history.map((relative) => this.#known(relative)));
    await this.#restoreIndex(scope, history);
    return await judgeNovelty({
      proposal: draft,
      genomeKey: draft.genome === null ? null : genomeKey(draft.genome),
      program,
      embedder,
      vectors,
      scope,
      // The campaign's own first, so that a repeated baseline of it is named by its experiment.
      known: [...held, ...(await baselines.all())],
    });
  }

  /** The index is a cache: where it was lost or replaced, it is written again from the archive before it is asked. */
  async #restoreIndex(scope: string, history: readonly Relative[]): Promise<void> {
    const { artifacts, embedder, vectors } = this.#dependencies;
    // Vectors are stored before a proposal is, so that an index that is whole never holds fewer.
    const candidates = history.filter(({ kind, programHash }) => kind === 'candidate' && programHash !== null);
    if ((await vectors.count('code', scope)) >= candidates.length) return;
    for (const { id, motivation, programHash } of candidates) {
      const program = programHash === null ? null : await artifacts.getText(programHash);
      // A program whose file is gone cannot be compared; its genome still is.
      if (program === null) continue;
      await rememberArchitecture({ vectors, scope, id, embeddings: await embedArchitecture(embedder, { motivation, program }) });
    }
  }

  async #known({ id, name, genome, programHash }: Relative): Promise<KnownArchitecture> {
    return {
      id,
      name,
      genomeKey: genome === null ? null : genomeKey(genome),
      codeKey: programHash === null ? null : await this.#codeKeys.keyOf(programHash),
    };
  }
}
