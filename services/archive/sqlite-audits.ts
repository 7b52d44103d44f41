import { type Audit, auditSchema } from '../../workflows/contracts/audit.ts';
import type { SqliteDatabase } from '../storage/sqlite-database.ts';
import { checkRecord } from './archive-errors.ts';

/** Deep audits of recorded experiments. */
export class SqliteAudits {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  append(given: Audit): void {
    const audit = checkRecord({ schema: auditSchema, kind: 'audit', id: `${given.experimentId} ${given.cuts}` }, given);
    this.#database.run(
      'INSERT INTO audits (experiment_id, cuts, document) VALUES (?, ?, ?) ON CONFLICT (experiment_id, cuts) DO NOTHING',
      audit.experimentId,
      audit.cuts,
      JSON.stringify(audit),
    );
  }

  list(experimentId: string): readonly Audit[] {
    return this.#database
      .all('SELECT document FROM audits WHERE experiment_id = ? ORDER BY cuts', experimentId)
      .map((row) => auditSchema.parse(JSON.parse(String(row.document))));
  }
}
