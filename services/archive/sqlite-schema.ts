/** "ASIA": the header of every archive file. */
export const archiveApplicationId = 0x41534941;

const isTerminalState = (row: string): string => `${row}.state IN ('recorded', 'rejected', 'failed', 'cancelled')`;

/**
 * Each record is one JSON document; the columns beside it repeat what is searched, sorted or guarded. Documents come last in their tables,
 * so that reading the columns does not read the document's pages; the indexes of lineage and leaderboard hold every column of a node.
 * The triggers hold what no writer may break, whatever program it is: final records stay, scores and ledger rows only get added.
 */
const version1 = `
CREATE TABLE campaigns (
  id TEXT PRIMARY KEY, state TEXT NOT NULL, epoch INTEGER NOT NULL, created_at TEXT NOT NULL, document TEXT NOT NULL
) STRICT;
CREATE INDEX campaigns_by_age ON campaigns (created_at, id);

CREATE TABLE experiments (
  id TEXT PRIMARY KEY, campaign_id TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
  epoch INTEGER NOT NULL, parent_id TEXT, depth INTEGER NOT NULL, name TEXT, fitness REAL, verdict TEXT, failure_label TEXT,
  program_hash TEXT, document TEXT NOT NULL
) STRICT;
CREATE INDEX experiments_lineage ON experiments
  (campaign_id, number, id, kind, parent_id, depth, state, name, fitness, verdict, failure_label);
CREATE INDEX experiments_children ON experiments
  (parent_id, number, id, kind, depth, state, name, fitness, verdict, failure_label) WHERE parent_id IS NOT NULL;
CREATE INDEX experiments_leaderboard ON experiments
  (campaign_id, fitness DESC, number, id, kind, parent_id, depth, state, name, verdict, failure_label)
  WHERE state = 'recorded' AND fitness IS NOT NULL;
CREATE INDEX experiments_by_state ON experiments (campaign_id, state, number);
CREATE INDEX experiments_by_program ON experiments (campaign_id, program_hash, number) WHERE program_hash IS NOT NULL;

CREATE TABLE trials (
  id TEXT PRIMARY KEY, campaign_id TEXT NOT NULL, experiment_id TEXT NOT NULL, state TEXT NOT NULL, epoch INTEGER NOT NULL,
  document TEXT NOT NULL
) STRICT;
CREATE INDEX trials_by_experiment ON trials (experiment_id, id);
CREATE INDEX trials_by_campaign ON trials (campaign_id, id);

CREATE TABLE scores (
  trial_id TEXT NOT NULL, metric TEXT NOT NULL, campaign_id TEXT NOT NULL, experiment_id TEXT NOT NULL, document TEXT NOT NULL,
  PRIMARY KEY (trial_id, metric)
) STRICT;
CREATE INDEX scores_by_experiment ON scores (experiment_id, trial_id, metric);
CREATE INDEX scores_by_campaign ON scores (campaign_id, trial_id, metric);

CREATE TABLE ledger (
  id TEXT PRIMARY KEY, campaign_id TEXT NOT NULL, purpose TEXT NOT NULL, kind TEXT NOT NULL, resource TEXT NOT NULL,
  amount REAL NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX ledger_by_purpose ON ledger (campaign_id, resource, purpose, kind);
CREATE TABLE ledger_totals (
  campaign_id TEXT NOT NULL, resource TEXT NOT NULL, settled REAL NOT NULL, open REAL NOT NULL, num_open INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, resource)
) STRICT, WITHOUT ROWID;

CREATE TABLE pools (campaign_id TEXT PRIMARY KEY, version INTEGER NOT NULL, document TEXT NOT NULL) STRICT;

CREATE TRIGGER campaigns_final BEFORE UPDATE ON campaigns WHEN OLD.state IN ('finished', 'cancelled', 'failed')
BEGIN SELECT RAISE(ABORT, 'a finished campaign never changes'); END;
CREATE TRIGGER experiments_final BEFORE UPDATE ON experiments WHEN ${isTerminalState('OLD')} AND NOT (
  OLD.state = 'recorded' AND NEW.state = 'recorded' AND OLD.verdict IS NULL AND NEW.verdict IS NOT NULL AND NEW.id = OLD.id
  AND json_remove(NEW.document, '$.verdict', '$.epoch', '$.updatedAt') = json_remove(OLD.document, '$.verdict', '$.epoch', '$.updatedAt')
)
BEGIN SELECT RAISE(ABORT, 'a terminal experiment never changes'); END;
CREATE TRIGGER trials_final BEFORE UPDATE ON trials WHEN OLD.state IN ('scored', 'failed', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a terminal trial never changes'); END;
CREATE TRIGGER experiments_kept BEFORE DELETE ON experiments
BEGIN SELECT RAISE(ABORT, 'experiments are never deleted'); END;
CREATE TRIGGER scores_final BEFORE UPDATE ON scores
BEGIN SELECT RAISE(ABORT, 'scores never change'); END;
CREATE TRIGGER scores_kept BEFORE DELETE ON scores
BEGIN SELECT RAISE(ABORT, 'scores are never deleted'); END;
CREATE TRIGGER ledger_final BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'ledger rows never change'); END;
CREATE TRIGGER ledger_kept BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'ledger rows are never deleted'); END;
`;

/**
 * Scores by set, and held-out text in three shards. Rows from before the judge keep their numbers and say so: no prefixes, no seal. The set
 * is that of the trial's purpose.
 */
const version2 = `
CREATE TABLE scores_by_set (
  trial_id TEXT NOT NULL, metric TEXT NOT NULL, score_set TEXT NOT NULL, data_hash TEXT NOT NULL, campaign_id TEXT NOT NULL,
  experiment_id TEXT NOT NULL, document TEXT NOT NULL,
  PRIMARY KEY (trial_id, metric, score_set)
) STRICT;
INSERT INTO scores_by_set
SELECT s.trial_id, s.metric, iif(t.document ->> '$.purpose' = 'confirm', 'promotion', 'search'), s.document ->> '$.dataHash', s.campaign_id,
  s.experiment_id, json_set(json_remove(s.document, '$.scorerVersion'),
    '$.set', iif(t.document ->> '$.purpose' = 'confirm', 'promotion', 'search'), '$.fullSequence', s.document -> '$.value',
    '$.gapStandardError', 0, '$.prefixes', 0, '$.cuts', 0, '$.judgeVersion', 'before the judge', '$.sandboxCanaries', '0/0',
    '$.seal', '${'0'.repeat(64)}')
FROM scores AS s LEFT JOIN trials AS t ON t.id = s.trial_id;
DROP TABLE scores;
ALTER TABLE scores_by_set RENAME TO scores;
CREATE INDEX scores_by_experiment ON scores (experiment_id, trial_id, metric, score_set);
CREATE INDEX scores_by_campaign ON scores (campaign_id, trial_id, metric, score_set);
CREATE INDEX scores_by_data ON scores (data_hash, score_set, trial_id);
CREATE TRIGGER scores_final BEFORE UPDATE ON scores
BEGIN SELECT RAISE(ABORT, 'scores never change'); END;
CREATE TRIGGER scores_kept BEFORE DELETE ON scores
BEGIN SELECT RAISE(ABORT, 'scores are never deleted'); END;

DROP TRIGGER campaigns_final;
UPDATE campaigns SET document = json_set(document, '$.data.shards', json_object(
  'search', json_object('bytes', document -> '$.data.heldOutBytes', 'files', document -> '$.data.heldOutFiles'),
  'promotion', json_object('bytes', 0, 'files', 0), 'champion', json_object('bytes', 0, 'files', 0)));
CREATE TRIGGER campaigns_final BEFORE UPDATE ON campaigns WHEN OLD.state IN ('finished', 'cancelled', 'failed')
BEGIN SELECT RAISE(ABORT, 'a finished campaign never changes'); END;
`;

/** Deep audits of recorded experiments. */
const version3 = `
CREATE TABLE audits (
  experiment_id TEXT NOT NULL, cuts INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (experiment_id, cuts)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audits_final BEFORE UPDATE ON audits
BEGIN SELECT RAISE(ABORT, 'audits never change'); END;
CREATE TRIGGER audits_kept BEFORE DELETE ON audits
BEGIN SELECT RAISE(ABORT, 'audits are never deleted'); END;
`;

/** Script n brings a file from version n to n + 1. A released script is never edited. */
export const archiveMigrations: readonly string[] = [version1, version2, version3];
