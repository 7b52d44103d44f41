import type { Archive } from '../../services/archive/archive.ts';
import type { ModelSize } from '../../workflows/contracts/architecture.ts';
import type { Verdict } from '../../workflows/contracts/experiment.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import { confirmingSeconds, costWords } from '../../workflows/rules/cost-words.ts';
import { referenceId } from './calibrate.ts';

/** The verdict with what the finalist's training cost beside the reference's, on the fresh seeds. */
export const withCost = async (archive: Archive, id: string, verdict: Verdict): Promise<Verdict> => {
  const [finalist, reference] = await Promise.all([id, referenceId(campaignOf(id))].map((one) => archive.getExperiment(one)));
  if (finalist == null || reference == null) return verdict;
  const [trials, referenceTrials] = await Promise.all(
    [finalist, reference].map(({ id: experimentId }) => archive.listTrials({ experimentId })),
  );
  const words = costSentence({
    reference: { name: reference.proposal?.name ?? null, number: reference.number },
    referenceSeconds: confirmingSeconds(referenceTrials ?? []),
    trials: trials ?? [],
    sizes: finalist.architecture?.sizes ?? [],
  });
  return { ...verdict, statement: `${verdict.statement}${words}` };
};

export interface FinalistCost {
  readonly reference: { readonly name: string | null; readonly number: number };
  /** CPU seconds of its trainings on fresh seeds, by seed. */
  readonly referenceSeconds: ReadonlyMap<number, number>;
  /** All trials of the finalist. */
  readonly trials: Parameters<typeof confirmingSeconds>[0];
  readonly sizes: readonly ModelSize[];
}

/** The sentence that stands in a verdict, whether its facts come from the archive or from a bundle. */
export const costSentence = ({ reference, referenceSeconds, trials, sizes }: FinalistCost): string =>
  costWords({
    against: reference.name ?? `experiment ${reference.number}`,
    candidate: confirmingSeconds(trials),
    reference: referenceSeconds,
    sizes,
  });
