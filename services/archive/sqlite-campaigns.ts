import { type Campaign, campaignSchema, isCampaignOver, type Pool, poolSchema } from '../../workflows/contracts/campaign.ts';
import type { Row, SqliteDatabase } from '../storage/sqlite-database.ts';
import type { Archive, Created, Write } from './archive.ts';
import { checkRecord } from './archive-errors.ts';

type Patch = Parameters<Archive['updateCampaign']>[2];

/** Campaigns and their pools. */
export class SqliteCampaigns {
  readonly #database: SqliteDatabase;
  readonly #now: () => Date;

  constructor(database: SqliteDatabase, now: () => Date) {
    this.#database = database;
    this.#now = now;
  }

  create(given: Campaign): Created<Campaign> {
    const campaign = check(given);
    const written = this.#database.run(
      'INSERT INTO campaigns (id, state, epoch, created_at, document) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
      campaign.id,
      campaign.state,
      campaign.epoch,
      campaign.createdAt,
      JSON.stringify(campaign),
    );
    if (written === 1) return { created: true, value: campaign };
    return { created: false, value: this.get(campaign.id) ?? campaign };
  }

  get(id: string): Campaign | null {
    const row = this.#database.get('SELECT document FROM campaigns WHERE id = ?', id);
    return row === null ? null : documentOf(row);
  }

  list(): readonly Campaign[] {
    return this.#database.all('SELECT document FROM campaigns ORDER BY created_at DESC, id DESC').map(documentOf);
  }

  update(id: string, epoch: number, patch: Patch): Write<Campaign> {
    const current = this.get(id);
    const refused = refusal(current, epoch);
    if (refused !== null || current === null) return refused ?? { ok: false, reason: 'missing', current };
    const updatedAt = patch.updatedAt ?? this.#now().toISOString();
    const merged = { ...current, ...patch, id, createdAt: current.createdAt };
    const finishedAt = merged.finishedAt ?? (isCampaignOver(merged.state) ? updatedAt : null);
    const next = check({ ...merged, epoch: epoch + 1, updatedAt, finishedAt });
    const written = this.#database.run(
      `UPDATE campaigns SET state = ?3, epoch = ?4, document = ?5
       WHERE id = ?1 AND epoch = ?2 AND state NOT IN ('finished', 'cancelled', 'failed')`,
      id,
      epoch,
      next.state,
      next.epoch,
      JSON.stringify(next),
    );
    if (written === 1) return { ok: true, value: next };
    const stored = this.get(id);
    return refusal(stored, epoch) ?? { ok: false, reason: 'missing', current: stored };
  }

  getPool(campaignId: string): Pool | null {
    const row = this.#database.get('SELECT document FROM pools WHERE campaign_id = ?', campaignId);
    // Only checked pools are written.
    return row === null ? null : (JSON.parse(String(row.document)) as Pool);
  }

  putPool(campaignId: string, given: Pool): Write<Pool> {
    const pool = checkRecord({ schema: poolSchema, kind: 'pool of', id: campaignId }, given);
    const written =
      pool.version === 1
        ? this.#database.run(
            'INSERT INTO pools (campaign_id, version, document) VALUES (?, ?, ?) ON CONFLICT (campaign_id) DO NOTHING',
            campaignId,
            pool.version,
            JSON.stringify(pool),
          )
        : this.#database.run(
            'UPDATE pools SET version = ?2, document = ?3 WHERE campaign_id = ?1 AND version = ?2 - 1',
            campaignId,
            pool.version,
            JSON.stringify(pool),
          );
    if (written === 1) return { ok: true, value: pool };
    const current = this.getPool(campaignId);
    return { ok: false, reason: current === null ? 'missing' : 'stale', current };
  }
}

const check = (campaign: Campaign): Campaign =>
  checkRecord({ schema: campaignSchema, kind: 'campaign', id: campaign.id }, campaign);

const refusal = (current: Campaign | null, epoch: number): Write<Campaign> | null => {
  if (current === null) return { ok: false, reason: 'missing', current };
  if (isCampaignOver(current.state)) return { ok: false, reason: 'terminal', current };
  return current.epoch === epoch ? null : { ok: false, reason: 'stale', current };
};

// Only checked records are written.
const documentOf = (row: Row): Campaign => JSON.parse(String(row.document)) as Campaign;
