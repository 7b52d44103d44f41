import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Archive } from '../../services/archive/archive.ts';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import { openFolderArtifacts } from '../../services/artifacts/folder-artifacts.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { SandboxTier } from '../../workflows/contracts/sandbox.ts';
import type { LoadedLogits } from '../../workflows/contracts/trial.ts';
import { aCampaign, aFitness, anArchitecture, anExperiment, aProposal, aScore, aTrial } from './builders.ts';
import { safetensorsFile } from './safetensors-file.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface Stores {
  readonly folder: string;
  readonly archive: Archive;
  readonly artifacts: Artifacts;
}

export const freshStores = (folder = temporaryFolder()): Stores => ({
  folder,
  archive: openSqliteArchive(join(folder, 'archive.db')),
  artifacts: openFolderArtifacts(join(folder, 'artifacts')),
});

export const exportedId = 'c-test/e0002';

/** A checkpoint of the tiny rung's two tasks at two steps: enough for everything but running it. */
export const checkpointBytes = (seed: number): Buffer =>
  safetensorsFile(
    Object.fromEntries(
      ['bytes', 'recall'].flatMap((task) =>
        [5, 10].map((step) => [`${task}/${step}/blocks.0.w`, { shape: [2], values: [seed, step] }] as const),
      ),
    ),
  );

/** As an answering process writes them down. */
const fixedLogits: LoadedLogits = {
  torch: '2.13.0',
  platform: 'Linux x86_64 AVX2',
  tasks: ['bytes', 'recall'].map((task) => ({ task, sha256: 'c'.repeat(64), mean: 0.1, largest: 3, sample: [0.5, -0.5] })),
};

/** A campaign with a baseline and its recorded child `exportedId`: two exploring trials and a confirming one, of which seed 2 is best. */
export const storeExportable = async (
  { archive, artifacts }: Stores,
  change: {
    readonly experiment?: Partial<Experiment>;
    readonly program?: string;
    readonly kernel?: string;
    readonly tier?: SandboxTier;
  } = {},
): Promise<void> => {
  const hash = await artifacts.put(change.program ?? 'class Mixer: ...\n');
  const { tier: sandboxTier = 'none' } = change;
  const kernels = change.kernel === undefined ? [] : [await artifacts.put(change.kernel)];
  const source = { kind: 'folder', path: '/home/alice/private/texts' } as const;
  const { data, settings } = aCampaign();
  await archive.createCampaign(
    aCampaign({
      data: { ...data, source },
      controls: [{ name: 'running-mean', held: true, label: null, detail: '' }],
      settings: { ...settings, data: source, starts: ['gla', '/home/alice/mixers/mine.py'] },
    }),
  );
  await archive.createExperiment(
    anExperiment({
      number: 1,
      kind: 'baseline',
      state: 'recorded',
      proposal: aProposal({ name: 'deltanet', author: 'baseline', changes: [] }),
    }),
  );
  await archive.appendScores([aScore({ trialId: 'c-test/e0001/tiny/s1', value: 2.75, sandboxTier })]);
  await archive.createExperiment(
    anExperiment({
      number: 2,
      state: 'recorded',
      parentId: 'c-test/e0001',
      architecture: anArchitecture({ hash, kernels }),
      fitness: aFitness(),
      ...change.experiment,
    }),
  );
  for (const [seed, purpose, value] of [
    [1, 'explore', 2.5],
    [2, 'explore', 2.25],
    [101, 'confirm', 2.75],
  ] as const) {
    const trial = aTrial({
      experimentId: exportedId,
      seed,
      purpose,
      state: 'scored',
      checkpointArtifact: await artifacts.put(checkpointBytes(seed)),
      fixedLogits,
    });
    await archive.createTrial(trial);
    await archive.appendScores([
      aScore({ trialId: trial.id, value, sandboxTier }),
      aScore({ trialId: trial.id, metric: 'recall-auc', value: 3, sandboxTier }),
    ]);
  }
};

/** Overwrites one file of a bundle. */
export const alter = (path: string, file: string, text: string): void => writeFileSync(join(path, file), text);
