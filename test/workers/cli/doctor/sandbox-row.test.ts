import { describe, expect, it } from 'vitest';
import { sandboxRow } from '../../../../workers/cli/doctor/examine-sandbox.ts';
import type { SandboxFacts } from '../../../../workflows/contracts/sandbox.ts';

const facts = (changed: Partial<SandboxFacts>): SandboxFacts => ({
  tier: 'S2',
  kernel: '6.12.0',
  bubblewrap: '0.8.0',
  cgroups: 'v2',
  landlockAbi: 7,
  uid: 64000,
  canaries: [{ name: 'secret-files', held: true, detail: '' }],
  missing: '',
  ...changed,
});

describe('the sandbox row of the doctor', () => {
  it('names the strongest tier and has nothing to remedy', () => {
    expect(sandboxRow(facts({}))).toMatchObject({ status: 'ok', version: 'tier S2', remedy: null });
  });

  it('names what to install where bubblewrap is missing, and that only programs of a model wait', () => {
    const missing = 'bubblewrap is not installed: install bubblewrap (Debian and Ubuntu: sudo apt-get install bubblewrap)';
    const row = sandboxRow(facts({ tier: 'S0L', bubblewrap: null, cgroups: null, missing }));
    expect(row).toMatchObject({ status: 'note', version: 'tier S0L', remedy: missing });
    expect(row.found).toContain('programs that a language model writes wait for S1');
  });

  it('says where there is no wall at all that files of a person are refused', () => {
    const row = sandboxRow(facts({ tier: 'none', bubblewrap: null, cgroups: null, canaries: [], missing: 'this is not Linux' }));
    expect(row).toMatchObject({ status: 'note', version: 'tier none' });
    expect(row.found).toContain('your own files are refused, those of the evolver run');
  });

  it('is content with S1 and says what S2 would need', () => {
    const row = sandboxRow(facts({ tier: 'S1', cgroups: null, missing: 'start the workers as root' }));
    expect(row).toMatchObject({ status: 'ok', remedy: 'start the workers as root' });
  });
});
