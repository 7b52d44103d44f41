/** Learning rates beside a rung's own that ids can tell; what they are stands with the rungs. */
export const otherRateNames = ['half', 'twice'] as const;
export type OtherRate = (typeof otherRateNames)[number];

/**
 * Campaign `c-name`, experiment `c-name/e0007`, trial `c-name/e0007/quick/s1`, at another learning rate `c-name/e0007/quick-twice-rate/s1`. Pure, so
 * that workflows can use it.
 */
export const experimentId = (campaignId: string, number: number): string => `${campaignId}/e${String(number).padStart(4, '0')}`;
export const trialId = (
  experiment: string,
  { rung, seed, rate }: { readonly rung: string; readonly seed: number; readonly rate?: OtherRate | undefined },
): string => `${experiment}/${rung}${rate === undefined ? '' : `-${rate}-rate`}/s${seed}`;

/** The learning rate that a trial's id tells; undefined for that of its rung. */
export const rateOf = (trial: string): OtherRate | undefined => {
  const told = trial.split('/')[2] ?? '';
  return otherRateNames.find((rate) => told.endsWith(`-${rate}-rate`));
};

/** An experiment at another rate, as comparisons name it: a rival of its own. */
export const idAtRate = (experiment: string, rate: OtherRate | undefined): string =>
  rate === undefined ? experiment : `${experiment}@${rate}-rate`;

export const campaignOf = (id: string): string => id.split('/')[0] ?? id;

/** The campaign id that belongs to a workflow id, whatever a person typed into the Web UI. */
export const campaignIdForWorkflow = (workflowId: string): string => {
  const slug = workflowId
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .replace(/^c-(?=.)/, '')
    .slice(0, 47)
    .replace(/-+$/, '');
  return `c-${slug === '' ? 'campaign' : slug}`;
};
