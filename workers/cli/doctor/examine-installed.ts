import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { checkoutFolder } from '../../config.ts';
import type { DoctorRow } from '../../view/doctor-lines.ts';

const run = promisify(execFile);
const inspectMs = 60_000;
/** The first import of torch on a cold disk takes its time. */
const importMs = 120_000;

/** What `infra/setup/main.mjs --check --json` prints. */
const inspectionSchema = z.array(
  z.object({
    name: z.string(),
    ok: z.boolean(),
    version: z.string().nullable(),
    path: z.string().nullable(),
    found: z.string(),
    remedy: z.string().nullable(),
  }),
);

export interface Installed {
  readonly row: DoctorRow;
  readonly path: string | null;
}

/** What set-up knows of: Node.js, packages, Python environment, Temporal. */
export const examineInstalled = async (environment: NodeJS.ProcessEnv): Promise<readonly Installed[]> => {
  const text = await outputOf(process.execPath, [join(checkoutFolder, 'infra', 'setup', 'main.mjs'), '--check', '--json'], {
    environment,
    timeoutMs: inspectMs,
  });
  return inspectionSchema.parse(JSON.parse(text)).map(({ name, ok, version, path, found, remedy }) => ({
    row: { name, status: ok ? 'ok' : 'missing', version, found: ok ? (path ?? found) : found, remedy },
    path: ok ? path : null,
  }));
};

/** Imports the package as the workers do; what is installed may still be broken. */
export const examinePythonPackage = async (
  environment: NodeJS.ProcessEnv,
  installed: readonly Installed[],
): Promise<DoctorRow> => {
  const name = 'asi_kernels';
  const found = installed.find(({ row }) => row.name === 'Python');
  const python = found?.path ?? null;
  if (python === null) {
    // What mends Python mends this: an interpreter that ASI_PYTHON names is no matter of the set-up.
    const remedy = found?.row.remedy ?? 'npm run setup';
    return { name, status: 'missing', version: null, found: 'no Python to run it with', remedy };
  }
  const folder = join(checkoutFolder, 'kernels');
  try {
    const version = await outputOf(python, ['-c', 'import torch, asi_kernels; print("torch " + torch.__version__)'], {
      environment: { ...environment, PYTHONPATH: folder },
      timeoutMs: importMs,
    });
    return { name, status: 'ok', version: version.trim(), found: folder, remedy: null };
  } catch (error) {
    const remedy = `run "${python} -c 'import torch, asi_kernels'" with PYTHONPATH=${folder} to see it whole; "npm run setup" rebuilds a damaged environment`;
    return { name, status: 'missing', version: null, found: `cannot be imported: ${lastLine(error)}`, remedy };
  }
};

const outputOf = async (
  program: string,
  parameters: readonly string[],
  options: { readonly environment: NodeJS.ProcessEnv; readonly timeoutMs: number },
): Promise<string> => {
  try {
    const { stdout } = await run(program, [...parameters], {
      env: options.environment,
      timeout: options.timeoutMs,
      encoding: 'utf8',
    });
    return stdout;
  } catch (error) {
    // The inspection ends with 1 when something is missing, and has printed its rows then.
    if (error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' && error.stdout.trim().startsWith('[')) {
      return error.stdout;
    }
    throw error;
  }
};

const lastLine = (error: unknown): string => {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const lines = text.trim().split('\n');
  return lines.at(-1) || (error instanceof Error ? error.message : String(error));
};
