import * as z from 'zod';

/** Campaign `c-name`, experiment `c-name/e0007`, trial `c-name/e0007/quick/s1`: fixed before any side effect. */
export const campaignIdSchema = z
  .string()
  .regex(/^c-[a-z0-9][a-z0-9-]{0,46}$/, 'must be "c-" and up to 47 lower-case letters, digits and dashes');
export const experimentIdSchema = z.string().regex(/^c-[a-z0-9][a-z0-9-]{0,46}\/e\d{4,6}$/);
export const trialIdSchema = z.string().regex(/^c-[a-z0-9][a-z0-9-]{0,46}\/e\d{4,6}\/[a-z0-9-]{1,32}\/s\d+$/);

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
