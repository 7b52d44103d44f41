/**
 * How every trial is trained, as kernels/asi_kernels/train/optimiser.py and train/command.py do it; a test compares both. The peak learning rate
 * and the weight decay are those of the rung's tasks.
 */
export const optimiserFacts = {
  name: 'AdamW',
  betas: [0.9, 0.98],
  epsilon: 1e-8,
  gradientClip: 1,
  weightDecay: 'matrices only',
  schedule: {
    description: 'linear warm-up to the peak, then half a cosine down to a share of it at the last step',
    /** Shares of the steps, and of the peak. */
    warmUpShare: 0.1,
    finalShare: 0.05,
  },
  precision: 'float32, one thread, deterministic algorithms',
} as const;
