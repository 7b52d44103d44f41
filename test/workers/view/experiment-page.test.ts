import { describe, expect, it } from 'vitest';
import { codeDiff } from '../../../workers/view/code-diff.ts';
import { doctorLines } from '../../../workers/view/doctor-lines.ts';
import { experimentPage } from '../../../workers/view/experiment-page.ts';
import { scoreLines } from '../../../workers/view/score-lines.ts';
import { aFailure, aGateResult, anExperiment, aScore, aTrial } from '../../support/builders.ts';

const look = { width: 100, color: false };
const brief = { wholeProgram: false, wholeEvidence: false };
const bare = { program: null, parent: null, trials: [], scores: [], audits: [], failureLog: null };

describe('the page of an experiment', () => {
  it('stands for one that was only planned', () => {
    const lines = experimentPage(look, { experiment: anExperiment(), ...bare }, brief);
    expect(lines[0]).toBe('c-test/e0001  not proposed yet');
    expect(lines).toHaveLength(3);
  });

  it('shows the end of a failure log and the programs tried before', () => {
    const log = Array.from({ length: 50 }, (_, index) => `line ${index}`).join('\n');
    const experiment = anExperiment({
      state: 'failed',
      failure: aFailure({ label: 'exit', stage: 'train', detail: 'ended with status 3' }),
      attempts: [{ hash: 'ab'.repeat(32), proposal: null, failure: aFailure({ detail: 'reads the future' }) }],
    });
    const text = experimentPage(look, { experiment, ...bare, failureLog: log }, brief).join('\n');
    expect(text).toContain('exit while in stage train\n  ended with status 3');
    expect(text).toContain('    line 49');
    expect(text).not.toContain('line 29\n');
    expect(text).toContain('abababababab  gate\n  reads the future');
  });

  it('shows the deeper gates that a finalist went through', () => {
    const failed = aGateResult({ gate: 'causality', verdict: 'fail', evidence: 'cut 71 of layer 1' });
    const audit = {
      experimentId: 'c-test/e0001',
      programHash: 'ab'.repeat(32),
      sandboxTier: 'S2',
      cpuSeconds: 5,
      at: '',
      detail: '',
    } as const;
    const text = experimentPage(
      look,
      {
        experiment: anExperiment({ state: 'recorded' }),
        ...bare,
        audits: [
          { ...audit, cuts: 100, passed: true, label: null, gates: [aGateResult()] },
          { ...audit, cuts: 300, passed: false, label: 'gate', gates: [failed] },
        ],
      },
      brief,
    ).join('\n');
    expect(text).toContain('Audit with 100 cuts: passed (sandbox S2)');
    expect(text).toContain('Audit with 300 cuts: gate (sandbox S2)');
    expect(text).toContain('causality: cut 71 of layer 1');
  });

  it('says what a training used beside the reference, and what of it nothing explains', () => {
    const usage = { trainSeconds: 19, answerSeconds: 1, timesExpected: 1.9, timesReference: 2.1, mark: 'its training used much' };
    const trials = [aTrial({ state: 'scored', usage }), aTrial({ state: 'scored', seed: 2 })];
    const text = experimentPage(look, { experiment: anExperiment({ state: 'recorded' }), ...bare, trials }, brief).join('\n');
    expect(text).toContain("seed 1: 19.0 CPU s of training, 2.10 times the reference's, 1.90 times what its work explains");
    expect(text).toContain('more CPU than expected: its training used much');
    expect(text).not.toContain('seed 2:');
  });

  it('says what was too good about a result, and what came of it', () => {
    const doubt = {
      metric: 'bits-per-byte',
      reason: 'it gains 2 bits',
      outcome: 'fell',
      detail: 'and none on fresh data',
    } as const;
    const text = experimentPage(look, { experiment: anExperiment({ state: 'failed', doubts: [doubt] }), ...bare }, brief).join(
      '\n',
    );
    expect(text).toContain(
      'Too good to be taken at its word\n  it gains 2 bits\n  not there after the audit: and none on fresh data',
    );
  });

  it('makes what a program or its log prints harmless', () => {
    const experiment = anExperiment({ state: 'failed', failure: aFailure({ detail: 'x' }) });
    const hostile = 'print("\u001b]0;title\u0007")\r\n\u001b[2J';
    const lines = experimentPage(
      look,
      { experiment, ...bare, program: hostile, failureLog: hostile },
      { ...brief, wholeProgram: true },
    );
    expect(lines.join('')).not.toMatch(/\p{Cc}/u);
  });
});

describe('the scores of an experiment', () => {
  it('stand by set and seed, with judge, sandbox and device, and the gap to whole sequences', () => {
    const rows = [
      aScore({
        seed: 1,
        value: 2.5,
        fullSequence: 2.5,
        judgeVersion: 'abcdef0123456789',
        sandboxTier: 'S1',
        sandboxCanaries: '12/12',
      }),
      aScore({
        seed: 101,
        set: 'promotion',
        value: 2.75,
        fullSequence: 2.5,
        judgeVersion: 'abcdef0123456789',
        sandboxTier: 'S1',
        sandboxCanaries: '12/12',
      }),
    ];
    const text = scoreLines(look, rows).join('\n');
    expect(text).toMatch(/search +bits per byte +2\.5000 +–/);
    expect(text).toMatch(/promotion +bits per byte +– +2\.7500/);
    expect(text).toContain('scored by judge abcdef012345; candidate code in sandbox S1 (12/12 canaries held) on cpu');
    expect(text).toContain('largest gap to whole sequences 2.5e-1');
  });

  it('are none before the trial is scored', () => {
    expect(scoreLines(look, [])).toEqual([]);
  });

  it('keeps the scores of a baseline at another learning rate in lines of their own', () => {
    const row = (rung: string, value: number) =>
      aScore({ trialId: `c-test/e0001/${rung}/s11001`, set: 'promotion', metric: 'bits-per-byte', value });
    const text = scoreLines({ ...look, width: 120 }, [row('tiny', 3.5), row('tiny-twice-rate', 3.25)]).join('\n');
    expect(text).toMatch(/promotion +bits per byte +3\.5000/);
    expect(text).toMatch(/promotion +bits per byte at twice the learning rate +3\.2500/);
  });
});

describe('a code diff', () => {
  const from = { title: 'a.py', text: Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n') };

  it('shows the changed lines with three lines around', () => {
    const lines = codeDiff(look, from, { title: 'b.py', text: from.text.replace('line 15', '\tline x') });
    expect(lines.slice(0, 3)).toEqual(['--- a.py', '+++ b.py', '@@ -13,7 +13,7 @@']);
    expect(lines).toContain('-line 15');
    expect(lines).toContain('+    line x');
    expect(lines).toHaveLength(11);
  });

  it('is empty for the same program', () => {
    expect(codeDiff(look, from, { ...from, title: 'b.py' })).toEqual([]);
  });

  it('colours lines without changing their text', () => {
    const to = { title: 'b.py', text: 'other' };
    const bareText = codeDiff(look, from, to).join('\n');
    const coloured = codeDiff({ ...look, color: true }, from, to).join('\n');
    expect(coloured).toContain('\u001b[');
    expect(coloured.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g'), '')).toBe(bareText);
  });
});

describe('the lines of the doctor', () => {
  it('cut a path but neither a problem nor a remedy', () => {
    const path = '/a/very/long/path'.repeat(10);
    const rows = [
      { name: 'Python', status: 'ok', version: '3.11', found: path, remedy: null },
      {
        name: 'Temporal',
        status: 'missing',
        version: null,
        found: `not at ${path}`,
        remedy: `run ${'npm run setup '.repeat(12)}`,
      },
    ] as const;
    const lines = doctorLines({ width: 80, color: false }, rows);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    const text = lines.map((line) => line.trim()).join('');
    expect(text).toContain(`${path}`);
    expect(lines.filter((line) => line.includes('npm run setup')).length).toBeGreaterThan(1);
    expect(lines[0]).toMatch(/^ok {7}Python {4}3\.11 {2}\/a\/very.*…$/);
  });
});
