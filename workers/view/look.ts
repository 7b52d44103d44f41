import { styleText } from 'node:util';

/** How lines are drawn: columns to fill and whether colour may be used. */
export interface Look {
  readonly width: number;
  readonly color: boolean;
}

export const narrowest = 60;
export const widest = 200;

interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Width within 60 to 200; colour on a terminal unless NO_COLOR (no-color.org) is set, or where FORCE_COLOR asks for it. */
export const lookOf = (stream: Screen, environment: NodeJS.ProcessEnv): Look => ({
  width: Math.min(widest, Math.max(narrowest, stream.columns ?? columnsFrom(environment) ?? 100)),
  color: wantsColor(stream, environment),
});

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
