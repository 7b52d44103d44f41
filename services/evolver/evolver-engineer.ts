import type { GateResult } from '../../workflows/contracts/architecture.ts';
import type { Change } from '../../workflows/contracts/experiment.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import type { Genome } from '../../workflows/contracts/genome.ts';
import { createRandom, type Random } from '../../workflows/rules/random.ts';
import type { Draft, Engineer, RepairRequest } from '../researcher/researcher.ts';
import { valueWeights } from './draw-weights.ts';
import { readEvidence } from './evidence.ts';
import { takenBy } from './evolver.ts';
import { changesBetween, type Gene, type GeneGroup, geneAt, geneGroups, undoChanges } from './genes.ts';
import { genomeKey } from './genome-key.ts';
import { readHints } from './hints.ts';
import { expectEffect, rewriteMotivation } from './motivation.ts';
import { mutateGroup, type ValueWeight } from './mutation.ts';
import { nameGenome } from './names.ts';
import { repairGenome } from './repair-genome.ts';

/** Writes the program of a legal genome. */
export interface Emitter {
  emit(genome: Genome, name: string, motivation: string): Promise<string>;
}

/**
 * Engineer of the evolver: programs come from the generator, and a program that failed a gate gets another genome in which the genes that
 * the gate speaks of are taken back or changed.
 */
export class EvolverEngineer implements Engineer {
  readonly #emitter: Emitter;

  constructor(emitter: Emitter) {
    this.#emitter = emitter;
  }

  async write(draft: Draft, signal: AbortSignal): Promise<{ readonly program: string }> {
    signal.throwIfAborted();
    if (draft.genome === null) throw new TypeError(`"${draft.name}" has no genome: the evolver writes programs of genomes only`);
    return { program: await this.#emitter.emit(draft.genome, draft.name, draft.motivation) };
  }

  repair(request: RepairRequest, signal: AbortSignal): Promise<Draft | null> {
    signal.throwIfAborted();
    return Promise.resolve(repairDraft(request));
  }
}

/** Genes that a failed gate most likely speaks of, most suspect first. */
const suspectsOfGate: Readonly<Record<GateResult['gate'], readonly string[]>> = {
  contract: [],
  shape: ['heads.multiple', 'heads.expandKey', 'heads.expandValue', 'output.norm'],
  finite: ['featureMap', 'qkNorm', 'write.beta', 'write.kind', 'decay.param', 'decay.kind', 'scale', 'output.norm', 'router'],
  causality: ['layers.pattern', 'fir', 'shortConv.streams', 'write.eraseTime', 'readout'],
  extremes: ['featureMap', 'qkNorm', 'write.beta', 'write.kind', 'decay.param', 'decay.kind', 'scale', 'output.norm', 'router'],
  padding: ['layers.pattern', 'layers.window', 'position', 'fir', 'shortConv.streams'],
  streaming: ['layers.pattern', 'layers.window', 'position', 'fir', 'shortConv.streams', 'readout', 'write.eraseTime'],
  mode: [],
  buffers: ['layers.pattern', 'fir'],
  precision: ['decay.param', 'featureMap', 'qkNorm', 'scale', 'write.kind', 'output.norm'],
  'initial-loss': ['scale', 'output.norm', 'output.gate', 'featureMap', 'valueMix'],
  initialisation: [],
  complexity: [],
  length: ['layers.pattern', 'layers.window', 'position', 'fir', 'shortConv.streams'],
  batch: ['router', 'output.norm', 'layers.pattern'],
  repeat: ['layers.pattern', 'fir'],
  gradient: ['featureMap', 'router', 'output.gate', 'keyTie', 'decay.param', 'decay.kind', 'readout', 'valueMix'],
  parameters: ['heads.expandValue', 'output.gate', 'write.steps', 'decay.kind', 'write.kind', 'fir', 'router', 'heads.multiple'],
  flops: ['write.steps', 'write.kind', 'layers.pattern', 'heads.expandValue', 'heads.multiple', 'fir', 'output.gate'],
};
/** For failures that name no gate. */
const suspectsOfLabel: Readonly<Partial<Record<FailureLabel, readonly string[]>>> = {
  unmatched: suspectsOfGate.parameters,
  nonfinite: suspectsOfGate.finite,
  diverged: suspectsOfGate.finite,
  too_slow: suspectsOfGate.flops,
  timeout_wall: suspectsOfGate.flops,
  oom_host: suspectsOfGate.flops,
};
/** Failures that another genome cannot cure. */
const beyondRepair: ReadonlySet<FailureLabel> = new Set(['infra', 'cancelled', 'budget', 'sandbox_unavailable', 'poison']);
const maxDraws = 40;

/** `repair` without a promise: deterministic for the request. */
export const repairDraft = (request: RepairRequest): Draft | null => {
  const { draft, failure, history } = request;
  if (draft.genome === null || beyondRepair.has(failure.label)) return null;
  const taken = takenBy({ history, refused: [...request.refused, { draft, reason: failure.detail }] });
  const random = createRandom(`${request.seed}/${genomeKey(draft.genome)}/repair ${request.attempt}`);
  const weight = valueWeights(readEvidence(history), readHints([]));
  const stem = repairGenome(undoChanges(draft.genome, draft.changes)).genome;
  const suspects = suspectsIn(draft, request);
  for (let draw = 0; draw < maxDraws; draw++) {
    const genome = withoutSuspects({ genome: draft.genome, changes: draft.changes, suspects, random, weight, draw });
    const changes = changesBetween(stem, genome);
    if (taken.keys.has(genomeKey(genome)) || (draft.changes.length > 0 && changes.length === 0)) continue;
    // A control draft without a parent tells no changes; neither does its repair.
    const told = draft.changes.length === 0 ? [] : changes;
    const because = `Repair ${request.attempt}: ${failure.label}${gatesWords(request.gates)} spoke against ${suspects.join(', ')}.`;
    return {
      ...draft,
      genome,
      changes: told,
      name: nameGenome(genome, { changes: told, taken: taken.names }),
      motivation: rewriteMotivation(draft, { changes: told, because }),
      expectedEffect: expectEffect(told),
    };
  }
  return null;
};

/**
 * The genes to take back: those of the failed gates that this draft changed; else all that it changed, where the gate names none; else, for
 * a design without a parent, those of the gate as they are.
 */
const suspectsIn = (draft: Draft, { failure, gates }: RepairRequest): readonly string[] => {
  const named = [
    ...gates.filter((gate) => gate.verdict === 'fail').flatMap((gate) => suspectsOfGate[gate.gate]),
    ...(suspectsOfLabel[failure.label] ?? []),
  ];
  const changed = draft.changes.map((change) => change.gene);
  const both = [...new Set(named)].filter((gene) => changed.includes(gene));
  if (both.length > 0) return both;
  if (changed.length > 0) return changed;
  return named.length > 0 ? [...new Set(named)] : ['write.kind', 'decay.kind', 'featureMap'];
};

/**
 * First the suspects at their old values, and where nothing new is left of the draft, one of their groups at yet another value: neither the
 * old nor the failed one. Every ten draws another group of the genome moves along, for suspects that have no other value.
 */
const withoutSuspects = (given: {
  readonly genome: Genome;
  readonly changes: readonly Change[];
  readonly suspects: readonly string[];
  readonly random: Random;
  readonly weight: ValueWeight;
  readonly draw: number;
}): Genome => {
  const { genome, changes, suspects, random, draw } = given;
  const undone = repairGenome(
    undoChanges(
      genome,
      changes.filter((change) => suspects.includes(change.gene)),
    ),
  ).genome;
  if (draw === 0 && changes.length > 0) return undone;
  const failed = suspects.map(geneAt);
  const hasFailed = (candidate: Genome): boolean =>
    failed.some((gene) => changedAway(gene, genome, undone) && gene.read(candidate) === gene.read(genome));
  const step = (from: Genome, group: GeneGroup): Genome => {
    const moved = mutateGroup(from, group, given);
    return moved === null || hasFailed(moved) ? from : moved;
  };
  const groups = [...new Set(failed.map((gene) => gene.group))];
  const numMore = Math.floor(draw / 10);
  return Array.from({ length: numMore }).reduce<Genome>(
    (moved) => step(moved, random.pick(geneGroups)),
    step(undone, random.pick(groups)),
  );
};

/** A suspect that was not taken back (a design without a parent has no old value) may keep its value if another of them moves. */
const changedAway = (gene: Gene, failed: Genome, undone: Genome): boolean => gene.read(failed) !== gene.read(undone);

const gatesWords = (gates: readonly GateResult[]): string => {
  const failed = gates.filter((gate) => gate.verdict === 'fail').map((gate) => gate.gate);
  return failed.length === 0 ? '' : ` (${failed.join(', ')})`;
};
