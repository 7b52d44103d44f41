import * as z from 'zod';
import { baselineNameSchema, genomeSchema } from './genome.ts';

export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** In the order in which they are shown (science.md E.2 and E.3 name the leak or the trick behind each). */
export const gateNames = [
  'contract', // parses, imports only what a mixer needs, has class Mixer with its signature
  'shape', // outputs as the contract says, at every length and batch size
  'finite', // no NaN and no infinity on plain inputs
  'extremes', // the same on zeros, huge, tiny, constant and spiky inputs
  'batch', // no row sees another; neither membership nor order matters
  'causality', // no output depends on a later input: suffixes replaced at random cuts and chunk borders, future gradients zero
  'length', // outputs do not depend on how much follows, unseen total lengths included
  'padding', // documents side by side: padding and what came before a boundary do not matter where a state is not carried
  'streaming', // any split with the state carried over equals the whole, token by token too
  'repeat', // same input, same output, in whatever order of calls
  'mode', // training and evaluation mode agree
  'buffers', // no text kept in buffers or attributes between calls
  'gradient', // every parameter is reached by a finite gradient; no dead path
  'precision', // bfloat16 stays near float32
  'initial-loss', // an untrained model is near ln V and its activations are sane
  'initialisation', // every parameter is initialised, and stays as the program left it
  'complexity', // operations and bytes at three lengths: no quadratic growth
  'parameters', // within two per cent of the reference
  'flops', // within the limit against the reference
] as const;

/** One executable legality check and its evidence. */
export const gateResultSchema = z.strictObject({
  gate: z.enum(gateNames),
  verdict: z.enum(['pass', 'fail', 'not-applicable']),
  /** What was seen, where and how large: one sentence. */
  evidence: z.string().max(2000),
  /** The measured number behind the verdict and its limit, where there is one. */
  measured: z.number().nullable(),
  limit: z.number().nullable(),
  /** Of the probes that the verdict rests on; null where nothing was drawn. */
  seed: z.int().min(0).nullable(),
  seconds: z.number().min(0),
});
export type GateResult = z.infer<typeof gateResultSchema>;

/** What one model's state holds, so that it can be counted again from the header of a checkpoint. */
export const modelLayoutSchema = z.strictObject({
  /** Parameters and persistent buffers, each under every name that it has. */
  tensors: z.int().min(1),
  /** Real numbers in them: a complex element is two, here as in every count of parameters. */
  numbers: z.int().min(1),
  /** SHA-256 over names, types and shapes in order of names. */
  hash: hashSchema,
  /** Second names, each with the first name of the same tensor, and how many of `numbers` they hold; absent where there is none. */
  tied: z.strictObject({ names: z.record(z.string(), z.string()), numbers: z.int().min(0) }).optional(),
});

/** Size of one task's model built around the mixer, after parameter matching. */
export const modelSizeSchema = z.strictObject({
  task: z.enum(['bytes', 'recall', 'copy']),
  /** MLP width that brings the total within two per cent of the reference. */
  mlpHidden: z.int().min(1),
  parameters: z.int().min(1),
  mixerParameters: z.int().min(0),
  referenceParameters: z.int().min(1),
  /** Multiply-add FLOPs of one forward pass over one token, counted by dispatch; and the reference's. */
  flopsPerToken: z.number().min(0),
  referenceFlopsPerToken: z.number().min(0),
  /** Operators of one forward pass over one sequence, and bytes that they write a token; absent in records of older versions, as layout is. */
  operators: z.int().min(0).optional(),
  bytesPerToken: z.number().min(0).optional(),
  layout: modelLayoutSchema.optional(),
});
export type ModelSize = z.infer<typeof modelSizeSchema>;

/**
 * What is checked, trained, scored, stored and exported: a program text with the mixer contract
 * (class Mixer with `__init__(hidden_size, num_heads, layer_index=0, num_layers=1)` and `forward(x, state=None) -> (y, state)`, x and y [B, T, hidden]).
 * A mixer whose cost grows faster than T log T says so by a class attribute, `quadratic = True`; without it the complexity gate holds it to that.
 * A genome is optional: people and models write programs.
 */
export const architectureSchema = z.strictObject({
  /** SHA-256 of the program text; also its address among the artifacts. */
  hash: hashSchema,
  genome: genomeSchema.nullable(),
  /**
   * The known baseline that it is: by its genome, by its program up to comments, layout and names, or, of the baselines of its campaign, by
   * its training. Null for none; absent where it was written before anybody asked.
   */
  knownAs: baselineNameSchema.nullable().optional(),
  /** Addresses of verified kernel sources; empty until a kernel exists. */
  kernels: z.array(hashSchema),
  /** Per task of the rung; null before the check. */
  sizes: z.array(modelSizeSchema).nullable(),
});
export type Architecture = z.infer<typeof architectureSchema>;
