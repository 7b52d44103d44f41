import type { Comparison } from '../../workflows/contracts/analysis.ts';
import type { Experiment } from '../../workflows/contracts/experiment.ts';
import type { Genome } from '../../workflows/contracts/genome.ts';
import type { Metric } from '../../workflows/contracts/score.ts';
import { effectOn, effectWords, standingOf } from './effect-words.ts';

const slow = 1.5;
const symptoms: Readonly<Record<Metric, string>> = {
  'bits-per-byte': 'Language modelling is weaker than that of a strong linear-attention baseline',
  'recall-auc':
    'Associative recall is learned more slowly than by a strong linear-attention baseline: keys crowd or overwrite one another in a state of fixed size',
  'recall-accuracy':
    'Associative recall is less exact than that of a strong linear-attention baseline: keys crowd or overwrite one another in a state of fixed size',
  'copy-loss':
    'Selective copying is weaker than that of a strong linear-attention baseline: content is not held over distractors',
};

/**
 * What is still wrong, in words that a literature search can use: symptoms that the intervals against the best baseline (else the reference)
 * show, what kind of mixer has them, and where nothing shows, what was not measured.
 */
export const stateProblem = (experiment: Experiment, comparisons: readonly Comparison[]): string => {
  const rival =
    comparisons.find(({ against }) => against === 'best-baseline') ??
    comparisons.find(({ against }) => against === 'reference') ??
    null;
  const kind = experiment.proposal?.genome == null ? '' : ` Mixer: ${mixerWords(experiment.proposal.genome)}.`;
  return `${symptomsOf(rival)}${kind}`.slice(0, 1000);
};

const symptomsOf = (rival: Comparison | null): string => {
  if (rival === null) return 'Nothing was compared yet.';
  const lost = rival.effects.filter((effect) => standingOf(effect) === 'lost');
  const words = lost.map((effect) => `${symptoms[effect.metric]} (${effectWords(effect, rival.name)}).`);
  if (rival.timeRatio !== null && rival.timeRatio > slow)
    words.push(`Training is slow: a token takes ${rival.timeRatio.toFixed(1)} times the time of ${rival.name}.`);
  if (words.length > 0) return words.join(' ');
  const loss = effectOn(rival, 'bits-per-byte');
  if (loss !== null && standingOf(loss) === 'gained')
    return `No measured weakness against ${rival.name}; behaviour at larger size and beyond the training length is not measured.`;
  return `Cannot be told from ${rival.name}: the change is too small an effect for this scale, and a different kind of state update or local path may be needed.`;
};

const mixerWords = (genome: Genome): string =>
  [
    `${genome.write.kind} write`,
    genome.decay.kind === 'none' ? 'no decay' : `${genome.decay.kind} decay`,
    ...(genome.fir.length > 0 ? [`FIR branches over ${genome.fir.join(', ')} tokens with a ${genome.router} router`] : []),
    ...(genome.layers.pattern === 'uniform' ? [] : [`window attention in every second layer`]),
  ].join(', ');
