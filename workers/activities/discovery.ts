import { ApplicationFailure } from '@temporalio/activity';
import { analyseFailure } from '../../services/analyst/analyse-failure.ts';
import type { LineageNode } from '../../services/archive/archive.ts';
import { type CampaignPlan, type DiscoveryActivities, failureTypes } from '../../workflows/contracts/activities.ts';
import { isCampaignOver, settingsInForce } from '../../workflows/contracts/campaign.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import { endOfOpenTrials } from '../../workflows/rules/called-off.ts';
import { poolCapacity, rebuildPool } from '../../workflows/rules/pool.ts';
import { closeCalibration } from './calibrate.ts';
import { type CloseDependencies, closeLostTrials, closeTrials } from './close-trials.ts';
import { type ConcludeDependencies, concludeCampaign } from './conclude.ts';
import { planConfirmation } from './confirm.ts';
import { type DigestDependencies, outcomeOf, readDigest } from './digest.ts';
import { settleDoubts } from './doubts.ts';
import { endCampaign } from './end-campaign.ts';
import { changeCampaign, changeExperiment, plannedExperiment, requireCampaign, requireExperiment } from './experiment-record.ts';
import { chooseFinalists } from './finalists.ts';
import { withHeartbeat } from './heartbeat.ts';
import { judgeExperiment } from './judge.ts';
import { type OpenDependencies, openCampaign } from './open-campaign.ts';
import { removeCampaignWork } from './workdir.ts';

const budgetFields = ['experiments', 'minutes', 'trialSeconds'] as const;

export type DiscoveryDependencies = OpenDependencies & ConcludeDependencies & DigestDependencies & CloseDependencies;

/** Activities of the `discovery` queue: they read and write the record and decide nothing that a rule does not. */
export const createDiscoveryActivities = (dependencies: DiscoveryDependencies): DiscoveryActivities => {
  const { archive, now } = dependencies;
  return {
    openCampaign: (request): Promise<CampaignPlan> =>
      withHeartbeat((_beat, signal) => openCampaign(dependencies, request, signal)),

    calibrateNoise: ({ campaignId }) => closeCalibration(archive, campaignId),

    async setCampaignState({ campaignId, state }) {
      await changeCampaign(archive, campaignId, (current) =>
        isCampaignOver(current.state) || current.state === state ? null : { state },
      );
    },

    async setBudget({ campaignId, change }) {
      await changeCampaign(archive, campaignId, (current) => {
        const inForce = settingsInForce(current);
        const { experiments, minutes, trialSeconds } = { ...inForce, ...change };
        const caps = { experiments, minutes, trialSeconds };
        // A retry finds its own change.
        if (budgetFields.every((field) => caps[field] === inForce[field])) return null;
        return { budgetChanges: [...(current.budgetChanges ?? []), { at: now().toISOString(), caps }] };
      });
    },

    async rebuildPool({ campaignId }) {
      for (;;) {
        const previous = await archive.getPool(campaignId);
        // The best first, so that no more than the pool holds are read, whatever the size of the campaign.
        const leaders = await archive.leaderboard(campaignId, poolCapacity);
        const written = await archive.putPool(campaignId, rebuildPool(previous, leaders.map(poolCandidate)));
        if (written.ok) return;
      }
    },

    readDigest: ({ campaignId }) => readDigest(dependencies, campaignId),

    judgeExperiment: ({ experimentId }) => judgeExperiment(archive, experimentId),

    settleDoubts: ({ experimentId }) => settleDoubts(archive, experimentId),

    async finishExperiment({ experimentId, end }) {
      const existing = await archive.getExperiment(experimentId);
      if (existing === null && end.state !== 'recorded') await plan(dependencies, experimentId);
      const at = now().toISOString();
      const finished = await changeExperiment(archive, experimentId, (current) => {
        if (end.state === 'recorded') return { state: end.state, finishedAt: at };
        const failure = { label: end.label, detail: end.detail.slice(0, 4000), stage: end.stage, logArtifact: logOf(current) };
        return { state: end.state, failure, finishedAt: at, analysis: analyseFailure({ ...current, failure }, failure) };
      });
      if (end.state !== 'recorded')
        await closeTrials(dependencies, await archive.listTrials({ experimentId }), endOfOpenTrials(end));
      return outcomeOf(finished);
    },

    chooseFinalists: ({ campaignId }) => chooseFinalists(archive, campaignId),

    planConfirmation: (request) => planConfirmation(archive, request),

    concludeCampaign: ({ campaignId }) =>
      withHeartbeat(async () => {
        await closeLostTrials(dependencies, campaignId);
        const conclusion = await concludeCampaign(dependencies, campaignId);
        await removeCampaignWork(dependencies.workFolder, campaignId);
        return conclusion;
      }),

    async endCampaign(end) {
      const { openedBy } = end;
      // One that never opened has no record, and another's under the same id is not its own to end.
      if (openedBy !== undefined && (await archive.getCampaign(end.campaignId))?.runId !== openedBy) return;
      await endCampaign(dependencies, end);
    },
  };
};

/** The log of the last refused program, if there is one. */
const logOf = (experiment: Experiment): string | null => experiment.attempts.at(-1)?.failure.logArtifact ?? null;

const poolCandidate = ({ id, number, fitness, depth }: LineageNode) => ({ experimentId: id, number, fitness, depth });

/** An experiment that was cancelled before it wrote anything still gets its record: ids are fixed before side effects. */
const plan = async ({ archive, now }: DiscoveryDependencies, experimentId: string): Promise<void> => {
  const campaign = await requireCampaign(archive, campaignOf(experimentId));
  const number = Number(experimentId.split('/e')[1]);
  if (!Number.isInteger(number))
    throw ApplicationFailure.nonRetryable(`"${experimentId}" is not an experiment id`, failureTypes.missingRecord);
  const { baselines, starts } = campaign.settings;
  const kind = number <= baselines.length ? 'baseline' : number <= baselines.length + starts.length ? 'start' : 'candidate';
  await archive.createExperiment(
    plannedExperiment({ campaignId: campaign.id, id: experimentId, number, kind, at: now().toISOString() }),
  );
  await requireExperiment(archive, experimentId);
};
