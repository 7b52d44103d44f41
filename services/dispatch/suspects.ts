/** Outages in the runs of one program that are borne; one more, and none is tried again. */
const outagesBorne = 2;
const suspectsKept = 1000;

/**
 * Counts the outages in which a program ran. One that takes its host down looks like a fault of the machine each time, and would be tried again
 * as one. Others that ran beside it are counted too; so the last try is made with no other job in its host, and whoever did nothing to that
 * comes through.
 */
export class Suspects {
  readonly #outages = new Map<string, number>();

  /** Whether the next run must have its host to itself. */
  runsAlone(suspect: string | undefined): boolean {
    return suspect !== undefined && (this.#outages.get(suspect) ?? 0) >= outagesBorne;
  }

  /** An outage in a run of the program; what it is to be called. */
  met(suspect: string, detail: string): { readonly label: 'infra' | 'poison'; readonly detail: string } {
    const count = (this.#outages.get(suspect) ?? 0) + 1;
    this.#outages.delete(suspect);
    if (count > outagesBorne)
      return {
        label: 'poison',
        detail: `${count} of its runs ended in an outage, the last one with no other job in its host: ${detail}`,
      };
    this.#outages.set(suspect, count);
    const oldest = this.#outages.size > suspectsKept ? this.#outages.keys().next() : undefined;
    if (oldest !== undefined && oldest.done !== true) this.#outages.delete(oldest.value);
    return { label: 'infra', detail };
  }

  /** A run of the program that ended by itself. */
  clear(suspect: string): void {
    this.#outages.delete(suspect);
  }
}
