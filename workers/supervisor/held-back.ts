import { closeSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import type { Secret } from '../../workflows/rules/secrets.ts';

/** Descriptor by which a supervised program is told what its environment does not have. */
export const HELD_BACK_DESCRIPTOR = 5;

const heldBackSchema = z.array(z.strictObject({ name: z.string(), value: z.string() }));

/** What the supervisor held back from this process's environment, once: the pipe is closed, and no child has it. Throws where there is none. */
export const readHeldBack = (): readonly Secret[] => {
  try {
    return heldBackSchema.parse(JSON.parse(readFileSync(HELD_BACK_DESCRIPTOR, 'utf8')));
  } finally {
    closeSync(HELD_BACK_DESCRIPTOR);
  }
};
