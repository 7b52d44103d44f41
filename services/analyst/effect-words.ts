import type { Comparison, Effect } from '../../workflows/contracts/analysis.ts';
import type { Metric } from '../../workflows/contracts/score.ts';

const units: Readonly<Record<Metric, { readonly noun: string; readonly scale: number; readonly digits: number }>> = {
  'bits-per-byte': { noun: 'bits per byte', scale: 1, digits: 3 },
  'recall-auc': { noun: 'nats of recall loss', scale: 1, digits: 3 },
  'recall-accuracy': { noun: 'points of recall accuracy', scale: 100, digits: 1 },
  'copy-loss': { noun: 'nats of copy loss', scale: 1, digits: 3 },
};

/** What an interval allows one to say. */
export type Standing = 'gained' | 'lost' | 'untold';
export const standingOf = ({ low, high }: Effect): Standing => (low > 0 ? 'gained' : high < 0 ? 'lost' : 'untold');
export const effectOn = (comparison: Comparison | null, metric: Metric): Effect | null =>
  comparison?.effects.find((effect) => effect.metric === metric) ?? null;

/** "gained 0.041 bits per byte [0.020, 0.062] over deltanet on 2 common seeds", or that the two cannot be told apart. */
export const effectWords = (effect: Effect, name: string): string => {
  const { noun, scale, digits } = units[effect.metric];
  const number = (value: number): string => {
    const text = (value * scale).toFixed(digits);
    // A rounded nothing has no sign.
    return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', '−');
  };
  const seeds = `${effect.seeds} common seed${effect.seeds === 1 ? '' : 's'}`;
  const interval = `[${number(effect.low)}, ${number(effect.high)}]`;
  switch (standingOf(effect)) {
    case 'gained':
      return `gained ${number(effect.mean)} ${noun} ${interval} over ${name} on ${seeds}`;
    case 'lost':
      return `lost ${number(-effect.mean)} ${noun} ${interval} against ${name} on ${seeds}`;
    case 'untold':
      return `cannot be told from ${name} in ${noun} (${number(effect.mean)} ${interval}, ${seeds})`;
  }
};

/** Every metric of one comparison, as a sentence without its subject. */
export const comparisonWords = ({ effects, name }: Comparison): string =>
  effects.length === 0
    ? `has no seed in common with ${name} that allows an interval`
    : effects.map((effect) => effectWords(effect, name)).join('; ');
