const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const lowest = blocks[0];
const missing = '×';

/**
 * A curve as one character a point, lowest to highest value. Longer curves are averaged down to `width` points; a value that is
 * not finite shows as ×.
 */
export const sparkline = (values: readonly (number | null)[], width: number): string => {
  const points = resample(values, width);
  const finite = points.filter((value) => value !== null);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  return points
    .map((value) => {
      if (value === null) return missing;
      if (high === low) return lowest;
      return blocks[Math.min(blocks.length - 1, Math.floor(((value - low) / (high - low)) * blocks.length))] ?? lowest;
    })
    .join('');
};

const resample = (values: readonly (number | null)[], width: number): readonly (number | null)[] => {
  const usable = values.map((value) => (value !== null && Number.isFinite(value) ? value : null));
  if (usable.length <= width) return usable;
  return Array.from({ length: width }, (_, index) => {
    const part = usable.slice(Math.floor((index * usable.length) / width), Math.floor(((index + 1) * usable.length) / width));
    // One bad loss is the news of its part of the curve.
    if (part.some((value) => value === null)) return null;
    return part.reduce<number>((sum, value) => sum + (value ?? 0), 0) / part.length;
  });
};

/** `[█████░░░░░]` for a share from 0 to 1. */
export const bar = (share: number, width: number): string => {
  const inner = Math.max(1, width - 2);
  const full = Math.round(Math.min(1, Math.max(0, share)) * inner);
  return `[${'█'.repeat(full)}${'░'.repeat(inner - full)}]`;
};
