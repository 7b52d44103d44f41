import { expect, it } from 'vitest';
import type { Outage } from '../../../workflows/contracts/outage.ts';
import { countOutages, outageWords } from '../../../workflows/rules/outage-words.ts';

const outage = (minute: number, process: Outage['process'], lastWords: string): Outage => ({
  at: `2026-11-27T10:0${minute}:07.000Z`,
  process,
  lastWords,
});

it('says of each process how often it broke and what its last words were', () => {
  const counts = countOutages([
    outage(1, 'trainer host', 'python was ended by SIGKILL'),
    outage(2, 'judge', 'python ended with status 70'),
    outage(3, 'trainer host', 'MemoryError'),
    outage(4, 'judge', 'python ended with status 71'),
  ]);
  expect(counts.map(outageWords)).toEqual([
    'The Python host of the trainer broke 2 times, the last time at 10:03:07 UTC: MemoryError. What ran in it is tried again in a new one, unless it is given up; a program that ran in it two of these times runs alone, and others wait for it.',
    'The judge broke 2 times, the last time at 10:04:07 UTC: python ended with status 71. What ran in it is tried again in a new one, unless it is given up.',
  ]);
  expect(countOutages([])).toEqual([]);
});
