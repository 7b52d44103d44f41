import {
  type Draft,
  isRefusal,
  type Refusal,
  type Relative,
  type ResearchContext,
} from '../../../services/researcher/researcher.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import { experimentId } from '../../../workflows/contracts/naming.ts';

const campaignId = 'c-test';

/** A recorded baseline unless told otherwise; its id follows from its number. */
export const aRelative = (part: Partial<Relative> = {}): Relative => {
  const number = part.number ?? 1;
  return {
    id: experimentId(campaignId, number),
    number,
    kind: 'candidate',
    arm: 'policy',
    state: 'recorded',
    parentId: null,
    name: `architecture ${number}`,
    motivation: `what architecture ${number} is for`,
    programHash: null,
    genome: baselineGenomes.deltanet,
    fitness: 0,
    gains: [],
    operator: 'mutate:decay',
    changes: [],
    failure: null,
    refused: [],
    lessons: [],
    ...part,
  };
};

/** Numbers 1 to 9, as a campaign with all baselines has them. */
export const baselineRelatives: readonly Relative[] = Object.entries(baselineGenomes).map(([name, genome], index) =>
  aRelative({ number: index + 1, kind: 'baseline', arm: 'none', name, genome, fitness: index / 100, operator: 'baseline' }),
);

export const aContext = (part: Partial<ResearchContext> = {}): ResearchContext => {
  const history = part.history ?? baselineRelatives;
  const number = part.number ?? 10;
  return {
    experimentId: experimentId(campaignId, number),
    number,
    seed: 1,
    arm: 'policy',
    parent: history[5] ?? null,
    references: history.slice(0, 4),
    history,
    hints: [],
    refused: [],
    ...part,
  };
};

export const draftOf = (outcome: Draft | Refusal): Draft => {
  if (isRefusal(outcome)) throw new Error(`refused: ${outcome.refused.detail}`);
  return outcome;
};

/** What the draft is to later experiments. */
export const finished = (draft: Draft, part: Partial<Relative> & { readonly number: number }): Relative =>
  aRelative({
    name: draft.name,
    genome: draft.genome,
    operator: draft.operator,
    changes: draft.changes,
    ...part,
  });
