import { type LedgerRow, type LedgerTotal, ledgerRowSchema } from '../../workflows/contracts/ledger.ts';
import type { SqliteDatabase } from '../storage/sqlite-database.ts';
import { checkRecord } from './archive-errors.ts';

const resources = ledgerRowSchema.shape.resource.options;

/**
 * Rows are the truth; the totals beside them are kept in the same transaction, so that a cap costs the same to check after a million rows.
 */
export class SqliteLedger {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  append(given: LedgerRow, cap = Number.POSITIVE_INFINITY): 'appended' | 'exists' | 'over-cap' {
    const row = checkRecord({ schema: ledgerRowSchema, kind: 'ledger row', id: given.id }, given);
    return this.#database.atomically(() => {
      if (this.#exists(row)) return 'exists';
      const { settled, open } = this.#total(row.campaignId, row.resource);
      const counterpart = this.#amountOf({ ...row, kind: row.kind === 'settle' ? 'reserve' : 'settle' });
      if (row.kind === 'settle') {
        this.#insert(row);
        this.#add(row, { settled: row.amount, open: -(counterpart ?? 0), numOpen: counterpart === null ? 0 : -1 });
        return 'appended';
      }
      // A reserve that comes after its own settle row, by a late retry, holds nothing open.
      if (counterpart === null && settled + open + row.amount > cap) return 'over-cap';
      this.#insert(row);
      if (counterpart === null) this.#add(row, { settled: 0, open: row.amount, numOpen: 1 });
      return 'appended';
    });
  }

  totals(campaignId: string): Readonly<Record<LedgerRow['resource'], LedgerTotal>> {
    const entries = resources.map((resource) => [resource, this.#total(campaignId, resource)] as const);
    // fromEntries widens the keys; every resource is among them.
    return Object.fromEntries(entries) as Record<LedgerRow['resource'], LedgerTotal>;
  }

  #exists(row: LedgerRow): boolean {
    return this.#database.get('SELECT 1 FROM ledger WHERE id = ?', row.id) !== null || this.#amountOf(row) !== null;
  }

  #amountOf(row: Pick<LedgerRow, 'campaignId' | 'resource' | 'purpose' | 'kind'>): number | null {
    const found = this.#database.get(
      'SELECT amount FROM ledger WHERE campaign_id = ? AND resource = ? AND purpose = ? AND kind = ?',
      row.campaignId,
      row.resource,
      row.purpose,
      row.kind,
    );
    return found === null ? null : Number(found.amount);
  }

  #total(campaignId: string, resource: LedgerRow['resource']): LedgerTotal {
    const row = this.#database.get(
      'SELECT settled, open FROM ledger_totals WHERE campaign_id = ? AND resource = ?',
      campaignId,
      resource,
    );
    return { settled: Number(row?.settled ?? 0), open: Number(row?.open ?? 0) };
  }

  #insert(row: LedgerRow): void {
    this.#database.run(
      'INSERT INTO ledger (id, campaign_id, purpose, kind, resource, amount, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      row.id,
      row.campaignId,
      row.purpose,
      row.kind,
      row.resource,
      row.amount,
      row.at,
    );
  }

  /** With nothing open any more, `open` is exactly 0: no rounding of past sums stays behind. */
  #add(row: LedgerRow, change: { readonly settled: number; readonly open: number; readonly numOpen: number }): void {
    this.#database.run(
      `INSERT INTO ledger_totals (campaign_id, resource, settled, open, num_open) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (campaign_id, resource) DO UPDATE SET settled = settled + ?3, num_open = num_open + ?5,
         open = CASE WHEN num_open + ?5 = 0 THEN 0 ELSE open + ?4 END`,
      row.campaignId,
      row.resource,
      change.settled,
      change.open,
      change.numOpen,
    );
  }
}
