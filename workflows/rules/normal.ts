/** The standard normal distribution. */

/** P(Z > z). Relative error below 1e-13: a series near zero, a continued fraction in the tail (DLMF 7.6.2 and 7.9.4). */
export const normalTail = (z: number): number => {
  if (z < 0) return 1 - normalTail(-z);
  return z < 2.5 ? 0.5 - density(z) * oddSeries(z) : density(z) / tailFraction(z);
};

const density = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

/** (P(Z < z) - 1/2) / density(z) = z + z^3/3 + z^5/15 + ... */
const oddSeries = (z: number): number => {
  let term = z;
  let sum = z;
  for (let k = 3; term > 1e-17 * sum; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return sum;
};

/** z + 1/(z + 2/(z + 3/(z + ...))), from the inside out. */
const tailFraction = (z: number): number => {
  let fraction = z;
  for (let k = 150; k >= 1; k--) fraction = z + k / fraction;
  return fraction;
};

/** The z with P(Z > z) = tail, for 0 < tail < 1. */
export const normalUpper = (tail: number): number => {
  if (!(tail > 0 && tail < 1)) throw new RangeError(`normalUpper: tail = ${tail}; right would be a number between 0 and 1`);
  let low = -40;
  let high = 40;
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (normalTail(middle) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};
