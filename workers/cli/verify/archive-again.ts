import { join } from 'node:path';
import type { Archive } from '../../../services/archive/archive.ts';
import { type Artifacts, ArtifactsUnavailableError, CorruptArtifactError } from '../../../services/artifacts/artifacts.ts';
import type { BundleRecord } from '../../../services/export/bundle-record.ts';
import { ExportRefusedError } from '../../../services/export/bundle-source.ts';
import { exportBundle } from '../../../services/export/export-bundle.ts';
import { type Manifest, manifestName, readManifest } from '../../../services/export/manifest.ts';
import { listsName } from '../../../services/export/score-lists.ts';
import type { Score } from '../../../workflows/contracts/score.ts';
import type { VerifyStep } from '../../view/verify-lines.ts';

export interface RecordRequest {
  readonly manifest: Manifest;
  readonly record: BundleRecord;
  readonly scratch: string;
  /** Whether rows of the bundle carry the seal of this home's judge. */
  readonly isOurs: boolean;
}

/** Where this home holds the campaign, the bundle must be the one that the archive gives, row by row and file by file. */
export const recordStep = async (
  stores: { readonly archive: Archive | null; readonly artifacts: Artifacts },
  request: RecordRequest,
): Promise<VerifyStep> => {
  const { record } = request;
  const { archive } = stores;
  const absent = (why: string): VerifyStep =>
    step(
      'not-repeated',
      `${why}; proposal, analysis, lineage, settings and the numbers of other seeds and of the baselines are what the bundle says`,
    );
  if (archive === null) return absent('this home has no archive');
  const experiment = await archive.getExperiment(record.experiment.id);
  const campaign = await archive.getCampaign(record.campaign.id);
  if (experiment === null || campaign === null) return absent('this home did not record the experiment');
  // Ids repeat from home to home; the run of the workflow does not, and neither does a seal.
  if (campaign.runId !== record.campaign.runId && !request.isOurs)
    return absent(`this home has another campaign with id ${record.campaign.id}`);
  const rows = rowDifferences(await archive.listScores({ experimentId: record.experiment.id }), record.scores);
  const files = await fileDifferences(archive, stores.artifacts, request);
  if (typeof files === 'string') return rows.length > 0 ? step('mismatch', rows.join('; ')) : step('not-repeated', files);
  if (rows.length + files.length > 0)
    return step(
      'mismatch',
      `the archive of this home gives another bundle (one from before the end of its campaign is to be exported again): ${[...rows, ...files.map((file) => `${file} differs`)].join('; ')}`,
    );
  return step('verified', `${record.scores.length} rows and every file are those that the archive of this home gives`);
};

const step = (state: VerifyStep['state'], detail: string): VerifyStep => ({ step: 'record', state, detail });

const rowDifferences = (stored: readonly Score[], told: readonly Score[]): readonly string[] => {
  const name = ({ trialId, metric, set }: Score): string => `${metric} of ${trialId} on set ${set}`;
  const inArchive = new Map(stored.map((row) => [name(row), row]));
  const inBundle = new Map(told.map((row) => [name(row), row]));
  const part = (rows: readonly string[], words: string): readonly string[] =>
    rows.length === 0 ? [] : [`${rows.slice(0, 5).join(', ')}${rows.length > 5 ? ` and ${rows.length - 5} more` : ''} ${words}`];
  return [
    ...part(
      [...inArchive.keys()].filter((key) => !inBundle.has(key)),
      'is in the archive and not in record.json',
    ),
    ...part(
      [...inBundle.keys()].filter((key) => !inArchive.has(key)),
      'is in record.json and not in the archive',
    ),
    ...part(
      [...inBundle].filter(([key, row]) => inArchive.has(key) && inArchive.get(key)?.seal !== row.seal).map(([key]) => key),
      'is another in record.json than in the archive',
    ),
  ];
};

/** Names of files that the archive gives otherwise, or why it cannot give the bundle. */
const fileDifferences = async (
  archive: Archive,
  artifacts: Artifacts,
  { record, manifest, scratch }: RecordRequest,
): Promise<readonly string[] | string> => {
  try {
    const folder = join(scratch, 'archive');
    const again = await readManifest(
      (await exportBundle({ experimentId: record.experiment.id, folder, archive, artifacts })).path,
    );
    if (!again.ok) throw new TypeError(`a fresh bundle has no good manifest: ${JSON.stringify(again.problems)}`);
    const names = new Set([...Object.keys(manifest.files), ...Object.keys(again.manifest.files)]);
    // The lists are the judge's and not the archive's.
    names.delete(listsName);
    const differ = [...names].filter((name) => manifest.files[name]?.sha256 !== again.manifest.files[name]?.sha256).sort();
    return manifest.name === again.manifest.name ? differ : [...differ, manifestName];
  } catch (error) {
    if (
      error instanceof ExportRefusedError ||
      error instanceof CorruptArtifactError ||
      error instanceof ArtifactsUnavailableError
    )
      return error.message;
    throw error;
  }
};
