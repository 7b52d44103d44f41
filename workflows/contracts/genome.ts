import * as z from 'zod';

/**
 * Typed description of a mixer of the constrained diagonal-plus-low-rank family. Per head, with state S in R^{K x V}:
 *
 *   S~_t = Diag(alpha_t) S_{t-1};   S_t = (I - k_t e_t^T) S~_t + k_t x_t^T;   o_t = q_t^T S_t
 *
 * e = 0 gives additive models, e = beta k and x = beta v the delta rule. Sources of the named settings: RetNet arXiv 2307.08621,
 * GLA 2312.06635, Mamba-2 2405.21060, DeltaNet 2406.06484, Gated DeltaNet 2412.06464, Kimi Linear (KDA) 2510.26692,
 * DeltaProduct 2502.10297, Comba 2506.02475, ASI-Arch 2507.18074.
 */
export const genomeSchema = z.strictObject({
  decay: z.strictObject({
    /** none | one constant per head (RetNet) | one learned constant per channel | data-dependent per head (SSD, GDN) | per channel (GLA, KDA). */
    kind: z.enum(['none', 'scalar-const', 'vector-const', 'scalar-data', 'vector-data']),
    /**
     * How a data-dependent log-decay g <= 0 is made from a projection u of x: logsigmoid(u)/16 (GLA) | -exp(A) softplus(u + b) (Mamba-2, GDN, KDA)
     * | -5 sigmoid(exp(A)(u + b)) (KDA's bounded gate) | -exp(-exp(u)) style of RWKV-6. Ignored, and 'softplus', for constant or no decay.
     */
    param: z.enum(['logsigmoid', 'softplus', 'bounded-sigmoid', 'double-exp']),
  }),
  write: z.strictObject({
    /** additive | delta (e = beta k) | decoupled-erase (e = b*k, x = w*v, per channel: GDN-2) | householder (n delta sub-steps a token: DeltaProduct). */
    kind: z.enum(['additive', 'delta', 'decoupled-erase', 'householder']),
    /** Write strength: 1 | sigmoid | 2 sigmoid (negative eigenvalues, state tracking). */
    beta: z.enum(['one', 'sigmoid', 'double-sigmoid']),
    /** Sub-steps a token; 1 unless kind is householder. */
    steps: z.int().min(1).max(3),
    /** Erase after the decay (GDN, KDA) or before it (Comba). */
    eraseTime: z.enum(['after-decay', 'before-decay']),
  }),
  /** 'one-minus-decay' ties the key to the decay, k = 1 - alpha (HGRN2); needs vector-data decay and additive write. */
  keyTie: z.enum(['free', 'one-minus-decay']),
  featureMap: z.enum(['identity', 'silu', 'relu', 'elu-plus-one', 'softmax', 'square']),
  qkNorm: z.enum(['none', 'l2', 'rms', 'sum']),
  /** Query scale: K^(-1/2) or 1. */
  scale: z.enum(['inverse-sqrt', 'one']),
  position: z.enum(['none', 'rope']),
  /** Causal depthwise convolution and SiLU on each of q, k, v. kernel is its length in tokens. */
  shortConv: z.strictObject({ q: z.boolean(), k: z.boolean(), v: z.boolean(), kernel: z.int().min(2).max(8) }),
  /** o = q^T S_t | with a bonus diag(u) k v^T on top (RWKV) | with the query corrected by -d k before the read (Comba). */
  readout: z.enum(['plain', 'bonus', 'query-correction']),
  output: z.strictObject({
    norm: z.enum(['none', 'rms', 'group', 'layer']),
    gate: z.enum(['none', 'silu', 'sigmoid', 'low-rank']),
  }),
  /** Path around the state: none | mix*o + (1-mix)*v with mix a sigmoid per token and head (ASI-Arch idx 151) | o + D*v with D learned (Mamba). */
  valueMix: z.enum(['none', 'sigmoid-mix', 'skip']),
  /** Extra causal depthwise FIR branches on v: kernel lengths in tokens, ascending, no repeats; empty for none. */
  fir: z.array(z.union([z.literal(3), z.literal(5), z.literal(7), z.literal(15), z.literal(31), z.literal(63)])).max(4),
  /** How the FIR branches and the recurrence are weighed: learned per head | softmax per token and head | independent sigmoids | two-stage (recurrence against paths, then among paths). 'none' without FIR. */
  router: z.enum(['none', 'static', 'softmax', 'sigmoid', 'two-stage']),
  heads: z.strictObject({
    /** Heads as a multiple of the rung's head count. */
    multiple: z.union([z.literal(0.5), z.literal(1), z.literal(2)]),
    /** K per head as a multiple of hidden/heads. */
    expandKey: z.union([z.literal(0.5), z.literal(1)]),
    /** V per head as a multiple of hidden/heads. */
    expandValue: z.union([z.literal(1), z.literal(2)]),
  }),
  /** uniform | every second layer swaps the recurrence for sliding-window softmax attention (window in tokens). */
  layers: z.strictObject({
    pattern: z.enum(['uniform', 'alternate-window']),
    window: z.union([z.literal(16), z.literal(32), z.literal(64)]),
  }),
});
export type Genome = z.infer<typeof genomeSchema>;

/** Baselines by name. Each is a genome; its program is emitted by the same generator as a candidate's. */
export const baselineNames = [
  'linear-attention',
  'retnet',
  'ssd',
  'gla',
  'deltanet',
  'gated-deltanet',
  'kda',
  'deltanet-value-mix',
  'deltanet-fir-gate',
] as const;
export const baselineNameSchema = z.enum(baselineNames);
export type BaselineName = z.infer<typeof baselineNameSchema>;
