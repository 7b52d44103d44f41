import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import { bundleTexts } from '../../services/export/bundle-files.ts';
import { type BundleRecord, bundleRecordSchema, recordName } from '../../services/export/bundle-record.ts';
import { sourceOf } from '../../services/export/bundle-source.ts';
import { finalTensors } from '../../services/export/final-tensors.ts';
import { checkpointName, type Manifest, manifestName, manifestText, weightsName } from '../../services/export/manifest.ts';
import { writeTensors } from '../../services/export/safetensors.ts';

/** The record of a bundle, to be altered at will. */
export const recordOf = (path: string): BundleRecord =>
  bundleRecordSchema.parse(JSON.parse(readFileSync(join(path, recordName), 'utf8')));

/** What a careful forger does: alters a file and writes its hash and size into the manifest, as asi-arch would. */
export const forgeFile = (path: string, file: string, change: (text: string) => string): void => {
  writeFileSync(join(path, file), change(readFileSync(join(path, file), 'utf8')));
  enter(path, [file]);
};

/** What the most careful forger does: alters the record and lets asi-arch itself write every file anew around it. */
export const forgeRecord = (path: string, change: (record: BundleRecord) => BundleRecord): void => {
  const source = sourceOf(bundleRecordSchema.parse(change(recordOf(path))));
  if (source === null) throw new Error('a forged record needs a scored trial');
  const texts = bundleTexts(source);
  for (const [file, text] of texts) writeFileSync(join(path, file), text);
  enter(path, [...texts.keys()]);
};

/** Puts the checkpoint and the weights into a bundle that its record asks for. */
export const forgeWeights = async (path: string, artifacts: Artifacts): Promise<void> => {
  const source = sourceOf(recordOf(path));
  if (source === null) throw new Error('a forged record needs a scored trial');
  const [checkpoint, weights] = [join(path, checkpointName), join(path, weightsName)];
  rmSync(weights);
  rmSync(checkpoint);
  await artifacts.getFile(source.chosen.checkpointArtifact, checkpoint);
  const tasks = source.rung.tasks.map(({ kind }) => kind);
  await writeTensors({ from: checkpoint, to: weights, tensors: (await finalTensors(checkpoint, tasks)).tensors });
  enter(path, [checkpointName, weightsName]);
};

const enter = (path: string, files: readonly string[]): void => {
  const manifest: Manifest = JSON.parse(readFileSync(join(path, manifestName), 'utf8'));
  for (const file of files) {
    const bytes = readFileSync(join(path, file));
    manifest.files[file] = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  }
  writeFileSync(join(path, manifestName), manifestText(manifest));
};
