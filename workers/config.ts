import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

/** The checkout this process runs from. */
export const checkoutFolder = fileURLToPath(new URL('..', import.meta.url));

const port = z.coerce.number().int().min(1).max(65535);
const environmentSchema = z.object({
  ASI_HOME: z.string().min(1).default(join(checkoutFolder, '.asi')),
  ASI_CACHE: z
    .string()
    .min(1)
    .default(join(homedir(), '.cache', 'asi-arch')),
  ASI_PYTHON: z.string().min(1, 'path of the Python interpreter of the locked environment; run "npm run setup"'),
  ASI_TEMPORAL: z.string().min(1, 'path of the Temporal binary; run "npm run setup"').optional(),
  ASI_TEMPORAL_PORT: port.default(7233),
  ASI_UI_PORT: port.default(8233),
  ASI_SLOTS: z.coerce.number().int().min(1).max(64).default(2),
  ASI_IDLE_SECONDS: z.coerce.number().min(1).max(86_400).default(60),
  ASI_CHECK_SECONDS: z.coerce.number().min(1).max(86_400).default(120),
  TEMPORAL_ADDRESS: z.string().min(1).optional(),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
});

export interface Config {
  /** State of this machine: archive.db, vectors.db, temporal.db, artifacts/, work/, data/, reports/, bundles/, logs/, stack.json. */
  readonly home: string;
  readonly cache: string;
  readonly python: string;
  readonly temporalBinary: string | null;
  readonly temporalPort: number;
  readonly uiPort: number;
  readonly temporalAddress: string;
  readonly namespace: string;
  readonly slots: number;
  /** A trial that says nothing for so long is ended as a hang. */
  readonly idleSeconds: number;
  /** The gates of one program may take so long. */
  readonly checkSeconds: number;
}

/** The environment does not fit; the message names each variable, its value and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Read once at the start of a process. */
export const readConfig = (environment: NodeJS.ProcessEnv = process.env): Config => {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      const value = environment[name];
      return `${name}=${value === undefined ? '(not set)' : JSON.stringify(value)}: ${issue.message}`;
    });
    throw new ConfigError(`The environment is not usable.\n  ${problems.join('\n  ')}`);
  }
  const env = parsed.data;
  return {
    home: resolve(env.ASI_HOME),
    cache: resolve(env.ASI_CACHE),
    python: env.ASI_PYTHON,
    temporalBinary: env.ASI_TEMPORAL ?? null,
    temporalPort: env.ASI_TEMPORAL_PORT,
    uiPort: env.ASI_UI_PORT,
    temporalAddress: env.TEMPORAL_ADDRESS ?? `127.0.0.1:${env.ASI_TEMPORAL_PORT}`,
    namespace: env.TEMPORAL_NAMESPACE,
    slots: env.ASI_SLOTS,
    idleSeconds: env.ASI_IDLE_SECONDS,
    checkSeconds: env.ASI_CHECK_SECONDS,
  };
};
