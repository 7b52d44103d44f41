import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exportBundle } from '../../../services/export/export-bundle.ts';
import { verifyBundle } from '../../../services/export/verify-bundle.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import type { Genome } from '../../../workflows/contracts/genome.ts';
import { rungs } from '../../../workflows/contracts/rung.ts';
import { loadedLogitsSchema, prepareResultSchema, trainResultSchema } from '../../../workflows/contracts/trial.ts';
import { aCampaign, aModelSize, anArchitecture, anExperiment, aScore, aTrial } from '../../support/builders.ts';
import { alter, freshStores, type Stores } from '../../support/exportable.ts';

const python = process.env.ASI_PYTHON ?? '';
const packageFolder = fileURLToPath(new URL('../../../kernels', import.meta.url));
const referenceScript = fileURLToPath(new URL('./package_logits.py', import.meta.url));
const answerScript = fileURLToPath(new URL('./answer_logits.py', import.meta.url));
const limitMs = 120_000;
const mlpHidden = 24;
/** Rotated, decayed and with paths around the recurrence: constants, buffers and parameters of every kind. */
const genome: Genome = { ...baselineGenomes.retnet, fir: [3, 15], router: 'two-stage' };
const sizes = rungs.tiny.tasks.map(({ kind }) => aModelSize({ task: kind, mlpHidden }));

const plain = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };
const withPackage = (args: readonly string[], cwd: string): string =>
  execFileSync(python, args, { cwd, env: { ...plain, PYTHONPATH: packageFolder }, encoding: 'utf8' });

/** Runs one command of the Python package as the product does: a request file, a work folder, a result file. */
const runCommand = (folder: string, command: string, request: object): unknown => {
  const workdir = join(folder, command);
  mkdirSync(workdir);
  writeFileSync(join(workdir, 'request.json'), JSON.stringify(request));
  withPackage(['-m', 'asi_kernels', command, '--request', join(workdir, 'request.json'), '--workdir', workdir], workdir);
  return JSON.parse(readFileSync(join(workdir, 'result.json'), 'utf8'));
};

interface Trained {
  readonly stores: Stores;
  readonly programPath: string;
  readonly checkpointPath: string;
  readonly bundle: string;
}

/** A real training run of the tiny rung on the program of a genome, recorded and exported. */
const trainAndExport = async (genome: Genome): Promise<Trained> => {
  const stores = freshStores();
  const { folder, archive, artifacts } = stores;
  const emit =
    'import json,sys\nfrom asi_kernels.generate.emit import emit_program\nprint(emit_program(json.loads(sys.argv[1]), "it", "why"), end="")';
  const programPath = join(folder, 'mixer.py');
  writeFileSync(programPath, withPackage(['-c', emit, JSON.stringify(genome)], folder));
  const hash = await artifacts.putFile(programPath);

  mkdirSync(join(folder, 'texts'));
  for (let file = 0; file < 120; file++)
    writeFileSync(join(folder, 'texts', `${file}.txt`), `line ${file} of a text\n`.repeat(100));
  const prepared = prepareResultSchema.parse(
    runCommand(folder, 'prepare', {
      source: { kind: 'folder', path: join(folder, 'texts') },
      cacheFolder: join(folder, 'data'),
      judgeFolder: join(folder, 'judge'),
      minimumTrainBytes: 100,
      minimumHeldOutBytes: 100,
    }),
  );
  if (prepared.status !== 'ok') throw new Error(prepared.message);
  const experiment = anExperiment({ state: 'recorded', architecture: anArchitecture({ hash, genome, sizes }) });
  const queued = aTrial({ experimentId: experiment.id, seed: 5 });
  const result = trainResultSchema.parse(
    runCommand(folder, 'train', {
      trialId: queued.id,
      programPath,
      programHash: hash,
      rung: rungs.tiny,
      sizes,
      seed: 5,
      data: prepared.manifest,
      checkpointEvery: 100,
      reportEvery: 5,
    }),
  );
  if (result.checkpointPath === null) throw new Error(result.detail);
  const checkpointPath = resolve(folder, 'train', result.checkpointPath);
  await archive.createCampaign(aCampaign({ data: prepared.manifest }));
  await archive.createExperiment(experiment);
  const request = { trialId: queued.id, programPath, programHash: hash, checkpointPath, rung: rungs.tiny, sizes, seed: 5 };
  const fixedLogits = loadedLogitsSchema.parse(JSON.parse(withPackage([answerScript, JSON.stringify(request)], '/')));
  await archive.createTrial({
    ...queued,
    state: 'scored',
    checkpointArtifact: await artifacts.putFile(checkpointPath),
    fixedLogits,
  });
  await archive.appendScores([aScore({ trialId: queued.id })]);
  const { path } = await exportBundle({ ...stores, experimentId: experiment.id, folder: join(folder, 'bundles') });
  return { stores, programPath, checkpointPath, bundle: path };
};

/** load.py as a stranger runs it: another folder, nothing of ours on the path. */
const runLoader = (bundle: string) => spawnSync(python, [join(bundle, 'load.py')], { cwd: '/', env: plain, encoding: 'utf8' });

/** What the loader says of logits that are a rounding apart, of other ones, and of a bundle without any. */
const agreementsOf = (bundle: string): readonly string[] => {
  const script = [
    'import json, sys',
    'sys.dont_write_bytecode = True',
    'sys.path.insert(0, sys.argv[1])',
    'import load, torch',
    'torch.set_num_threads(1)',
    'model = load.load("bytes")',
    'with torch.no_grad():',
    '    logits = model(load.fixed_tokens(256))',
    'expected = load._model_facts()["tasks"]["bytes"]["logits"]',
    'print(json.dumps([load.agreement(logits + 1e-6, expected), load.agreement(1.5 * logits, expected), load.agreement(logits, None)]))',
  ].join('\n');
  return JSON.parse(execFileSync(python, ['-c', script, bundle], { cwd: '/', env: plain, encoding: 'utf8' }));
};

describe.skipIf(python === '')('a bundle of a real training run (needs ASI_PYTHON)', () => {
  it(
    'gives the logits of the package bit for bit in a process that has only PyTorch, and refuses to run what was altered',
    async () => {
      const { programPath, checkpointPath, bundle } = await trainAndExport(genome);
      const loaded = runLoader(bundle);
      expect(loaded.stderr).toBe('');
      const said = loaded.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const request = { program: programPath, checkpoint: checkpointPath, rung: rungs.tiny, mlpHidden, seed: 99 };
      const expected = JSON.parse(withPackage([referenceScript, JSON.stringify(request)], '/'));
      expect(Object.fromEntries(said.map(({ task, sha256 }) => [task, sha256]))).toEqual(expected);
      expect(said.map(({ logits }) => logits)).toEqual([
        [2, 48, 256],
        [2, 48, 16],
      ]);
      // As the process that answered the judge got them.
      expect({ status: loaded.status, agreements: said.map(({ agreement }) => agreement) }).toEqual({
        status: 0,
        agreements: ['same bits', 'same bits'],
      });
      expect(said[0].madeWith).toMatchObject({ torch: said[0].torch, platform: expect.stringContaining(' ') });
      expect(agreementsOf(bundle)).toEqual([
        expect.stringMatching(/^close \(largest difference \d\.?\d?e-0\d\)$/),
        expect.stringMatching(/^different \(largest difference /),
        'unknown: the campaign wrote no logits down',
      ]);
      expect(await verifyBundle(bundle)).toMatchObject({ ok: true });

      alter(bundle, 'mixer.py', `${readFileSync(join(bundle, 'mixer.py'), 'utf8')}\n`);
      const refused = runLoader(bundle);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toMatch(/^load\.py: mixer\.py was altered/);
    },
    limitMs,
  );
});
