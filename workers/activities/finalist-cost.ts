import type { Archive } from '../../services/archive/archive.ts';
import type { Verdict } from '../../workflows/contracts/experiment.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import { costWords } from '../../workflows/rules/cost-words.ts';
import { referenceId } from './calibrate.ts';
import { nameOf } from './digest.ts';

/** The verdict with what the finalist's training cost beside the reference's, on the fresh seeds. */
export const withCost = async (archive: Archive, id: string, verdict: Verdict): Promise<Verdict> => {
  const [finalist, reference] = await Promise.all([id, referenceId(campaignOf(id))].map((one) => archive.getExperiment(one)));
  if (finalist == null || reference == null) return verdict;
  const words = costWords({
    against: nameOf(reference),
    candidate: await confirmingSeconds(archive, finalist.id),
    reference: await confirmingSeconds(archive, reference.id),
    sizes: finalist.architecture?.sizes ?? [],
  });
  return { ...verdict, statement: `${verdict.statement}${words}` };
};

const confirmingSeconds = async (archive: Archive, experimentId: string): Promise<ReadonlyMap<number, number>> =>
  new Map(
    (await archive.listTrials({ experimentId })).flatMap(({ purpose, state, seed, usage }) =>
      purpose === 'confirm' && state === 'scored' && usage !== undefined ? [[seed, usage.trainSeconds] as const] : [],
    ),
  );
