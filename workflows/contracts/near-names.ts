/** Number of single-character insertions, deletions, substitutions and neighbour swaps between two words (restricted Damerau-Levenshtein). */
export const editDistance = (a: string, b: string): number => {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min((current[column - 1] ?? 0) + 1, (last[column] ?? 0) + 1, (last[column - 1] ?? 0) + substitution);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
};

/** The names that a person most likely meant, nearest first: within a third of the word's length, or holding the word. */
export const nearNames = (word: string, names: readonly string[], limit = 3): readonly string[] => {
  const wanted = word.toLowerCase();
  return names
    .map((name) => {
      const lower = name.toLowerCase();
      const distance = editDistance(wanted, lower);
      const holds = wanted.length >= 3 && (lower.includes(wanted) || wanted.includes(lower));
      return { name, distance, near: holds || distance <= Math.max(1, Math.floor(Math.max(wanted.length, lower.length) / 3)) };
    })
    .filter(({ near }) => near)
    .toSorted((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, limit)
    .map(({ name }) => name);
};
