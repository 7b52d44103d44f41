import { type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { nameAtRate } from '../../workflows/rules/rate-name.ts';
import { cut } from './cells.ts';
import { tasksOf } from './progress.ts';
import { type CampaignSnapshot, nameOf, repairsOf } from './snapshot.ts';

const repairWidth = 40;

/** What one experiment is doing at the moment. */
export interface Activity {
  readonly id: string;
  readonly name: string;
  /** "checking", "training seed 3 (confirming)". */
  readonly doing: string;
  /** Task, step and loss of the running trial, else what was mended; empty when there is neither. */
  readonly figures: string;
  readonly losses: readonly (number | null)[];
}

/** A line for every experiment that is not over, and for every confirming trial that runs. */
export const currentActivities = (snapshot: CampaignSnapshot): readonly Activity[] => {
  const open = snapshot.experiments.filter(({ state }) => !isTerminal(state));
  const openIds = new Set(open.map(({ id }) => id));
  const confirming = snapshot.activeTrials.filter((trial) => !openIds.has(trial.experimentId) && isRunning(trial));
  return [
    ...open.map((experiment) => {
      const trial = snapshot.activeTrials.find((one) => one.experimentId === experiment.id && isRunning(one));
      return trial === undefined ? idle(experiment) : training(snapshot, nameOf(experiment), trial);
    }),
    ...confirming.map((trial) => {
      const experiment = snapshot.experiments.find(({ id }) => id === trial.experimentId);
      return training(snapshot, experiment === undefined ? '' : nameOf(experiment), trial);
    }),
  ];
};

const isRunning = (trial: Trial): boolean => trial.state === 'running' || trial.state === 'trained';

const stages: Readonly<Record<Experiment['state'], string>> = {
  planned: 'proposing',
  proposed: 'checking',
  checked: 'waiting for a slot',
  trained: 'judging',
  judged: 'analysing',
  analysed: 'writing the record',
  recorded: 'recorded',
  rejected: 'rejected',
  failed: 'failed',
  cancelled: 'cancelled',
};

const idle = (experiment: Experiment): Activity => ({
  id: experiment.id,
  name: nameOf(experiment),
  // Judging needs what seeds alone do, which all baselines together say.
  doing:
    experiment.kind === 'baseline' && experiment.state === 'trained'
      ? 'waiting for the other baselines'
      : stages[experiment.state],
  figures: repairText(experiment),
  losses: [],
});

const repairText = (experiment: Experiment): string => {
  const why = repairsOf(experiment).at(-1);
  return why === undefined ? '' : cut(`repaired after ${why}`, repairWidth);
};

const training = ({ campaign }: CampaignSnapshot, experimentName: string, trial: Trial): Activity => {
  const { experimentId: id } = trial;
  const name = nameAtRate(experimentName, trial.rate);
  const last = trial.curve.at(-1);
  const purpose = trial.purpose === 'explore' ? '' : ', confirming';
  const doing = `${trial.state === 'trained' ? 'scoring' : 'training'} seed ${trial.seed}${purpose}`;
  if (last === undefined) return { id, name, doing, figures: 'starting', losses: [] };
  const steps = tasksOf(campaign, trial).find(({ kind }) => kind === last.task)?.steps;
  const loss = last.loss === null ? 'not finite' : last.loss.toFixed(3);
  return {
    id,
    name,
    doing,
    figures: `${last.task} ${last.step}${steps === undefined ? '' : `/${steps}`}, loss ${loss}`,
    losses: trial.curve.filter(({ task }) => task === last.task).map((point) => point.loss),
  };
};
