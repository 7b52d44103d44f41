import type { Archive } from '../../services/archive/archive.ts';
import type { Verdict } from '../../workflows/contracts/experiment.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import { confirmingSeconds, costWords } from '../../workflows/rules/cost-words.ts';
import { referenceId } from './calibrate.ts';
import { nameOf } from './digest.ts';

/** The verdict with what the finalist's training cost beside the reference's, on the fresh seeds. */
export const withCost = async (archive: Archive, id: string, verdict: Verdict): Promise<Verdict> => {
  const [finalist, reference] = await Promise.all([id, referenceId(campaignOf(id))].map((one) => archive.getExperiment(one)));
  if (finalist == null || reference == null) return verdict;
  const words = costWords({
    against: nameOf(reference),
    candidate: await secondsOf(archive, finalist.id),
    reference: await secondsOf(archive, reference.id),
    sizes: finalist.architecture?.sizes ?? [],
  });
  return { ...verdict, statement: `${verdict.statement}${words}` };
};

const secondsOf = async (archive: Archive, experimentId: string): Promise<ReadonlyMap<number, number>> =>
  confirmingSeconds(await archive.listTrials({ experimentId }));
