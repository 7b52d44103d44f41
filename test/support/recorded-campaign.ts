import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import { openFolderArtifacts } from '../../services/artifacts/folder-artifacts.ts';
import { InProcessDispatcher } from '../../services/dispatch/in-process-dispatcher.ts';
import { exportBundle } from '../../services/export/export-bundle.ts';
import type { Judge } from '../../services/judge/judge.ts';
import { scoreWithJudge } from '../../services/judge/score-with-judge.ts';
import { PythonHost } from '../../services/python/host.ts';
import { PythonTools } from '../../services/python/tools.ts';
import { noiseFrom } from '../../workers/activities/calibrate.ts';
import { fitnessFrom } from '../../workers/activities/judge.ts';
import { prepareData } from '../../workers/activities/open-campaign.ts';
import { ScoreTable } from '../../workers/activities/score-table.ts';
import { checkProgram } from '../../workers/cli/gate/check-program.ts';
import { readConfig } from '../../workers/config.ts';
import { openJudge } from '../../workers/roles/judge.ts';
import { readScoreLists } from '../../workers/roles/score-lists.ts';
import { versionsOf } from '../../workers/roles/versions.ts';
import type { ModelSize } from '../../workflows/contracts/architecture.ts';
import { baselineGenomes } from '../../workflows/contracts/baselines.ts';
import type { DataManifest } from '../../workflows/contracts/data.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { checkCuts, flopsLimits } from '../../workflows/contracts/gate-limits.ts';
import { rungs } from '../../workflows/contracts/rung.ts';
import type { Score } from '../../workflows/contracts/score.ts';
import { type CampaignSettings, presets } from '../../workflows/contracts/settings.ts';
import { type TrainRequest, trainResultSchema } from '../../workflows/contracts/trial.ts';
import { exploreSeeds } from '../../workflows/rules/trial-seeds.ts';
import { aCampaign, anArchitecture, anExperiment, aTrial } from './builders.ts';

const limits = { wallSeconds: 60, idleSeconds: 60, memoryBytes: 3e9, logBytes: 1e6 };
const rung = rungs.tiny;
const baseline = 'linear-attention';

/**
 * One baseline in a home: gated, trained on a text folder below the home with every exploring seed, scored by the home's judge, recorded and
 * exported. All of it real.
 */
export const makeRecordedCampaign = async (home: string): Promise<{ readonly bundle: string; readonly experimentId: string }> => {
  const python = process.env.ASI_PYTHON ?? 'python3';
  const config = readConfig({ ASI_HOME: home, ASI_PYTHON: python });
  const texts = join(home, 'texts');
  mkdirSync(texts);
  for (let file = 0; file < 120; file++) writeFileSync(join(texts, `${file}.txt`), `line ${file} of a text\n`.repeat(100));
  const source = { kind: 'folder', path: texts } as const;
  const folders = { python, dataFolder: join(home, 'data'), judgeFolder: join(home, 'judge') };
  const data = await prepareData(folders, { data: source, rung: 'tiny' });

  const settings = { ...presets.tiny, data: source, baselines: [baseline] } satisfies CampaignSettings;
  const tools = new PythonTools({ python });
  const program = await tools.emit(baselineGenomes[baseline], baseline, 'A baseline.').finally(() => tools.close());
  const checked = await checkProgram(config, {
    text: program,
    fileName: 'mixer.py',
    rung,
    seed: settings.seed,
    cuts: checkCuts,
    reference: baseline,
    refuse: () => null,
    flopsLimit: flopsLimits.baseline,
  });
  if (!checked.ok || checked.report.sizes === null) throw new Error(`the baseline did not pass: ${JSON.stringify(checked)}`);
  const { gates, sizes } = checked.report;

  const archive = openSqliteArchive(join(home, 'archive.db'));
  const artifacts = openFolderArtifacts(join(home, 'artifacts'));
  try {
    const hash = await artifacts.put(program);
    const genome = baselineGenomes[baseline];
    const experiment = anExperiment({
      number: 1,
      kind: 'baseline',
      state: 'recorded',
      gates,
      architecture: anArchitecture({ hash, genome, sizes }),
    });
    const trials = await trainAndScore({
      config,
      experiment,
      program,
      sizes,
      data,
      seeds: exploreSeeds(settings),
      putFile: (path) => artifacts.putFile(path),
    });
    const table = new ScoreTable(trials.flatMap(({ rows }) => rows));
    const campaign = aCampaign({ settings, data, versions: versionsOf(python) });
    const noise = noiseFrom(campaign, table);
    const judged = fitnessFrom({ ...campaign, noise }, table, experiment.id);
    if (!judged.ok) throw new Error(judged.reason);
    await archive.createCampaign({ ...campaign, noise });
    await archive.createExperiment({ ...experiment, fitness: judged.fitness });
    for (const { seed, checkpoint, rows } of trials) {
      await archive.createTrial(aTrial({ experimentId: experiment.id, seed, state: 'scored', checkpointArtifact: checkpoint }));
      await archive.appendScores(rows);
    }
    const { path } = await exportBundle({
      experimentId: experiment.id,
      folder: join(home, 'bundles'),
      archive,
      artifacts,
      scoreLists: (ids) => readScoreLists(config, ids),
    });
    return { bundle: path, experimentId: experiment.id };
  } finally {
    await archive.close();
  }
};

interface Training {
  readonly config: ReturnType<typeof readConfig>;
  readonly experiment: Experiment;
  readonly program: string;
  readonly sizes: readonly ModelSize[];
  readonly data: DataManifest;
  readonly seeds: readonly number[];
  readonly putFile: (path: string) => Promise<string>;
}
interface TrainedSeed {
  readonly seed: number;
  readonly checkpoint: string;
  readonly rows: readonly Score[];
}

const trainAndScore = async (training: Training): Promise<readonly TrainedSeed[]> => {
  const { config } = training;
  const host = new PythonHost({ python: config.python });
  const dispatcher = new InProcessDispatcher({ slots: 2, runner: host });
  const judge = openJudge(config);
  try {
    const trained: TrainedSeed[] = [];
    for (const seed of training.seeds) trained.push(await trainOne(training, seed, { host, dispatcher, judge }));
    return trained;
  } finally {
    await dispatcher.close();
    await judge.stop();
  }
};

const trainOne = async (
  training: Training,
  seed: number,
  { host, dispatcher, judge }: { readonly host: PythonHost; readonly dispatcher: InProcessDispatcher; readonly judge: Judge },
): Promise<TrainedSeed> => {
  const { config, experiment, program, data } = training;
  const sizes = [...training.sizes];
  const trialId = `${experiment.id}/${rung.name}/s${seed}`;
  const workdir = join(config.home, 'work', `trial-${seed}`);
  mkdirSync(workdir, { recursive: true });
  const programPath = join(workdir, 'mixer.py');
  writeFileSync(programPath, program);
  const programHash = experiment.architecture?.hash ?? '';
  const request: TrainRequest = {
    trialId,
    programPath,
    programHash,
    rung,
    sizes,
    seed,
    data,
    checkpointEvery: 100,
    reportEvery: 5,
  };
  const trained = await dispatcher.run({ id: `train-${seed}`, command: 'train', request, workdir, limits });
  if (!trained.ok) throw new Error(trained.detail);
  const { checkpointPath, detail } = trainResultSchema.parse(trained.result);
  if (checkpointPath === null) throw new Error(detail);
  const checkpoint = resolve(workdir, checkpointPath);
  const put = await training.putFile(checkpoint);
  const { sandbox, device } = await host.start();
  const end = await scoreWithJudge(
    { judge, run: (job, signal) => dispatcher.run(job, { signal }) },
    {
      id: `score-${seed}`,
      request: { trialId, programPath, programHash, checkpointPath: checkpoint, rung, sizes, seed },
      checkpointHash: put,
      set: 'search',
      data,
      sandbox,
      device,
      workdir: join(workdir, 'score'),
      limits,
      kept: true,
    },
  );
  if (!end.ok) throw new Error(`${end.label}: ${end.detail}`);
  return { seed, checkpoint: put, rows: end.rows };
};
