import type { Failure } from '../contracts/failure.ts';

type End = Pick<Failure, 'label' | 'detail'>;

/**
 * What is said of trials that are open when their experiment ends. An end that a trial of its own brought about closed that trial already: the others
 * were only called off, in the midst of another try perhaps. An end without such a trial, by an outage that outlasted its retries or by a cancel, is
 * that of every trial still open.
 */
export const endOfOpenTrials = ({ label, detail, stage }: Pick<Failure, 'label' | 'detail' | 'stage'>): End =>
  stage === 'record'
    ? { label, detail }
    : {
        label: 'cancelled',
        detail: `called off: its program ended in another trial (${label}), and no seed of it is tried any more`,
      };
