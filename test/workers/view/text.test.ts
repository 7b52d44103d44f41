import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, displayWidth, padTo, plain, wrap } from '../../../workers/view/cells.ts';
import { bytesText, durationText, effectText, signed } from '../../../workers/view/figures.ts';
import { lookOf, roomOf, tint } from '../../../workers/view/look.ts';
import { bar, sparkline } from '../../../workers/view/sparkline.ts';
import { table } from '../../../workers/view/table.ts';
import { anEffect } from '../../support/builders.ts';

const plainLook = (width: number) => ({ width, color: false });

describe('text from records', () => {
  it('loses escape sequences, newlines, control and direction characters', () => {
    expect(plain('\u001b[31mred\u001b[0m\nnext\u0007\u202eright\u200b')).toBe('red nextright');
    expect(plain('\u001b]8;;http://x\u0007link\u001b]8;;\u0007')).toBe('link');
  });

  it('never reaches a terminal with a control character, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(plain(text)).not.toMatch(/\p{Cc}/u);
      }),
    );
  });

  it('is cut to the columns that it may take', () => {
    expect(cut('deltanet', 8)).toBe('deltanet');
    expect(cut('deltanet', 5)).toBe('delt…');
    expect(cut('deltanet', 0)).toBe('');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.integer({ min: 1, max: 30 }), (text, width) => {
        expect(displayWidth(cut(plain(text), width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('counts wide characters twice and colour not at all', () => {
    expect(displayWidth('漢字')).toBe(4);
    expect(displayWidth(tint({ width: 80, color: true }, 'green', 'ok'))).toBe(2);
    expect(displayWidth('└─ █ → …')).toBe(8);
    expect(displayWidth('© ¯Ͱ')).toBe(displayWidth('©') + 1 + displayWidth('¯Ͱ'));
    expect(padTo('漢', 4)).toBe('漢  ');
    expect(padTo('7', 3, 'right')).toBe('  7');
  });

  it('wraps at words and cuts a word that is longer than the line', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
    expect(wrap('', 10)).toEqual([]);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.integer({ min: 4, max: 20 }), (text, width) => {
        const lines = wrap(text, width);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
        expect(lines.join('').replaceAll(' ', '')).toBe(plain(text).replaceAll(' ', ''));
      }),
    );
  });
});

describe('the look of a stream', () => {
  it('keeps the width within 60 and 200', () => {
    expect(lookOf({ columns: 20 }, {}).width).toBe(60);
    expect(lookOf({ columns: 500 }, {}).width).toBe(200);
    expect(lookOf({}, { COLUMNS: '77' }).width).toBe(77);
    expect(lookOf({}, {}).width).toBe(100);
    expect(roomOf(lookOf({ columns: 80 }, {}))).toBe(80);
    expect(roomOf(lookOf({}, {}))).toBe(Number.POSITIVE_INFINITY);
  });

  it('has colour on a terminal only, never with NO_COLOR, and where FORCE_COLOR asks for it', () => {
    expect(lookOf({ isTTY: true }, {}).color).toBe(true);
    expect(lookOf({}, {}).color).toBe(false);
    expect(lookOf({ isTTY: true }, { NO_COLOR: '1', FORCE_COLOR: '1' }).color).toBe(false);
    expect(lookOf({ isTTY: true }, { NO_COLOR: '' }).color).toBe(true);
    expect(lookOf({}, { FORCE_COLOR: '1' }).color).toBe(true);
    expect(lookOf({ isTTY: true }, { TERM: 'dumb' }).color).toBe(false);
  });
});

describe('sparklines and bars', () => {
  it('run from the lowest to the highest value', () => {
    expect(sparkline([3, 2, 1], 10)).toBe('█▅▁');
    expect(sparkline([1, 1], 10)).toBe('▁▁');
    expect(sparkline([], 10)).toBe('');
  });

  it('average a long curve down and show what is not finite', () => {
    expect(sparkline([8, 8, 1, 1], 2)).toBe('█▁');
    expect(sparkline([1, null, 2, 3], 2)).toBe('×▁');
    expect(sparkline([Number.NaN, 1], 2)).toBe('×▁');
  });

  it('are never longer than asked, whatever the curve', () => {
    const point = fc.option(fc.double());
    fc.assert(
      fc.property(fc.array(point), fc.integer({ min: 1, max: 40 }), (values, width) => {
        expect(displayWidth(sparkline(values, width))).toBe(Math.min(width, values.length));
      }),
    );
  });

  it('fill a bar with the share that is done', () => {
    expect(bar(0.5, 12)).toBe('[█████░░░░░]');
    expect(bar(7, 6)).toBe('[████]');
    expect(bar(-1, 6)).toBe('[░░░░]');
  });
});

describe('figures', () => {
  it('carry their sign and never a negative zero', () => {
    expect(signed(0.01234)).toBe('+0.0123');
    expect(signed(-0.01234)).toBe('-0.0123');
    expect(signed(-0.00001)).toBe('+0.0000');
    expect(effectText(anEffect({ mean: 0.1, low: -0.2, high: 0.4 }))).toBe('+0.1000 [-0.2000, +0.4000]');
    expect(effectText(null)).toBe('–');
  });

  it('use the unit that a person would', () => {
    expect([0, 59_600, 61_000, 7_500_000, 90_000_000, 400_000_000].map(durationText)).toEqual([
      '0 s',
      '1 min 00 s',
      '1 min 01 s',
      '2 h 05 min',
      '1 d 01 h',
      '4 d 15 h',
    ]);
    expect([999, 1_500, 9_000_000].map(bytesText)).toEqual(['999 B', '1.5 kB', '9.0 MB']);
  });
});

describe('a table', () => {
  const rows = [
    { id: 'e0001', text: 'a rather long text about what was changed and why' },
    { id: 'e0002', text: 'short' },
  ];
  const columns = [
    { title: 'id', cell: (row: (typeof rows)[number]) => row.id },
    { title: 'text', cell: (row: (typeof rows)[number]) => row.text, shrink: 1, least: 10 },
  ];

  it('fits the width by cutting the column that may be cut', () => {
    const lines = table(plainLook(30), columns, rows);
    expect(lines).toEqual(['  id     text', '  e0001  a rather long text a…', '  e0002  short']);
  });

  it('leaves a column out when what is left of it would say nothing', () => {
    expect(table(plainLook(14), columns, rows)).toEqual(['  id', '  e0001', '  e0002']);
  });

  it('gives back what a column that was left out had taken from the others', () => {
    const three = [
      ...columns.map((column) => ({ ...column, least: 30 })),
      { title: 'wide', cell: () => 'w'.repeat(20), shrink: 2, least: 20 },
    ];
    expect(table(plainLook(60), three, rows)[1]).toBe('  e0001  a rather long text about what was changed and why');
  });

  it('has no heading without rows', () => {
    expect(table(plainLook(80), columns, [])).toEqual([]);
  });

  it('keeps a cell on its line', () => {
    expect(table(plainLook(80), columns, [{ id: 'a\nb', text: '\u001b[2Jx' }])[1]).toBe('  a b  x');
  });
});
