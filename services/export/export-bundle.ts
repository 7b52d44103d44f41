import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScoreList } from '../../workflows/contracts/score-list.ts';
import type { Archive } from '../archive/archive.ts';
import type { Artifacts } from '../artifacts/artifacts.ts';
import { exists } from '../storage/exists.ts';
import { makeFolder } from '../storage/make-folder.ts';
import { bundleTexts } from './bundle-files.ts';
import { canonicalJson } from './bundle-record.ts';
import { type BundleSource, ExportRefusedError, readBundleSource } from './bundle-source.ts';
import { finalTensors } from './final-tensors.ts';
import {
  checkpointName,
  formatVersion,
  hashFile,
  kernelName,
  type Manifest,
  manifestName,
  manifestText,
  programName,
  weightsName,
} from './manifest.ts';
import { InvalidSafetensorsError, writeTensors } from './safetensors.ts';
import { listedExperiments, listsName, scoreListsSchema } from './score-lists.ts';
import { verifyBundle } from './verify-bundle.ts';

export interface ExportRequest {
  readonly experimentId: string;
  /** Bundles are folders below this one, named after their experiments. */
  readonly folder: string;
  readonly archive: Archive;
  readonly artifacts: Artifacts;
  /** The judge's sealed lists of these experiments; without it the bundle brings none. */
  readonly scoreLists?: (experimentIds: readonly string[]) => Promise<readonly ScoreList[]>;
}
export interface Bundle {
  readonly path: string;
  /** Names inside the bundle, sorted. */
  readonly files: readonly string[];
}

/** Where the bundle of an experiment belongs in a folder of bundles. */
export const bundleFolder = (folder: string, experimentId: string): string => join(folder, experimentId.replaceAll('/', '-'));

/**
 * Writes a self-contained, verifiable folder of one recorded experiment. Built aside and renamed: a bundle is whole or not there. The same
 * records give the same bytes; a bundle that is up to date is left as it is.
 * Throws ExportRefusedError, CorruptArtifactError, FolderError, and the system's error where the folder cannot be written.
 */
export const exportBundle = async ({ experimentId, folder, archive, artifacts, scoreLists }: ExportRequest): Promise<Bundle> => {
  const source = await readBundleSource(archive, experimentId);
  const path = bundleFolder(folder, experimentId);
  await refuseForeignFolder(path, experimentId);
  makeFolder(folder);
  const aside = `${path}.${process.pid}-${randomBytes(6).toString('hex')}.aside`;
  await mkdir(aside);
  try {
    await writeFiles(source, aside, artifacts);
    const lists = (await scoreLists?.(listedExperiments(source.record))) ?? [];
    await writeFile(join(aside, listsName), canonicalJson(scoreListsSchema.parse(lists)));
    const manifest = await writeManifest(source, aside);
    await place(aside, path, manifest);
    return { path, files: [...Object.keys(manifest.files), manifestName].sort() };
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
};

const writeFiles = async (source: BundleSource, folder: string, artifacts: Artifacts): Promise<void> => {
  const { record, chosen, rung } = source;
  const { experiment } = record;
  const { architecture } = experiment;
  await fetchArtifact(
    artifacts,
    { experimentId: experiment.id, what: 'its program', hash: architecture.hash },
    join(folder, programName),
  );
  if (architecture.kernels.length > 0) await mkdir(join(folder, 'kernels'));
  for (const hash of architecture.kernels)
    await fetchArtifact(artifacts, { experimentId: experiment.id, what: 'a kernel', hash }, join(folder, kernelName(hash)));
  for (const [name, text] of bundleTexts(source)) await writeFile(join(folder, name), text);
  const checkpoint = join(folder, checkpointName);
  try {
    const wanted = { experimentId: experiment.id, what: `the checkpoint of ${chosen.id}`, hash: chosen.checkpointArtifact };
    await fetchArtifact(artifacts, wanted, checkpoint);
    const { tensors, missing } = await finalTensors(
      checkpoint,
      rung.tasks.map(({ kind }) => kind),
    );
    if (missing.length > 0)
      throw new ExportRefusedError({
        experimentId: experiment.id,
        reason: 'bad-checkpoint',
        detail: `the checkpoint of ${chosen.id} holds no weights of task ${missing[0]}`,
      });
    await writeTensors({ from: checkpoint, to: join(folder, weightsName), tensors });
  } catch (error) {
    if (!(error instanceof InvalidSafetensorsError)) throw error;
    throw new ExportRefusedError(
      {
        experimentId: experiment.id,
        reason: 'bad-checkpoint',
        detail: `the checkpoint of ${chosen.id} cannot be read: ${error.message}`,
      },
      { cause: error },
    );
  }
};

const fetchArtifact = async (
  artifacts: Artifacts,
  wanted: { readonly experimentId: string; readonly what: string; readonly hash: string },
  path: string,
): Promise<void> => {
  if (await artifacts.getFile(wanted.hash, path)) return;
  throw new ExportRefusedError({
    experimentId: wanted.experimentId,
    reason: 'missing-artifact',
    detail: `${wanted.what}, artifact ${wanted.hash}, is gone from the artifacts folder; restore it from a backup`,
  });
};

const writeManifest = async ({ record: { experiment } }: BundleSource, folder: string): Promise<Manifest> => {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  const files: Manifest['files'] = {};
  for (const name of names)
    files[name] = { sha256: await hashFile(join(folder, name)), bytes: (await stat(join(folder, name))).size };
  const manifest: Manifest = {
    format: 'asi-arch-bundle',
    version: formatVersion,
    experimentId: experiment.id,
    name: experiment.proposal.name,
    files,
  };
  await using file = await open(join(folder, manifestName), 'wx');
  await file.writeFile(manifestText(manifest));
  await file.sync();
  return manifest;
};

/** A folder of that name which is no bundle of this experiment is somebody's work and is not replaced. */
const refuseForeignFolder = async (path: string, experimentId: string): Promise<void> => {
  const verification = await verifyBundle(path);
  if (verification.ok || !(await exists(path))) return;
  const [first] = verification.problems;
  // A bundle of an earlier version is replaced like one that is out of date.
  if (first?.file === manifestName && first.problem !== 'other-version')
    throw new ExportRefusedError({
      experimentId,
      reason: 'occupied',
      detail: `${path} exists and is no bundle; move it away or name another folder`,
    });
};

const place = async (aside: string, path: string, manifest: Manifest): Promise<void> => {
  if (await exists(path)) {
    const current = await verifyBundle(path);
    if (current.ok && (await readFile(join(path, manifestName), 'utf8')) === manifestText(manifest)) return;
    const old = `${aside}.old`;
    await rename(path, old);
    await rename(aside, path);
    await rm(old, { recursive: true });
    return;
  }
  await rename(aside, path);
};
