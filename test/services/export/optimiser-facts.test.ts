import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { optimiserFacts } from '../../../services/export/optimiser-facts.ts';

const kernels = fileURLToPath(new URL('../../../kernels', import.meta.url));
const task = { steps: 200, learningRate: 0.004, weightDecay: 0.5 };

/** One step with gradient one on a matrix and on a vector of ones, the learning rates of a whole run, and the constants. */
const program = `
import json, sys, torch
from torch import nn
from asi_kernels.train import optimiser as o
task = json.loads(sys.argv[1])
class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(2, 2))
        self.vector = nn.Parameter(torch.ones(2))
model = Two()
for p in model.parameters(): p.grad = torch.zeros_like(p)
o.Optimiser(model, {**task, 'steps': 1}).step(0)
print(json.dumps({
    'betas': [o._BETA_1, o._BETA_2], 'epsilon': o._EPSILON, 'clip': o._LARGEST_GRADIENT_NORM,
    'rates': [o.learning_rate(task, step) for step in range(task['steps'])],
    'matrix': model.matrix[0, 0].item(), 'vector': model.vector[0].item(),
}))`;

describe('the optimiser of a bundle’s recipe', () => {
  const trained = JSON.parse(
    execFileSync(process.env.ASI_PYTHON ?? 'python3', ['-c', program, JSON.stringify(task)], { cwd: kernels, encoding: 'utf8' }),
  );

  it('has the constants of the trainer', () => {
    const { betas, epsilon, gradientClip } = optimiserFacts;
    expect(trained).toMatchObject({ betas, epsilon, clip: gradientClip });
  });

  it('gives the learning rate of every step', () => {
    const { warmUpShare, finalShare } = optimiserFacts.schedule;
    const { steps, learningRate: peak } = task;
    const warmUp = warmUpShare * steps;
    const rates = Array.from({ length: steps }, (_, step) => {
      if (step < warmUp) return (peak * (step + 1)) / warmUp;
      const done = (step + 1 - warmUp) / (steps - warmUp);
      return peak * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * done)));
    });
    expect(trained.rates).toHaveLength(steps);
    for (const [step, rate] of rates.entries()) expect(trained.rates[step]).toBeCloseTo(rate, 12);
  });

  it('decays matrices only, as it says', () => {
    expect(optimiserFacts.weightDecay).toBe('matrices only');
    expect(trained.vector).toBe(1);
    expect(trained.matrix).toBeLessThan(1);
  });
});
