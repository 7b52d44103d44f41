import type { Neighbour } from './vector-index.ts';

const firstRows = 64;

/** Unit vectors of one scope, row by row in one array, searched exactly. */
export class VectorMatrix {
  readonly #dimensions: number;
  readonly #rowOf = new Map<string, number>();
  readonly #ids: string[] = [];
  #values: Float32Array;
  #lastChange = 0;

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
    this.#values = new Float32Array(firstRows * dimensions);
  }

  /** The newest change it holds. */
  get lastChange(): number {
    return this.#lastChange;
  }

  put(id: string, item: { readonly change: number; readonly vector: Float32Array }): void {
    let row = this.#rowOf.get(id);
    if (row === undefined) {
      row = this.#ids.push(id) - 1;
      this.#rowOf.set(id, row);
      if (this.#ids.length * this.#dimensions > this.#values.length) this.#grow();
    }
    this.#values.set(unit(item.vector), row * this.#dimensions);
    this.#lastChange = Math.max(this.#lastChange, item.change);
  }

  /** Highest cosine first; ties by id. Sums in float64. */
  nearest(vector: Float32Array, limit: number): readonly Neighbour[] {
    const query = unit(vector);
    const dimensions = this.#dimensions;
    const values = this.#values;
    const best: Neighbour[] = [];
    for (const [row, id] of this.#ids.entries()) {
      const start = row * dimensions;
      let sum = 0;
      for (let column = 0; column < dimensions; column++) sum += (values[start + column] ?? 0) * (query[column] ?? 0);
      const found = { id, similarity: Math.max(-1, Math.min(1, sum)) };
      const worst = best[limit - 1];
      if (worst !== undefined && order(found, worst) >= 0) continue;
      insert(best, found);
      if (best.length > limit) best.pop();
    }
    return limit > 0 ? best : [];
  }

  #grow(): void {
    const larger = new Float32Array(2 * this.#values.length);
    larger.set(this.#values);
    this.#values = larger;
  }
}

const unit = (vector: Float32Array): Float32Array => {
  // Scaled first, so that the squares of very large or very small numbers neither overflow nor vanish.
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const length = largest * Math.sqrt(vector.reduce((sum, value) => sum + (value / largest) ** 2, 0));
  return vector.map((value) => value / length);
};

const order = (a: Neighbour, b: Neighbour): number => b.similarity - a.similarity || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const insert = (sorted: Neighbour[], found: Neighbour): void => {
  const at = sorted.findIndex((other) => order(found, other) < 0);
  sorted.splice(at === -1 ? sorted.length : at, 0, found);
};
