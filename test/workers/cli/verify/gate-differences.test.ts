import { describe, expect, it } from 'vitest';
import { compareGates } from '../../../../workers/cli/verify/gate-differences.ts';
import { aGateResult } from '../../../support/builders.ts';

const slow = 'slow program: cuts at chunk borders and at random, not everywhere';
const causality = aGateResult({
  gate: 'causality',
  evidence: '352 cuts: replacing the future changes no earlier output',
  measured: 0,
});
const slower = { ...causality, evidence: `226 cuts: replacing the future changes no earlier output; ${slow}`, measured: 1e-17 };
const compare = (stated: typeof causality, found: typeof causality, isSameArithmetic = true) =>
  compareGates([stated], { found: [found], isSameArithmetic });

describe('gates that are run again', () => {
  it('are compared with all that they say where they probed with one effort', () => {
    expect(compare(causality, causality)).toEqual({ differences: [], otherEffort: [] });
    expect(compare(slower, { ...slower, measured: 2 }).differences).toEqual(['measured of gate causality is 1e-17, run again 2']);
    expect(compare(causality, { ...causality, evidence: '3 cuts' }).differences).toHaveLength(1);
  });

  it('may probe with another effort on a machine of another speed, which is said', () => {
    for (const [stated, found] of [
      [causality, slower],
      [slower, causality],
      [
        slower,
        { ...slower, evidence: slower.evidence.replace(slow, `very ${slow}, one seed, long lengths in one mode a layer`) },
      ],
    ] as const)
      for (const gate of ['finite', 'causality', 'length', 'precision'] as const)
        expect(compare({ ...stated, gate }, { ...found, gate })).toEqual({ differences: [], otherEffort: [gate] });
  });

  it('tell what was altered, whatever the effort', () => {
    expect(compare({ ...slower, verdict: 'fail', limit: 5 }, causality).differences).toEqual([
      'verdict of gate causality is fail, run again pass',
      expect.stringMatching(/^limit of gate causality is 5, run again/),
    ]);
    // Words elsewhere in the evidence are no effort, nor are other words, nor those of a gate that always probes alike.
    expect(compare({ ...slower, evidence: `${slower.evidence}, invented` }, causality).differences).toHaveLength(2);
    const flops = aGateResult({ gate: 'flops', evidence: 'ratio 1.2', measured: 1.2 });
    expect(compare({ ...flops, evidence: `ratio 0.2; ${slow}`, measured: 0.2 }, flops).differences).toHaveLength(2);
    expect(compare({ ...causality, evidence: `${slow}; 352 cuts` }, causality).differences).toHaveLength(1);
  });

  it('tell other words and a pass beyond its limit, where the effort is another', () => {
    const invented = { ...slower, evidence: slower.evidence.replace('no earlier', 'every later') };
    expect(compare(invented, causality).differences).toEqual([expect.stringMatching(/^evidence of gate causality is 226 cuts/)]);
    expect(compare({ ...slower, measured: 2, limit: 1 }, { ...causality, limit: 1 }).differences).toEqual([
      'measured of gate causality is 2, and a pass measures at most 1',
    ]);
  });

  it('compare no last digits on another device or PyTorch, and the names always', () => {
    expect(compare(causality, { ...causality, measured: 3 }, false)).toEqual({ differences: [], otherEffort: [] });
    expect(compare(causality, { ...causality, gate: 'length' }, false).differences).toEqual([
      'its gates are causality; run again they are length',
    ]);
  });
});
