import { styleText } from 'node:util';

/** How lines are drawn: columns to fill and whether colour may be used. */
export interface Look {
  /** Columns that prose is wrapped at and that a table fits, unless it may be wider. */
  readonly width: number;
  /** Infinity where nothing needs to fit: what is piped is searched and compared, so that no name may be cut. Equal to width if absent. */
  readonly tableWidth?: number;
  readonly color: boolean;
}

/** Columns that a line of a table may take. */
export const roomOf = ({ width, tableWidth }: Look): number => tableWidth ?? width;

export const narrowest = 60;
export const widest = 200;

interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Width within 60 to 200, tables of any width where neither a terminal nor COLUMNS says how wide it is; colour on a terminal unless NO_COLOR (no-color.org) is set, or where FORCE_COLOR asks for it. */
export const lookOf = (stream: Screen, environment: NodeJS.ProcessEnv): Look => {
  const told = stream.columns ?? columnsFrom(environment);
  const width = Math.min(widest, Math.max(narrowest, told ?? 100));
  return { width, tableWidth: told === null ? Number.POSITIVE_INFINITY : width, color: wantsColor(stream, environment) };
};

const columnsFrom = (environment: NodeJS.ProcessEnv): number | null => {
  const columns = Number(environment.COLUMNS);
  return Number.isInteger(columns) && columns > 0 ? columns : null;
};

const wantsColor = (stream: Screen, environment: NodeJS.ProcessEnv): boolean => {
  if ((environment.NO_COLOR ?? '') !== '') return false;
  if ((environment.FORCE_COLOR ?? '') !== '') return environment.FORCE_COLOR !== '0';
  return stream.isTTY === true && environment.TERM !== 'dumb';
};

export type Tone = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** Text in a tone; unchanged where colour is off. */
export const tint = (look: Look, tone: Tone, text: string): string =>
  look.color && text !== '' ? styleText(tone, text, { validateStream: false }) : text;
