/** Use of one cap; `reserved` is held for what runs and becomes part of `used` when that ends. */
export interface BudgetUse {
  readonly used: number;
  readonly cap: number;
  readonly reserved?: number;
}

/** "812 of 3,600, 240 more reserved". A cap that was lowered later, or passed by the last trial, is no share of anything. */
export const budgetUseWords = ({ used, cap, reserved = 0 }: BudgetUse, fractionDigits = 0): string => {
  const spent =
    used > cap
      ? `${figure(used, fractionDigits)}, past the cap of ${figure(cap)}`
      : `${figure(used, fractionDigits)} of ${figure(cap)}`;
  const held = figure(reserved, fractionDigits);
  return held === figure(0, fractionDigits) ? spent : `${spent}, ${held} more reserved`;
};

/** "0.02 minutes", "1 candidate": a cap in words, as it was given. */
export const capWords = (cap: number, noun: string): string => `${figure(cap)} ${noun}${cap === 1 ? '' : 's'}`;

/** Thousands apart. A cap is shown as it was given, whatever its digits. */
const figure = (value: number, fractionDigits?: number): string =>
  value.toLocaleString(
    'en-US',
    fractionDigits === undefined
      ? { maximumFractionDigits: 20 }
      : { minimumFractionDigits: fractionDigits, maximumFractionDigits: fractionDigits },
  );
