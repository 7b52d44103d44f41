import { cut, padTo, plain, wrap } from './cells.ts';
import { type Look, roomOf, type Tone, tint } from './look.ts';

export interface DoctorRow {
  readonly name: string;
  /** note: good to know, nothing is missing. */
  readonly status: 'ok' | 'missing' | 'note';
  readonly version: string | null;
  /** Where it is, or what was found instead. */
  readonly found: string;
  /** The exact thing to do; null where nothing is missing. */
  readonly remedy: string | null;
}

const tones: Readonly<Record<DoctorRow['status'], Tone>> = { ok: 'green', missing: 'red', note: 'dim' };
const indent = ' '.repeat(9);

export const doctorLines = (look: Look, rows: readonly DoctorRow[]): readonly string[] => {
  const nameWidth = Math.max(0, ...rows.map(({ name }) => name.length));
  const versionWidth = Math.min(28, Math.max(0, ...rows.map(({ version }) => (version ?? '').length)));
  return rows.flatMap(({ name, status, version, found, remedy }) => {
    const head = `${padTo(name, nameWidth)}  ${padTo(cut(version ?? '', versionWidth), versionWidth)}  `;
    const room = roomOf(look) - 9 - nameWidth - versionWidth - 4;
    // A path may be cut; words about what is wrong or what to do never are.
    const text = status === 'ok' ? [cut(plain(found), Math.max(20, room))] : [];
    return [
      `${tint(look, tones[status], padTo(status, 7))}  ${head}${text.join('')}`.trimEnd(),
      ...(status !== 'ok' ? wrap(found, look.width - indent.length).map((line) => `${indent}${line}`) : []),
      ...(remedy === null
        ? []
        : wrap(`remedy: ${remedy}`, look.width - indent.length).map((line) => `${indent}${tint(look, 'yellow', line)}`)),
    ];
  });
};
