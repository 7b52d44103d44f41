import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../../../../workflows/contracts/ledger.ts';
import { aLedgerRow } from '../../builders.ts';
import { type CreateStore, connect, freshArchive } from './harness.ts';

export const ledgerTests = (create: CreateStore): void => {
  describe('the ledger', () => {
    it('replaces a reserve by what was used', async () => {
      const archive = await freshArchive(create);
      expect(await archive.appendLedger(aLedgerRow({ purpose: 'a', amount: 10 }))).toBe('appended');
      expect(await archive.appendLedger(aLedgerRow({ purpose: 'b', amount: 5 }))).toBe('appended');
      expect((await archive.ledgerTotals('c-test'))['trial-seconds']).toEqual({ settled: 0, open: 15 });
      expect(await archive.appendLedger(aLedgerRow({ purpose: 'a', kind: 'settle', amount: 12.5 }))).toBe('appended');
      expect(await archive.ledgerTotals('c-test')).toEqual({
        'trial-seconds': { settled: 12.5, open: 5 },
        'check-seconds': { settled: 0, open: 0 },
        tokens: { settled: 0, open: 0 },
        dollars: { settled: 0, open: 0 },
      });
    });

    it('writes a row once, whatever a retry says', async () => {
      const archive = await freshArchive(create);
      await archive.appendLedger(aLedgerRow({ amount: 10 }));
      expect(await archive.appendLedger(aLedgerRow({ amount: 99 }), 5)).toBe('exists');
      expect(await archive.appendLedger(aLedgerRow({ id: 'another', amount: 99 }))).toBe('exists');
      await archive.appendLedger(aLedgerRow({ kind: 'settle', amount: 3 }));
      expect(await archive.appendLedger(aLedgerRow({ kind: 'settle', amount: 4 }))).toBe('exists');
      expect((await archive.ledgerTotals('c-test'))['trial-seconds']).toEqual({ settled: 3, open: 0 });
    });

    it('refuses a reserve that would pass the cap and stores nothing of it', async () => {
      const archive = await freshArchive(create);
      expect(await archive.appendLedger(aLedgerRow({ purpose: 'a', amount: 6 }), 10)).toBe('appended');
      expect(await archive.appendLedger(aLedgerRow({ purpose: 'b', amount: 4.5 }), 10)).toBe('over-cap');
      expect(await archive.appendLedger(aLedgerRow({ purpose: 'b', amount: 4 }), 10)).toBe('appended');
      expect((await archive.ledgerTotals('c-test'))['trial-seconds']).toEqual({ settled: 0, open: 10 });
    });

    it('always takes a settle row, since it was used', async () => {
      const archive = await freshArchive(create);
      expect(await archive.appendLedger(aLedgerRow({ kind: 'settle', amount: 60 }), 10)).toBe('appended');
      expect((await archive.ledgerTotals('c-test'))['trial-seconds']).toEqual({ settled: 60, open: 0 });
    });

    it('holds nothing open for a reserve that comes after its settle row', async () => {
      const archive = await freshArchive(create);
      await archive.appendLedger(aLedgerRow({ kind: 'settle', amount: 6 }));
      expect(await archive.appendLedger(aLedgerRow({ amount: 10 }), 7)).toBe('appended');
      expect((await archive.ledgerTotals('c-test'))['trial-seconds']).toEqual({ settled: 6, open: 0 });
    });

    it('keeps campaigns and resources apart', async () => {
      const archive = await freshArchive(create);
      await archive.appendLedger(aLedgerRow({ purpose: 'a', amount: 10 }), 10);
      expect(await archive.appendLedger(aLedgerRow({ purpose: 'b', campaignId: 'c-other', amount: 10 }), 10)).toBe('appended');
      expect(await archive.appendLedger(aLedgerRow({ purpose: 'c', resource: 'tokens', amount: 10 }), 10)).toBe('appended');
      expect(await archive.ledgerTotals('c-other')).toMatchObject({ 'trial-seconds': { open: 10 }, tokens: { open: 0 } });
    });

    it('refuses an amount that is negative or not a number', async () => {
      const archive = await freshArchive(create);
      for (const amount of [-1, Number.NaN])
        await expect(archive.appendLedger({ ...aLedgerRow(), amount })).rejects.toThrow(new RegExp(`amount is ${amount}`));
      expect((await archive.ledgerTotals('c-test'))['trial-seconds']).toEqual({ settled: 0, open: 0 });
    });

    it('agrees with the sum over its rows and never passes a cap by reserving, in any order of rows from two connections', async () => {
      const step = fc.record({
        purpose: fc.integer({ min: 0, max: 7 }),
        kind: fc.constantFrom<LedgerRow['kind']>('reserve', 'settle'),
        amount: fc.integer({ min: 0, max: 12 }),
        connection: fc.integer({ min: 0, max: 1 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 40 }), async (steps, cap) => {
          const store = await create();
          const connections = [await store.open(), await store.open()];
          const rows = new Map<string, LedgerRow>();
          for (const { purpose, kind, amount, connection } of steps) {
            const row = aLedgerRow({ purpose: `p${purpose}`, kind, amount });
            const before = totalOf(rows);
            const answer = await connections[connection]?.appendLedger(row, cap);
            expect(answer).toBe(expectedAnswer(rows, row, cap));
            if (answer === 'appended') rows.set(row.id, row);
            const after = (await connections[1 - connection]?.ledgerTotals('c-test'))?.['trial-seconds'];
            expect(after).toEqual(totalOf(rows));
            if (kind === 'reserve' && totalOf(rows).open > before.open) expect(sumOf(totalOf(rows))).toBeLessThanOrEqual(cap);
          }
          for (const connection of connections) await connection.close();
        }),
        { numRuns: 30 },
      );
    });

    it('does not let rounding add up over many rows', async () => {
      const archive = await freshArchive(create);
      const amounts = [0.1, 0.2, 0.3, 1e9, 1e-9];
      for (const [number, amount] of amounts.entries()) await archive.appendLedger(aLedgerRow({ purpose: `p${number}`, amount }));
      for (const number of amounts.keys())
        await archive.appendLedger(aLedgerRow({ purpose: `p${number}`, kind: 'settle', amount: 0 }));
      expect((await archive.ledgerTotals('c-test'))['trial-seconds']).toEqual({ settled: 0, open: 0 });
    });

    it('is seen whole by a connection that is opened later', async () => {
      const store = await create();
      const first = await connect(store);
      await first.appendLedger(aLedgerRow({ amount: 7 }));
      await first.close();
      expect((await (await connect(store)).ledgerTotals('c-test'))['trial-seconds']).toEqual({ settled: 0, open: 7 });
    });
  });
};

type Rows = ReadonlyMap<string, LedgerRow>;

/** The definition: settled amounts, and reserves without a settle row of their purpose. */
const totalOf = (rows: Rows): { settled: number; open: number } => {
  let settled = 0;
  let open = 0;
  for (const row of rows.values())
    if (row.kind === 'settle') settled += row.amount;
    else if (!rows.has(`${row.purpose}#settle`)) open += row.amount;
  return { settled, open };
};
const sumOf = (total: { settled: number; open: number }): number => total.settled + total.open;

const expectedAnswer = (rows: Rows, row: LedgerRow, cap: number): string => {
  if (rows.has(row.id)) return 'exists';
  if (row.kind === 'settle' || rows.has(`${row.purpose}#settle`)) return 'appended';
  return sumOf(totalOf(rows)) + row.amount > cap ? 'over-cap' : 'appended';
};
