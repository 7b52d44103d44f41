import { genomeKey } from '../../services/evolver/genome-key.ts';
import { codeKey } from '../../services/novelty/code-key.ts';
import type { KnownArchitecture } from '../../services/novelty/novelty.ts';
import { baselineGenomes } from '../../workflows/contracts/baselines.ts';
import { type BaselineName, baselineNames, type Genome } from '../../workflows/contracts/genome.ts';

/** Program text of a baseline, as the campaigns train it. */
export type EmitBaseline = (name: BaselineName) => Promise<string>;

export type KnownBaseline = KnownArchitecture & { readonly id: BaselineName };

/** Every baseline of the list, those that a campaign does not run too: none of them is a discovery. */
export class KnownBaselines {
  readonly #emit: EmitBaseline;
  #known: Promise<readonly KnownBaseline[]> | null = null;

  constructor(emit: EmitBaseline) {
    this.#emit = emit;
  }

  /** Their keys, made once. Rejects where no program can be emitted, and tries again then. */
  all(): Promise<readonly KnownBaseline[]> {
    this.#known ??= Promise.all(
      baselineNames.map(async (id) => ({
        id,
        name: `the baseline ${id}`,
        genomeKey: genomeKey(baselineGenomes[id]),
        codeKey: codeKey(await this.#emit(id)),
      })),
    ).catch((error: unknown) => {
      this.#known = null;
      throw error;
    });
    return this.#known;
  }

  /** The baseline that this architecture is, by genome or by program up to comments, layout and names; null for none. */
  async nameOf({ genome, program }: { readonly genome: Genome | null; readonly program: string }): Promise<BaselineName | null> {
    const known = await this.all();
    const key = genome === null ? null : genomeKey(genome);
    const code = codeKey(program);
    return known.find((one) => one.genomeKey === key || one.codeKey === code)?.id ?? null;
  }
}
