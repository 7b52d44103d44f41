import { structuredPatch } from 'diff';
import { type Look, type Tone, tint } from './look.ts';

export interface Program {
  readonly title: string;
  readonly text: string;
}

/** Unified diff from the parent's program to the child's; empty when they are the same. */
export const codeDiff = (look: Look, from: Program, to: Program): readonly string[] => {
  const { hunks } = structuredPatch(from.title, to.title, from.text, to.text, '', '', { context: 3 });
  if (hunks.length === 0) return [];
  return [
    tint(look, 'bold', `--- ${from.title}`),
    tint(look, 'bold', `+++ ${to.title}`),
    ...hunks.flatMap((hunk) => [
      tint(look, 'cyan', `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`),
      ...hunk.lines.map((line) => {
        const text = printable(line);
        const tone = toneOf(line);
        return tone === null ? text : tint(look, tone, text);
      }),
    ]),
  ];
};

const toneOf = (line: string): Tone | null => {
  if (line.startsWith('+')) return 'green';
  if (line.startsWith('-')) return 'red';
  return null;
};

/** A line of program text with its indentation, without what a terminal would obey. */
export const printable = (line: string): string => line.replaceAll('\t', '    ').replace(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}');
