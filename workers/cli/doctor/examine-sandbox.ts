import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type SandboxFacts, sandboxFactsSchema } from '../../../workflows/contracts/sandbox.ts';
import { checkoutFolder } from '../../config.ts';
import type { DoctorRow } from '../../view/doctor-lines.ts';

const run = promisify(execFile);
const probeMs = 60_000;

/** Tries the sandbox with its canaries, as the workers do at their start: the tier, and what is missing for the next one. */
export const examineSandbox = async (python: string): Promise<DoctorRow> => {
  const name = 'sandbox';
  const folder = mkdtempSync(join(tmpdir(), 'asi-doctor-'));
  try {
    const parameters = ['-m', 'asi_kernels.host', '--probe', '--work', folder];
    const { stdout } = await run(python, parameters, {
      cwd: join(checkoutFolder, 'kernels'),
      timeout: probeMs,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', PYTHONPATH: join(checkoutFolder, 'kernels'), PYTHONDONTWRITEBYTECODE: '1' },
    });
    return sandboxRow(sandboxFactsSchema.parse(JSON.parse(stdout)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = `run "${python} -m asi_kernels.host --probe --work /tmp/probe" in ${join(checkoutFolder, 'kernels')} to see it whole`;
    return { name, status: 'missing', version: null, found: `it could not be tried: ${reason}`, remedy };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/**
 * Programs of the evolver run in any tier, a person's files in any but none, those of a language model in S1 or S2; so a weaker one is a note
 * and no fault.
 */
export const sandboxRow = (facts: SandboxFacts): DoctorRow => {
  const held = facts.canaries.filter((canary) => canary.held).length;
  const proof = `${held} of ${facts.canaries.length} canaries held`;
  const parts = [
    facts.bubblewrap === null ? 'no bubblewrap' : `bubblewrap ${facts.bubblewrap}`,
    facts.cgroups === null ? 'no cgroup limits' : `cgroup ${facts.cgroups}`,
    `candidates run as user ${facts.uid ?? 'unknown'}`,
    proof,
  ];
  const isStrong = facts.tier === 'S2' || facts.tier === 'S3';
  const isForModels = isStrong || facts.tier === 'S1';
  const found = isForModels
    ? parts.join(', ')
    : `${parts.join(', ')}; programs that a language model writes wait for S1, ${facts.tier === 'none' ? 'your own files are refused, those of the evolver run' : 'others run'}`;
  return {
    name: 'sandbox',
    status: isForModels ? 'ok' : 'note',
    version: `tier ${facts.tier}`,
    found,
    remedy: isStrong || facts.missing === '' ? null : facts.missing,
  };
};
