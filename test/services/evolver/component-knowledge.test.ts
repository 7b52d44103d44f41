import { expect, test } from 'vitest';
import { noteOn } from '../../../services/evolver/component-knowledge.ts';
import { genes } from '../../../services/evolver/genes.ts';

const notes = genes.flatMap((gene) => gene.values.map((value) => ({ gene: gene.path, value, note: noteOn(gene.path, value) })));

test('every value of every gene has a reason and a source', () => {
  for (const { gene, value, note } of notes) {
    expect(note.says, `${gene} = ${value}`).toMatch(/^[A-Z].{30,}\.$/);
    expect(note.source, `${gene} = ${value}`).toMatch(/arXiv \d{4}\.\d{4,5}|flash-linear-attention/);
  }
});

test('priors stay small: no value is three times as likely as another before anything is measured', () => {
  expect(notes.filter(({ note }) => note.prior < 0.5 || note.prior > 1.5)).toEqual([]);
});

test('a set of branches is told by its number and reach', () => {
  expect(noteOn('fir', '5').says).toMatch(/This one sees 5 tokens, its own the last\.$/);
  expect(noteOn('fir', '3 15').says).toMatch(/Here they see 3, 15 tokens, their own the last\.$/);
  expect(noteOn('fir', '3 63').says).not.toBe(noteOn('fir', '3 15').says);
});

test('an unknown gene or value has no note and says so', () => {
  expect(() => noteOn('readout', 'loud')).toThrow('nothing is noted on readout = loud');
});
