import * as z from 'zod';

/** Long-lived Python processes whose end shows nowhere else: what ran in them is tried again, unless it is given up. */
export const outageProcesses = ['checker host', 'trainer host', 'judge'] as const;
export type OutageProcess = (typeof outageProcesses)[number];

/** One of them ended, or had to be killed, while its worker still needed it. */
export const outageSchema = z.strictObject({
  at: z.iso.datetime(),
  process: z.enum(outageProcesses),
  /** How it ended, with the last of what it said. */
  lastWords: z.string().max(1000),
});
export type Outage = Readonly<z.infer<typeof outageSchema>>;

/** How often one process broke, and the last time. */
export type OutageCount = Outage & { readonly times: number };
