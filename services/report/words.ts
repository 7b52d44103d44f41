import type { Gain } from './report-data.ts';

/** With its sign and a true minus: +0.0412, −0.0030. */
export const signed = (value: number, digits = 4): string => {
  const text = Math.abs(value).toFixed(digits);
  const isZero = Number(text) === 0;
  return `${isZero ? '±' : value < 0 ? '−' : '+'}${text}`;
};

export const plain = (value: number, digits = 4): string => value.toFixed(digits).replace('-', '−');

/** +0.041 [+0.010, +0.072]; without brackets where nothing honest can be said of the spread. */
export const gainWords = (gain: Gain | null): string => {
  if (gain === null) return '–';
  const spread = gain.low === null || gain.high === null ? '' : ` [${signed(gain.low, 3)}, ${signed(gain.high, 3)}]`;
  return `${signed(gain.mean, 4)}${spread}`;
};

/** 1 candidate, 2 candidates. */
export const count = (number: number, noun: string): string => `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;

export const duration = (seconds: number): string => {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
};

/** 2026-11-21 10:00 UTC. */
export const instant = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;

export const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;
