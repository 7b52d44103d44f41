/** Campaign `c-name`, experiment `c-name/e0007`, trial `c-name/e0007/quick/s1`. Pure, so that workflows can use it. */
export const experimentId = (campaignId: string, number: number): string => `${campaignId}/e${String(number).padStart(4, '0')}`;
export const trialId = (experiment: string, trial: { readonly rung: string; readonly seed: number }): string =>
  `${experiment}/${trial.rung}/s${trial.seed}`;
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
