import { cut, displayWidth, padTo, plain } from './cells.ts';
import { type Look, roomOf, type Tone, tint } from './look.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly align?: 'left' | 'right';
  readonly tone?: (row: Row) => Tone | null;
  /** Columns that may be cut when the line is too long, the one with the highest number first; others are always whole. */
  readonly shrink?: number;
  /** A cut column keeps at least this many characters; below that it is left out. */
  readonly least?: number;
}

const gap = '  ';

/** Lines of a table that fits the width: heading, then a line a row. Cells are single lines. */
export const table = <Row>(
  look: Look,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  indent = '  ',
): readonly string[] => {
  if (rows.length === 0) return [];
  const cells = rows.map((row) => columns.map((column) => plain(column.cell(row))));
  const widths = shrinkToFit(
    columns.map((column, index) => Math.max(displayWidth(column.title), ...cells.map((row) => displayWidth(row[index] ?? '')))),
    columns,
    roomOf(look) - displayWidth(indent),
  );
  const draw = (texts: readonly string[], tone: (column: Column<Row>) => Tone | null): string =>
    `${indent}${columns
      .map((column, index) => {
        const width = widths[index] ?? 0;
        const color = tone(column);
        const text = padTo(cut(texts[index] ?? '', width), width, column.align);
        return color === null ? text : tint(look, color, text);
      })
      .filter((_, index) => (widths[index] ?? 0) > 0)
      .join(gap)}`.trimEnd();
  return [
    draw(
      columns.map(({ title }) => title),
      () => 'dim',
    ),
    ...rows.map((row, index) => draw(cells[index] ?? [], (column) => column.tone?.(row) ?? null)),
  ];
};

/** Cuts as little as it can; leaves a column out only when the least of every cut column is still too much. */
const shrinkToFit = <Row>(natural: readonly number[], columns: readonly Column<Row>[], room: number): readonly number[] => {
  const order = columns
    .map(({ shrink, least }, index) => ({ index, shrink: shrink ?? 0, least: least ?? 6 }))
    .filter(({ shrink }) => shrink > 0)
    .toSorted((a, b) => b.shrink - a.shrink);
  for (let numLeftOut = 0; numLeftOut <= order.length; numLeftOut++) {
    const leftOut = new Set(order.slice(0, numLeftOut).map(({ index }) => index));
    const widths = natural.map((width, index) => (leftOut.has(index) ? 0 : width));
    for (const { index, least } of order.slice(numLeftOut)) {
      const over = lineWidth(widths) - room;
      if (over > 0) widths[index] = Math.max(Math.min(least, widths[index] ?? 0), (widths[index] ?? 0) - over);
    }
    if (lineWidth(widths) <= room || numLeftOut === order.length) return widths;
  }
  return natural;
};

const lineWidth = (widths: readonly number[]): number => {
  const shown = widths.filter((width) => width > 0);
  return shown.reduce((sum, width) => sum + width, 0) + gap.length * Math.max(0, shown.length - 1);
};
