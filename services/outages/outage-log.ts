import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Outage, outageSchema } from '../../workflows/contracts/outage.ts';

/** Breaks of Python processes on this machine, written by the workers that own them and read by the one that keeps the pages. */
export interface OutageLog {
  append(outage: Outage): void;
  /** Those at this instant (ISO 8601, UTC) or later, in the order of time. */
  since(at: string): readonly Outage[];
}

/** Thousands of lines: a process that breaks so often is the same news. */
const bytesRead = 256 * 1024;

/** One JSON object a line; a line is written by one call, so that workers do not cut into each other. */
export const openOutageLog = (path: string): OutageLog => ({
  append: (outage) => appendFileSync(path, `${JSON.stringify(outageSchema.parse(outage))}\n`),
  since: (at) =>
    tailOf(path)
      .split('\n')
      .flatMap(parsed)
      .filter((outage) => outage.at >= at),
});

const tailOf = (path: string): string => {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    const content = Buffer.alloc(Math.min(size, bytesRead));
    const count = readSync(file, content, 0, content.length, size - content.length);
    return content.toString('utf8', 0, count);
  } finally {
    closeSync(file);
  }
};

/** The first line may begin before what was read, and the last may have met a full disk: such a line is no outage. */
const parsed = (line: string): readonly Outage[] => {
  try {
    const read = outageSchema.safeParse(JSON.parse(line));
    return read.success ? [read.data] : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
};
