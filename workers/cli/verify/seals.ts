import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../../../services/export/bundle-record.ts';
import type { BundleSource } from '../../../services/export/bundle-source.ts';
import {
  compareWithLists,
  listedExperiments,
  listsName,
  rowsByExperiment,
  scoreListsSchema,
} from '../../../services/export/score-lists.ts';
import type { Judge } from '../../../services/judge/judge.ts';
import { PythonProcessError } from '../../../services/python/line-process.ts';
import type { Score } from '../../../workflows/contracts/score.ts';
import type { ScoreList } from '../../../workflows/contracts/score-list.ts';
import type { Config } from '../../config.ts';
import { hasJudge } from '../../roles/score-lists.ts';
import type { VerifyStep } from '../../view/verify-lines.ts';

export interface Seals {
  readonly steps: readonly VerifyStep[];
  /** Rows that this home's judge sealed. */
  readonly genuine: number;
  /** Whether it sealed rows of the trial whose weights the bundle holds. */
  readonly isChosenOurs: boolean;
}

/** What the judge of this home, if there is one, says of rows and lists. */
type Answer =
  | {
      readonly ok: true;
      readonly genuine: readonly boolean[];
      readonly genuineLists: readonly boolean[];
      readonly kept: readonly ScoreList[];
    }
  | { readonly ok: false; readonly why: string };

/**
 * Seals of the rows, and the lists of what was sealed. A home that did not measure the bundle cannot tell a genuine seal; one whose key fits some
 * rows knows that the others are altered.
 */
export const checkSeals = async (
  { config, judge }: { readonly config: Config; readonly judge: Judge },
  folder: string,
  { record, chosen }: BundleSource,
): Promise<Seals> => {
  const rows = [...rowsByExperiment(record).values()].flat();
  const read = await readLists(folder);
  const lists = read.ok ? read.lists : [];
  const answer = await ask({ config, judge }, { rows, lists, experimentIds: listedExperiments(record) });
  const listStep = read.ok ? checkLists(record, lists, answer) : ended('list', 'mismatch', read.detail);
  const isGenuine = (index: number): boolean => answer.ok && answer.genuine[index] === true;
  return {
    steps: [sealStep(rows, answer), listStep],
    genuine: rows.filter((_, index) => isGenuine(index)).length,
    isChosenOurs: rows.some((row, index) => row.trialId === chosen.id && isGenuine(index)),
  };
};

const ended = (step: VerifyStep['step'], state: VerifyStep['state'], detail: string): VerifyStep => ({ step, state, detail });

const ask = async (
  { config, judge }: { readonly config: Config; readonly judge: Judge },
  asked: { readonly rows: readonly Score[]; readonly lists: readonly ScoreList[]; readonly experimentIds: readonly string[] },
): Promise<Answer> => {
  if (!hasJudge(config)) return { ok: false, why: 'this home has no judge, whose key could tell' };
  try {
    const seals = await judge.checkSeals(asked);
    return { ok: true, ...seals, kept: await judge.lists(asked.experimentIds) };
  } catch (error) {
    if (error instanceof PythonProcessError) return { ok: false, why: error.message };
    throw error;
  }
};

const sealStep = (rows: readonly Score[], answer: Answer): VerifyStep => {
  if (!answer.ok) return ended('seals', 'not-repeated', `${answer.why} whether the ${rows.length} rows are genuine`);
  const forged = rows.filter((_, index) => answer.genuine[index] !== true).map(rowName);
  if (forged.length === 0) return ended('seals', 'verified', `${rows.length} rows carry the seal of this home's judge`);
  if (forged.length === rows.length)
    return ended(
      'seals',
      'not-repeated',
      "no row carries the seal of this home's judge: another home measured them, or nobody did; only the home that did can tell",
    );
  const rest = forged.length > 5 ? ` and ${forged.length - 5} more` : '';
  return ended(
    'seals',
    'mismatch',
    `record.json is altered: not as the judge sealed them are ${forged.slice(0, 5).join(', ')}${rest}`,
  );
};

const checkLists = (record: BundleSource['record'], lists: readonly ScoreList[], answer: Answer): VerifyStep => {
  const step = (state: VerifyStep['state'], detail: string): VerifyStep => ended('list', state, detail);
  const known = new Set(listedExperiments(record));
  const foreign = lists.filter(({ experimentId }) => !known.has(experimentId)).map(({ experimentId }) => experimentId);
  const own = compareWithLists(record, lists);
  const contradictions = [
    ...foreign.map((id) => `${listsName} lists ${id}, of which record.json has no row`),
    ...own.contradictions,
  ];
  const forged = lists.filter((_, index) => answer.ok && answer.genuineLists[index] !== true);
  if (answer.ok && forged.length > 0 && (forged.length < lists.length || answer.genuine.some(Boolean)))
    contradictions.push(
      `${listsName} is altered: the list of ${forged.map(({ experimentId }) => experimentId).join(', ')} is not as the judge sealed it`,
    );
  // Ids repeat from home to home: what this judge remembers of them counts only beside a row of its own.
  const kept = answer.ok && answer.genuine.some(Boolean) ? compareWithLists(record, answer.kept) : null;
  if (kept !== null) contradictions.push(...kept.contradictions);
  if (contradictions.length > 0) return step('mismatch', [...new Set(contradictions)].join('; '));
  const unexplained = [...new Set([...own.unexplained, ...(kept?.unexplained ?? [])])];
  if (unexplained.length > 0) return step('not-repeated', unexplained.join('; '));
  const missing = [...known].filter((id) => !lists.some(({ experimentId }) => experimentId === id));
  if (missing.length > 0)
    return step(
      'not-repeated',
      `nothing tells whether rows were left out of ${missing.join(', ')}: ${listsName} has no list of it`,
    );
  const words = `no row was left out or added, by the judge's lists of ${lists.length} experiments`;
  const repeated = own.repeated.length === 0 ? '' : `; scored more than once, with other numbers: ${own.repeated.join(', ')}`;
  if (!answer.ok) return step('not-repeated', `${words}${repeated}; ${answer.why} whether the lists are genuine`);
  if (forged.length > 0)
    return step(
      'not-repeated',
      `${words}${repeated}; they are not sealed by this home's judge: only the home that measured can tell`,
    );
  return step('verified', `${words}, which its key sealed${repeated}`);
};

type ReadLists = { readonly ok: true; readonly lists: readonly ScoreList[] } | { readonly ok: false; readonly detail: string };

const readLists = async (folder: string): Promise<ReadLists> => {
  const text = await readFile(join(folder, listsName), 'utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, detail: `${listsName} is unreadable: it is not JSON: ${error.message}` };
  }
  const lists = scoreListsSchema.safeParse(parsed);
  if (!lists.success)
    return {
      ok: false,
      detail: `${listsName} is unreadable: ${lists.error.issues[0]?.path.join('.')}: ${lists.error.issues[0]?.message}`,
    };
  if (canonicalJson(lists.data) === text) return { ok: true, lists: lists.data };
  return { ok: false, detail: `${listsName} is altered: it is not written as asi-arch writes it` };
};

const rowName = ({ trialId, metric, set }: Score): string => `${metric} of ${trialId} on set ${set}`;
