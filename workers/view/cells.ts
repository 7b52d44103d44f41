import { stripVTControlCharacters } from 'node:util';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
/** Drawn as pictographs nowhere that matters; terminals give them one column. */
const narrow = /^[\u2190-\u27bf]$/u;

/**
 * One line of printable text. Names, motivations and logs come from programs and people: escape sequences, control and
 * direction-changing characters in them must not reach a terminal.
 */
export const plain = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, '')
    .trim();

/** Letters of the West, punctuation, arrows, boxes, blocks: a column each and nothing that joins. Most text is this; segmenting is slow. */
const simple = /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u27bf]*$/;

/** Columns that the text takes on a terminal; colour takes none. */
export const displayWidth = (text: string): number => {
  if (simple.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(stripVTControlCharacters(text))) {
    // A character is as wide alone as beside others.
    width += !simple.test(segment) && wide.test(segment) && !narrow.test(segment) ? 2 : 1;
  }
  return width;
};

/** The text within so many columns; what does not fit ends in "…". Expects text without colour. */
export const cut = (text: string, width: number): string => {
  if (displayWidth(text) <= width) return text;
  return width <= 0 ? '' : `${head(text, width - 1).trimEnd()}…`;
};

/** As much of the text as so many columns hold, whole characters only. */
const head = (text: string, width: number): string => {
  if (simple.test(text)) return text.slice(0, width);
  let kept = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    used += displayWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return kept;
};

export const padTo = (text: string, width: number, align: 'left' | 'right' = 'left'): string => {
  const gap = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + gap : gap + text;
};

/** Words on lines of at most so many columns (2 or more); longer words are cut across lines. */
export const wrap = (text: string, width: number): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of plain(text).split(' ')) {
    let rest = word;
    if (line !== '' && displayWidth(line) + 1 + displayWidth(rest) > width) {
      lines.push(line);
      line = '';
    }
    while (displayWidth(rest) > width) {
      const piece = head(rest, width);
      lines.push(piece);
      rest = rest.slice(piece.length);
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  return line === '' ? lines : [...lines, line];
};
