import type { OtherRate } from '../contracts/rung.ts';

/** `ssd at twice the learning rate`. */
export const nameAtRate = (name: string, rate: OtherRate | undefined): string =>
  rate === undefined ? name : `${name} at ${rate} the learning rate`;
