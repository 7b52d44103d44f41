import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { type Secret, secretsIn } from '../workflows/rules/secrets.ts';

/** The checkout this process runs from. */
export const checkoutFolder = fileURLToPath(new URL('..', import.meta.url));

const port = z.coerce.number().int().min(1).max(65535);
/** What is right for each variable, in the words of an error message. */
const right = {
  ASI_HOME: 'the path of a folder for the state of this machine',
  ASI_CACHE: 'the path of a folder for downloads',
  ASI_PYTHON: 'the path of the Python interpreter of the locked environment; "npm run setup" makes it, the launchers set it',
  ASI_TEMPORAL: 'the path of the Temporal binary; "npm run setup" brings it, the launchers set it',
  ASI_TEMPORAL_PORT: 'a port, a whole number from 1 to 65535 (7233 if not set)',
  ASI_UI_PORT: 'a port, a whole number from 1 to 65535 (8233 if not set)',
  ASI_SLOTS: 'how many trials run at the same time, a whole number from 1 to 64 (2 if not set)',
  ASI_IDLE_SECONDS: 'seconds from 1 to 86400 (60 if not set)',
  ASI_CHECK_SECONDS: 'seconds from 1 to 86400 (120 if not set)',
  ASI_FREE_MB:
    'megabytes that the disk of ASI_HOME must have free at a start, a whole number from 0 to 1000000000 (500 if not set)',
  ASI_SPANS: 'the path of a file to which the trainer adds a line for each job, for measurements',
  ASI_ALLOW_UNSANDBOXED:
    'ids of campaigns whose programs may run without a sandbox, with commas between them, for example c-mine',
  TEMPORAL_ADDRESS: 'host and port of a Temporal server, for example 127.0.0.1:7233',
  TEMPORAL_NAMESPACE: 'the name of a namespace (default if not set)',
} as const;

const environmentSchema = z.object({
  ASI_HOME: z.string().min(1).default(join(checkoutFolder, '.asi')),
  ASI_CACHE: z
    .string()
    .min(1)
    .default(join(homedir(), '.cache', 'asi-arch')),
  ASI_PYTHON: z.string().min(1),
  ASI_TEMPORAL: z.string().min(1).optional(),
  ASI_TEMPORAL_PORT: port.default(7233),
  ASI_UI_PORT: port.default(8233),
  ASI_SLOTS: z.coerce.number().int().min(1).max(64).default(2),
  ASI_IDLE_SECONDS: z.coerce.number().min(1).max(86_400).default(60),
  ASI_CHECK_SECONDS: z.coerce.number().min(1).max(86_400).default(120),
  ASI_FREE_MB: z.coerce.number().int().min(0).max(1_000_000_000).default(500),
  ASI_SPANS: z.string().min(1).optional(),
  ASI_ALLOW_UNSANDBOXED: z
    .string()
    .regex(/^c-[a-z0-9-]+(,c-[a-z0-9-]+)*$/)
    .optional(),
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
  /** Space that a stack needs to start; a running one warns below half of it. */
  readonly neededBytes: number;
  /** Where the trainer writes when its jobs ran; null: nowhere. */
  readonly spansPath: string | null;
  /** Campaigns that the operator allows to run programs of a person or a model without a sandbox. */
  readonly unsandboxed: ReadonlySet<string>;
  /** Values of this process's environment that must not come into a record. */
  readonly secrets: readonly Secret[];
}

/** Folder of all work: trials, gates, and what commands run. */
export const workFolder = ({ home }: Pick<Config, 'home'>): string => join(home, 'work');

/** The environment does not fit; the message names each variable, its value and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const isVariable = (name: unknown): name is keyof typeof right => typeof name === 'string' && name in right;

const problemWith = (name: keyof typeof right, value: string | undefined): string =>
  `${name}: ${value === undefined ? 'it is not set' : `value ${JSON.stringify(value)}`}; right would be ${right[name]}`;

/** Read once at the start of a process. Throws ConfigError. */
export const readConfig = (environment: NodeJS.ProcessEnv = process.env): Config => {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map(({ path }) => path[0]).filter(isVariable))];
    throw new ConfigError(
      `The environment is not usable:\n${names.map((name) => `  ${problemWith(name, environment[name])}`).join('\n')}`,
    );
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
    neededBytes: env.ASI_FREE_MB * 1_000_000,
    spansPath: env.ASI_SPANS ?? null,
    unsandboxed: new Set(env.ASI_ALLOW_UNSANDBOXED?.split(',')),
    secrets: secretsIn(environment),
  };
};
