import { type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';
import { type BaselineName, baselineNames } from '../../workflows/contracts/genome.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { areSameTraining } from '../../workflows/rules/same-training.ts';
import { changeExperiment, requireExperiment } from './experiment-record.ts';
import type { TrainingDependencies } from './trial-record.ts';

/**
 * The experiment of the same campaign that trains as this trial did: one of the baselines, or of those that ended lately. Null for none.
 * Programs are compared by what they do here, since a copy can be written so that neither its text nor its genome tells.
 */
export const twinOf = async (
  { archive, peers }: Pick<TrainingDependencies, 'archive' | 'peers'>,
  { id, experimentId, seed }: Trial,
  curve: Trial['curve'],
): Promise<Experiment | null> => {
  const campaignId = campaignOf(id);
  const known = await Promise.all([peers.baselineCurves(campaignId), peers.curves(campaignId)]);
  const alike = known
    .flat()
    .filter((other) => other.experimentId !== experimentId && other.seed === seed && areSameTraining(curve, other.curve));
  for (const other of alike) {
    const twin = await requireExperiment(archive, other.experimentId);
    // One that ended without scores speaks for nobody.
    if (twin.state === 'recorded' || !isTerminal(twin.state)) return twin;
  }
  return null;
};

/** Marks a program that nobody drew, a person's own, as the baseline that it trains as. */
export const markAsBaseline = async (
  { archive }: Pick<TrainingDependencies, 'archive'>,
  experimentId: string,
  twin: Experiment,
): Promise<void> => {
  const name = baselineOf(twin);
  if (name === null) return;
  await changeExperiment(archive, experimentId, ({ architecture }) =>
    architecture === null || architecture.knownAs === name ? null : { architecture: { ...architecture, knownAs: name } },
  );
};

const baselineOf = ({ kind, proposal }: Experiment): BaselineName | null =>
  kind === 'baseline' ? (baselineNames.find((name) => name === proposal?.name) ?? null) : null;

export const twinWords = (twin: Experiment, { seed }: Pick<Trial, 'seed'>): string =>
  `with seed ${seed} its losses are, but for rounding, those of ${twin.id} "${twin.proposal?.name ?? ''}": the same architecture written in another way, whose scores are its own`;
