import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openOutageLog } from '../../../services/outages/outage-log.ts';
import type { Outage } from '../../../workflows/contracts/outage.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const outage = (minute: number, lastWords = 'status 1'): Outage => ({
  at: `2026-11-27T10:0${minute}:00.000Z`,
  process: 'trainer host',
  lastWords,
});

it('gives back what any worker wrote since a moment, in order, and passes over a line that is cut', () => {
  const path = join(temporaryFolder(), 'outages.jsonl');
  const [one, other] = [openOutageLog(path), openOutageLog(path)];
  expect(one.since('')).toEqual([]);
  one.append(outage(1));
  appendFileSync(path, '{"at":"2026-11-27T10:02\n');
  other.append({ ...outage(3), process: 'judge' });
  expect(one.since(outage(1).at)).toEqual([outage(1), { ...outage(3), process: 'judge' }]);
  expect(one.since(outage(2).at)).toEqual([{ ...outage(3), process: 'judge' }]);
});

it('reads the end of a long log alone', () => {
  const path = join(temporaryFolder(), 'outages.jsonl');
  const log = openOutageLog(path);
  for (let number = 0; number < 400; number++) log.append(outage(1, 'x'.repeat(900)));
  log.append(outage(2));
  const found = log.since('');
  expect(found.length).toBeGreaterThan(100);
  expect(found.length).toBeLessThan(400);
  expect(found.at(-1)).toEqual(outage(2));
});
