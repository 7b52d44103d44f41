import * as z from 'zod';
import { genomeSchema } from './genome.ts';

export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** One executable legality check and its evidence. */
export const gateResultSchema = z.strictObject({
  gate: z.enum(['contract', 'shape', 'finite', 'causality', 'length', 'batch', 'repeat', 'gradient', 'parameters', 'flops']),
  verdict: z.enum(['pass', 'fail', 'not-applicable']),
  /** What was seen, where, how large, with which seed: one sentence. */
  evidence: z.string().max(2000),
  /** The measured number behind the verdict and its limit, where there is one. */
  measured: z.number().nullable(),
  limit: z.number().nullable(),
  seconds: z.number().min(0),
});
export type GateResult = z.infer<typeof gateResultSchema>;

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
});
export type ModelSize = z.infer<typeof modelSizeSchema>;

/**
 * What is checked, trained, scored, stored and exported: a program text with the mixer contract
 * (class Mixer with `__init__(hidden_size, num_heads, layer_index=0, num_layers=1)` and `forward(x, state=None) -> (y, state)`, x and y [B, T, hidden]).
 * A genome is optional: people and models write programs.
 */
export const architectureSchema = z.strictObject({
  /** SHA-256 of the program text; also its address among the artifacts. */
  hash: hashSchema,
  genome: genomeSchema.nullable(),
  /** Addresses of verified kernel sources; empty until a kernel exists. */
  kernels: z.array(hashSchema),
  /** Per task of the rung; null before the check. */
  sizes: z.array(modelSizeSchema).nullable(),
});
export type Architecture = z.infer<typeof architectureSchema>;
