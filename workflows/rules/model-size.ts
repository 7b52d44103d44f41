import type { ModelSize } from '../contracts/architecture.ts';

/** As the `parameters` gate has it. */
const parameterTolerance = 0.02;
/**
 * Everything that a checkpoint holds, buffers among it, over the reference's parameters. A tensor of several names counts once: the host compares
 * its copies.
 */
const stateTolerance = 0.1;

export interface SizeInput {
  /** What the check said of the program, in the process that ran it. */
  readonly sizes: readonly ModelSize[];
  /** What the check said of the reference baseline, whose program is ours; null while it is not known. */
  readonly reference: readonly ModelSize[] | null;
  /** Largest FLOPs as a multiple of the reference's. */
  readonly flopsLimit: number;
}

/**
 * Why a check's sizes cannot be believed; null where nothing speaks against them. A program runs in the process that counts it and could
 * change what is counted. The reference was counted in another one, and a training is held to these sizes by the header of its checkpoint:
 * so the match that the gates found is decided here once more, from numbers that the program had no hand in.
 */
export const sizeDoubt = ({ sizes, reference, flopsLimit }: SizeInput): string | null => {
  for (const size of sizes) {
    if (size.layout === undefined) return `task ${size.task}: the check does not tell what the model's state holds`;
    const own = reference?.find(({ task }) => task === size.task);
    if (own === undefined) continue;
    const { numbers, tied } = size.layout;
    const doubt = againstReference(size, numbers - (tied?.numbers ?? 0), { own, flopsLimit });
    if (doubt !== null) return `task ${size.task}: ${doubt}`;
  }
  return null;
};

const againstReference = (
  size: ModelSize,
  stateNumbers: number,
  { own, flopsLimit }: { readonly own: ModelSize; readonly flopsLimit: number },
): string | null => {
  if (size.referenceParameters !== own.parameters)
    return `the check says that the reference has ${shown(size.referenceParameters)} parameters; its own check counted ${shown(own.parameters)}`;
  const difference = size.parameters / own.parameters - 1;
  if (Math.abs(difference) > parameterTolerance)
    return `${shown(size.parameters)} parameters against the reference's ${shown(own.parameters)}; two per cent are allowed`;
  if (stateNumbers > own.parameters * (1 + stateTolerance))
    return `the model's state holds ${shown(stateNumbers)} numbers, buffers counted, against the reference's ${shown(own.parameters)} parameters; a tenth more is allowed`;
  if (size.flopsPerToken > flopsLimit * own.flopsPerToken)
    return `${shown(size.flopsPerToken)} FLOPs a token against the reference's ${shown(own.flopsPerToken)}; ${flopsLimit} times are allowed`;
  return null;
};

const shown = (count: number): string => Math.round(count).toLocaleString('en-US');
