import type { Outage, OutageCount, OutageProcess } from '../contracts/outage.ts';

/** A count for each process that broke, in the order of its first time. `outages` in the order of time. */
export const countOutages = (outages: readonly Outage[]): readonly OutageCount[] => {
  const counts = new Map<OutageProcess, OutageCount>();
  for (const outage of outages) counts.set(outage.process, { ...outage, times: (counts.get(outage.process)?.times ?? 0) + 1 });
  return [...counts.values()];
};

const names: Readonly<Record<OutageProcess, string>> = {
  'checker host': 'The Python host of the checker',
  'trainer host': 'The Python host of the trainer',
  judge: 'The judge',
};

/** What a person should know of it while the campaign goes on. */
export const outageWords = ({ process, times, at, lastWords }: OutageCount): string => {
  const often = times === 1 ? 'broke' : `broke ${times} times, the last time`;
  // What two outages met runs alone (`Suspects` of the dispatcher), while other slots stay empty.
  const alone =
    times === 1 || process === 'judge' ? '' : '; a program that ran in it two of these times runs alone, and others wait for it';
  return `${names[process]} ${often} at ${at.slice(11, 19)} UTC: ${lastWords}. What ran in it is tried again in a new one, unless it is given up${alone}.`;
};
