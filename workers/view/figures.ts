import type { Effect } from '../../workflows/contracts/analysis.ts';
import type { Metric } from '../../workflows/contracts/score.ts';

/** Signed figure, four decimals: `+0.0123`. */
export const signed = (value: number, digits = 4): string => {
  const text = Math.abs(value).toFixed(digits);
  const zero = Number(text) === 0;
  return `${value < 0 && !zero ? '-' : '+'}${text}`;
};

/** `+0.0123 [+0.0010, +0.0236]`; positive is better. */
export const effectText = (effect: Effect | null): string =>
  effect === null ? '–' : `${signed(effect.mean)} [${signed(effect.low)}, ${signed(effect.high)}]`;

/** `+0.0123 ±0.0113`, half the interval, where a line has little room. */
export const shortEffectText = (effect: Effect | null): string =>
  effect === null ? '–' : `${signed(effect.mean)} ±${((effect.high - effect.low) / 2).toFixed(4)}`;

/** 8 s, 3 min 05 s, 2 h 05 min, 3 d 04 h. */
export const durationText = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  return `${Math.floor(seconds / 86_400)} d ${two(Math.floor((seconds % 86_400) / 3600))} h`;
};

const two = (value: number): string => String(value).padStart(2, '0');

export const bytesText = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${units[unit]}`;
};

/** 12,345 */
export const countText = (value: number): string => Math.round(value).toLocaleString('en-US');

/** `1 trial`, `2 trials`. */
export const counted = (count: number, noun: string): string => `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;

export const metricNames: Readonly<Record<Metric, string>> = {
  'bits-per-byte': 'bits per byte',
  'recall-auc': 'recall loss over training (nats)',
  'recall-accuracy': 'recall accuracy',
  'copy-loss': 'copy loss (nats)',
};

/** A score in its metric's own form. */
export const scoreText = (metric: Metric, value: number): string =>
  metric === 'recall-accuracy' ? `${(100 * value).toFixed(1)} %` : value.toFixed(4);

/** `e0007` of `c-name/e0007`. */
export const shortId = (id: string): string => id.split('/')[1] ?? id;

/** Local time to the second, for one line of a log. */
export const clockText = (ms: number): string => {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
};

/** The same with its date where that is not the day of `nowMs`. */
export const stampText = (ms: number, nowMs: number): string => {
  const day = momentText(new Date(ms).toISOString()).slice(0, 10);
  const isToday = day === momentText(new Date(nowMs).toISOString()).slice(0, 10);
  return isToday ? clockText(ms) : `${day} ${clockText(ms)}`;
};

/** Local date and minute of an ISO time. */
export const momentText = (iso: string): string => {
  const at = new Date(iso);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
};
