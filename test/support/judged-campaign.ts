import { noiseFrom } from '../../workers/activities/calibrate.ts';
import { judgeFinalists } from '../../workers/activities/confirm.ts';
import { doubtsFrom, settledBy } from '../../workers/activities/doubts.ts';
import { fitnessFrom } from '../../workers/activities/judge.ts';
import { ScoreTable } from '../../workers/activities/score-table.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';
import { controlNames } from '../../workflows/contracts/control.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { rateOf } from '../../workflows/contracts/naming.ts';
import { otherRateNames } from '../../workflows/contracts/rung.ts';
import type { Score, ScoreSet } from '../../workflows/contracts/score.ts';
import { presets } from '../../workflows/contracts/settings.ts';
import type { TrialPurpose } from '../../workflows/contracts/trial.ts';
import { allConfirmSeeds, exploreSeeds } from '../../workflows/rules/trial-seeds.ts';
import { aCampaign, aHash, anArchitecture, anExperiment, aProposal, aScore, aTrial } from './builders.ts';
import { checkpointBytes, type Stores } from './exportable.ts';

export const winnerId = 'c-test/e0003';

/** Bits per byte of each experiment, before what a seed adds. */
const levels = [2.75, 2.625, 2.125] as const;
const settings = { ...presets.tiny, data: { kind: 'folder', path: '/home/alice/texts' } as const };
const seeds = { search: exploreSeeds(settings), fresh: allConfirmSeeds(settings) };

/**
 * A campaign in an archive: two baselines and a candidate that is far better on every fresh seed and on the champion set, with fitness and verdict
 * as the activities make them. Its programs and weights are placeholders and its rows carry no seal of a judge.
 */
export const storeJudgedCampaign = async ({ archive, artifacts }: Stores): Promise<void> => {
  const programs = await Promise.all(levels.map((_, index) => artifacts.put(`class Mixer: ...  # ${index + 1}\n`)));
  const draft = aCampaign({ settings, data: { ...aCampaign().data, source: settings.data } });
  const experiments = levels.map((_, index) => anExperimentOf(index + 1, programs[index] ?? ''));
  const rows: Score[] = [];
  const rated = experiments
    .filter(({ kind }) => kind === 'baseline')
    .flatMap(({ id }) => otherRateNames.flatMap((rate) => seeds.fresh.map((seed) => ({ experimentId: id, rate, seed }))))
    .map((one) =>
      aTrial({ ...one, purpose: 'rate', state: 'scored', checkpointArtifact: aHash(`${one.experimentId} ${one.rate}`) }),
    );
  const trained = await Promise.all(
    experiments.flatMap(({ id, number }) =>
      [...seeds.search, ...seeds.fresh].map(async (seed) => {
        const checkpointArtifact = await artifacts.put(checkpointBytes(number * 1000 + (seed % 1000)));
        const purpose = seeds.search.includes(seed) ? ('explore' as const) : ('confirm' as const);
        return aTrial({ experimentId: id, seed, purpose, state: 'scored', checkpointArtifact });
      }),
    ),
  );
  const trials = [...trained, ...rated];
  for (const trial of trials) {
    const experiment = experiments.find(({ id }) => id === trial.experimentId);
    if (experiment === undefined) throw new Error(trial.id);
    // The winner is too good to be taken at its word, so that the last set was asked about its first exploring seed and the reference's.
    const isDoubted = trial.seed === seeds.search[0] && experiment.number !== 2;
    const asked: readonly ScoreSet[] = isDoubted ? ['search', 'champion'] : ['search'];
    const ofPurpose: Readonly<Record<TrialPurpose, readonly ScoreSet[]>> = {
      explore: asked,
      confirm: ['promotion', 'champion'],
      rate: ['promotion'],
    };
    const sets = ofPurpose[trial.purpose];
    for (const set of sets) rows.push(...rowsOf(experiment, { ...trial, set, dataHash: draft.data.hash }));
  }
  const table = new ScoreTable(rows);
  const controls = controlNames.map((name) => ({ name, held: true, label: null, detail: '' }));
  const campaign: Campaign = { ...draft, controls, noise: noiseFrom(draft, table) };
  await archive.createCampaign(campaign);
  const baselines = experiments
    .filter(({ kind }) => kind === 'baseline')
    .map(({ id, proposal }) => ({ id, name: proposal?.name ?? id }));
  for (const experiment of experiments) {
    const judged = fitnessFrom(campaign, table, experiment.id);
    if (!judged.ok) throw new Error(judged.reason);
    const facts = { campaign, experiment, baselines, scores: rows };
    const doubts = settledBy(facts, doubtsFrom(facts));
    await archive.createExperiment({ ...experiment, fitness: judged.fitness, doubts: [...doubts] });
  }
  for (const trial of trials) await archive.createTrial(trial);
  await archive.appendScores(rows);
  await archive.appendAudit({
    experimentId: winnerId,
    programHash: programs[2] ?? '',
    cuts: 300,
    passed: true,
    label: null,
    detail: '',
    gates: [],
    sandboxTier: 'S2',
    cpuSeconds: 1,
    at: campaign.createdAt,
  });
  const { judged } = await judgeFinalists(archive, campaign.id);
  for (const { id, verdict } of judged) await archive.setVerdict(id, verdict);
};

const anExperimentOf = (number: number, hash: string): Experiment => {
  const isBaseline = number < 3;
  const name = isBaseline ? (settings.baselines[number - 1] ?? '') : 'gated-delta + fir 3';
  return anExperiment({
    number,
    state: 'recorded',
    kind: isBaseline ? 'baseline' : 'candidate',
    parentId: isBaseline ? null : 'c-test/e0001',
    proposal: aProposal({ name, author: isBaseline ? 'baseline' : 'evolver', ...(isBaseline ? { changes: [] } : {}) }),
    architecture: anArchitecture({ hash }),
  });
};

/** What seeds do here: a little, and not the same to everybody. */
const seedEffect = (number: number, seed: number): number => ((seed * 7 + number * 3) % 5) / 1000;

const rowsOf = (
  { id, number, architecture }: Experiment,
  trial: {
    readonly id: string;
    readonly seed: number;
    readonly set: ScoreSet;
    readonly checkpointArtifact: string | null;
    readonly dataHash: string;
  },
): readonly Score[] => {
  const value = (levels[number - 1] ?? 0) + seedEffect(number, trial.seed);
  // At another learning rate the first task alone is trained.
  const metrics =
    rateOf(trial.id) === undefined ? (['bits-per-byte', 'recall-auc', 'recall-accuracy'] as const) : (['bits-per-byte'] as const);
  return metrics.map((metric) =>
    aScore({
      trialId: trial.id,
      metric,
      value: metric === 'recall-accuracy' ? 0.5 : value,
      set: trial.set,
      programHash: architecture?.hash ?? aHash(),
      checkpointHash: trial.checkpointArtifact ?? aHash(),
      dataHash: trial.dataHash,
      seal: aHash(`${id} ${metric} ${trial.set} ${trial.seed}`),
    }),
  );
};
