import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkProgram } from '../../../../workers/cli/gate/check-program.ts';
import { refuseNamedProgram, refuseOwnFile } from '../../../../workers/cli/gate/own-file.ts';
import { readConfig } from '../../../../workers/config.ts';
import { rungs } from '../../../../workflows/contracts/rung.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const settings = { sandbox: 'none', modelSandbox: 'S1' } as const;
const unwalled = { tier: 'none', missing: 'this is not Linux' } as const;

describe("a person's own file", () => {
  it('runs behind any wall, and without one only in a campaign that the operator named', () => {
    const unnamed = refuseOwnFile({ settings, id: null, unsandboxed: new Set(['c-other']) });
    expect(unnamed({ tier: 'S0P', missing: '' })).toBeNull();
    expect(unnamed(unwalled)).toMatch(
      /needs sandbox tier S0P and this machine has none: this is not Linux\. .*--id c-unwalled under ASI_ALLOW_UNSANDBOXED=c-unwalled/,
    );
    const other = refuseOwnFile({ settings, id: 'c-mine', unsandboxed: new Set(['c-other']) });
    expect(other(unwalled)).toContain('ASI_ALLOW_UNSANDBOXED=c-mine');
    expect(refuseOwnFile({ settings, id: 'c-mine', unsandboxed: new Set(['c-mine']) })(unwalled)).toBeNull();
  });

  it('is looked at behind any wall, and without one only where the operator named it', () => {
    const refuse = (ids: readonly string[]) =>
      refuseNamedProgram({ command: 'asi gate', id: 'c-gate', unsandboxed: new Set(ids) });
    expect(refuse([])({ tier: 'S0P', missing: '' })).toBeNull();
    expect(refuse([])(unwalled)).toMatch(
      /^asi gate would run the program with your own rights: this machine has no sandbox \(this is not Linux\)\. .*ASI_ALLOW_UNSANDBOXED=c-gate/,
    );
    expect(refuse(['c-gate'])(unwalled)).toBeNull();
  });

  it('is not run when it is refused', { timeout: 120_000 }, async () => {
    const home = temporaryFolder();
    const config = { ...readConfig({ ...process.env, ASI_PYTHON: process.env.ASI_PYTHON ?? 'python3' }), home };
    const checked = await checkProgram(config, {
      // A program that cannot be imported: had it run, that would be its label.
      text: 'raise SystemExit(3)\n',
      fileName: 'mine.py',
      rung: rungs.tiny,
      seed: 0,
      cuts: 1,
      reference: 'deltanet',
      flopsLimit: 2,
      refuse: ({ tier }) => `asked about ${tier}`,
    });
    expect(checked).toMatchObject({ ok: false, label: 'sandbox_unavailable', detail: `asked about ${checked.sandbox.tier}` });
    expect(readdirSync(join(home, 'work', 'gate'))).toEqual([]);
  });
});
