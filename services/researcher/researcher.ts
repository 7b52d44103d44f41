import type { Analysis, Effect } from '../../workflows/contracts/analysis.ts';
import type { GateResult } from '../../workflows/contracts/architecture.ts';
import type { Change, Experiment, Proposal } from '../../workflows/contracts/experiment.ts';
import type { Failure } from '../../workflows/contracts/failure.ts';
import type { Genome } from '../../workflows/contracts/genome.ts';

/** What a researcher knows of another experiment of its campaign. A program always exists where `programHash` is set; a genome may not. */
export interface Relative {
  readonly id: string;
  readonly number: number;
  readonly kind: Experiment['kind'];
  readonly arm: Experiment['arm'];
  readonly state: Experiment['state'];
  readonly parentId: string | null;
  readonly name: string;
  readonly motivation: string;
  readonly programHash: string | null;
  readonly genome: Genome | null;
  /** Higher is better; null until it is judged. */
  readonly fitness: number | null;
  /** Gain over the reference baseline per metric; positive is better. */
  readonly gains: readonly Effect[];
  readonly operator: string;
  readonly changes: readonly Change[];
  readonly failure: Pick<Failure, 'label' | 'detail'> | null;
  /** Its earlier designs that a check refused, before this one. */
  readonly refused: readonly (Pick<Proposal, 'genome' | 'changes'> & { readonly label: Failure['label'] })[];
  readonly lessons: Analysis['lessons'];
}

/** A proposal: what goes into the record. Its program is the engineer's. */
export type Draft = Proposal;

/** An earlier draft of the same experiment and why it was not taken. */
export interface RefusedDraft {
  readonly draft: Draft;
  readonly reason: string;
}

export interface ResearchContext {
  readonly experimentId: string;
  readonly number: number;
  /** The campaign's seed. */
  readonly seed: number;
  /** `control`: ignore everything that was measured. */
  readonly arm: 'policy' | 'control';
  readonly parent: Relative | null;
  readonly references: readonly Relative[];
  /** Every other experiment of the campaign that has a proposal; those still under way have neither fitness nor failure. */
  readonly history: readonly Relative[];
  readonly hints: readonly string[];
  readonly refused: readonly RefusedDraft[];
}

/** No draft, and why; an expected outcome. */
export interface Refusal {
  readonly refused: Pick<Failure, 'label' | 'detail'>;
}

export interface Researcher {
  propose(context: ResearchContext, signal: AbortSignal): Promise<Draft | Refusal>;
}

export interface RepairRequest {
  readonly draft: Draft;
  readonly failure: Pick<Failure, 'label' | 'detail'>;
  /** Verdicts of the failed check; empty where it did not come so far. */
  readonly gates: readonly GateResult[];
  /** 1 for the first repair. */
  readonly attempt: number;
  readonly seed: number;
  readonly history: readonly Relative[];
  readonly refused: readonly RefusedDraft[];
}

export interface Engineer {
  /** The program text of a draft: a mixer class with the contract of `architectureSchema`. */
  write(draft: Draft, signal: AbortSignal): Promise<{ readonly program: string }>;
  /** A changed draft that avoids the failure; null where there is none. */
  repair(request: RepairRequest, signal: AbortSignal): Promise<Draft | null>;
}

export const isRefusal = (outcome: Draft | Refusal): outcome is Refusal => 'refused' in outcome;

/** Null for an experiment that has no proposal yet. */
export const relativeOf = (experiment: Experiment): Relative | null => {
  const { proposal, failure } = experiment;
  if (proposal === null) return null;
  return {
    id: experiment.id,
    number: experiment.number,
    kind: experiment.kind,
    arm: experiment.arm,
    state: experiment.state,
    parentId: experiment.parentId,
    name: proposal.name,
    motivation: proposal.motivation,
    programHash: experiment.architecture?.hash ?? null,
    genome: proposal.genome,
    fitness: experiment.fitness?.value ?? null,
    gains: experiment.fitness?.effects ?? [],
    operator: proposal.operator,
    changes: proposal.changes,
    failure: failure === null ? null : { label: failure.label, detail: failure.detail },
    // An attempt with the program that the experiment ended with is the experiment itself.
    refused: experiment.attempts.flatMap(({ hash, proposal: tried, failure: { label } }) =>
      tried === null || hash === experiment.architecture?.hash ? [] : [{ genome: tried.genome, changes: tried.changes, label }],
    ),
    lessons: experiment.analysis?.lessons ?? [],
  };
};
