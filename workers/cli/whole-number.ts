import { badInput } from './command-error.ts';

/** Parser of a whole-number option within bounds. */
export const wholeNumber =
  (option: string, least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw badInput(`${option}: value "${text}"; right would be a whole number from ${least} to ${most}`);
  };
