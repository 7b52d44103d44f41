import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { proposeDraft } from '../../../services/evolver/evolver.ts';
import { EvolverEngineer, repairDraft } from '../../../services/evolver/evolver-engineer.ts';
import { changesBetween, undoChanges } from '../../../services/evolver/genes.ts';
import { genomeKey } from '../../../services/evolver/genome-key.ts';
import { genomeViolations } from '../../../services/evolver/legality.ts';
import type { Draft, RepairRequest } from '../../../services/researcher/researcher.ts';
import { baselineGenomes } from '../../../workflows/contracts/baselines.ts';
import { type FailureLabel, failureLabels } from '../../../workflows/contracts/failure.ts';
import type { Genome } from '../../../workflows/contracts/genome.ts';
import { aGateResult, aProposal } from '../../support/builders.ts';
import { aContext, baselineRelatives, draftOf } from './relatives.ts';

const python = process.env.ASI_PYTHON;
const kernels = join(import.meta.dirname, '..', '..', '..', 'kernels');
const { deltanet } = baselineGenomes;

const draftFrom = (genome: Genome, parent: Genome = deltanet): Draft =>
  aProposal({ name: 'a draft', genome, changes: changesBetween(parent, genome) });

const request = (draft: Draft, part: Partial<RepairRequest> = {}): RepairRequest => ({
  draft,
  failure: { label: 'gate', detail: 'finite: NaN after 700 tokens' },
  gates: [],
  attempt: 1,
  seed: 1,
  history: baselineRelatives,
  refused: [],
  ...part,
});
const failedGate = (gate: 'finite' | 'causality' | 'parameters') => [aGateResult({ gate, verdict: 'fail' })];

describe('a repair', () => {
  const risky: Genome = { ...deltanet, featureMap: 'square', output: { norm: 'rms', gate: 'silu' } };

  test('takes back the gene that the failed gate speaks of and keeps the rest of the draft', () => {
    const repaired = repairDraft(request(draftFrom(risky), { gates: failedGate('finite') }));
    expect(repaired?.genome).toEqual({ ...risky, featureMap: 'silu' });
    expect(repaired?.changes.map((change) => change.gene)).toEqual(['output.gate']);
    expect(repaired?.motivation).toMatch(/Repair 1: gate \(finite\) spoke against featureMap\.$/);
    expect(repaired?.name).not.toBe('a draft');
  });

  test('speaks of what is left, and says what gave way', () => {
    const draft = {
      ...draftFrom(risky),
      motivation: 'Starts from deltanet. Changes: both. featureMap square: widens. Measured so far: nothing yet in this line.',
    };
    const text = repairDraft(request(draft, { gates: failedGate('finite') }))?.motivation ?? '';
    expect(text).toMatch(/^Starts from deltanet\. Changes: output\.gate: none → silu\. output\.gate silu: /);
    expect(text).toMatch(/First drafted with featureMap: silu → square.*Repair 1: gate \(finite\) spoke against featureMap\./);
    expect(text).toMatch(/Measured so far: nothing yet in this line\.$/);
  });

  test('follows the gate: the same draft loses its gate when the parameters do not match', () => {
    const repaired = repairDraft(request(draftFrom(risky), { gates: failedGate('parameters') }));
    expect(repaired?.genome).toEqual({ ...risky, output: { norm: 'rms', gate: 'none' } });
  });

  test('draws another value where taking the gene back leaves nothing of the draft', () => {
    const lone: Genome = { ...deltanet, featureMap: 'square' };
    const repaired = repairDraft(request(draftFrom(lone), { gates: failedGate('finite') }));
    expect(repaired?.genome?.featureMap).not.toBe('square');
    expect(repaired?.genome?.featureMap).not.toBe('silu');
  });

  test('of a lone change to a gene with no third value moves elsewhere and leaves the gene as it was', () => {
    const lone: Genome = { ...deltanet, scale: 'one' };
    const repaired = repairDraft(request(draftFrom(lone), { gates: failedGate('finite') }));
    expect(repaired?.genome?.scale).toBe('inverse-sqrt');
    expect(repaired?.changes.length).toBeGreaterThan(0);
  });

  test('goes by the label where no gate is named', () => {
    const heavy: Genome = { ...deltanet, heads: { ...deltanet.heads, expandValue: 2 }, readout: 'bonus' };
    const repaired = repairDraft(request(draftFrom(heavy), { failure: { label: 'unmatched', detail: 'no MLP width fits' } }));
    expect(repaired?.genome).toEqual({ ...heavy, heads: deltanet.heads });
  });

  test('of a control draft without a parent changes a suspect and still tells no changes', () => {
    const control = draftOf(proposeDraft(aContext({ arm: 'control', parent: null })));
    const repaired = repairDraft(request(control, { gates: failedGate('causality') }));
    expect(repaired?.changes).toEqual([]);
    expect(repaired?.genome && control.genome && changesBetween(control.genome, repaired.genome).length).toBeGreaterThan(0);
  });

  test('never gives back a design that the campaign has, that was refused or that failed', () => {
    const failures = fc.constantFrom<FailureLabel>(
      ...failureLabels.filter((label) => !['infra', 'cancelled', 'budget', 'sandbox_unavailable', 'poison'].includes(label)),
    );
    const gates = fc.constantFrom(...(['shape', 'finite', 'causality', 'gradient', 'flops', 'contract'] as const));
    fc.assert(
      fc.property(fc.nat(200), fc.nat(8), failures, gates, (seed, parentIndex, label, gate) => {
        const context = aContext({ seed, parent: baselineRelatives[parentIndex] ?? null });
        const draft = draftOf(proposeDraft(context));
        const other = draftOf(proposeDraft({ ...context, seed: seed + 1000 }));
        const repaired = repairDraft(
          request(draft, {
            failure: { label, detail: '' },
            gates: [aGateResult({ gate, verdict: 'fail' })],
            refused: [{ draft: other, reason: '' }],
          }),
        );
        if (repaired?.genome == null || draft.genome === null || other.genome === null)
          throw new Error('there is always another design');
        expect(genomeViolations(repaired.genome)).toEqual([]);
        const taken = [...Object.values(baselineGenomes), draft.genome, other.genome].map(genomeKey);
        expect(taken).not.toContain(genomeKey(repaired.genome));
        // Its changes are told from the same parent.
        expect(undoChanges(repaired.genome, repaired.changes)).toEqual(context.parent?.genome);
      }),
      { numRuns: 200 },
    );
  });

  test('is the same for the same request and another for the next attempt', () => {
    const lone = draftFrom({ ...deltanet, featureMap: 'square' });
    expect(repairDraft(request(lone))).toEqual(repairDraft(request(lone)));
    const first = repairDraft(request(lone));
    if (first === null) throw new Error('the first repair exists');
    const second = repairDraft(request(first, { attempt: 2, refused: [{ draft: lone, reason: 'gate' }] }));
    expect(second?.genome).not.toEqual(first.genome);
    expect(second?.genome).not.toEqual(lone.genome);
  });

  test('is refused for what no other design can cure, and for a program without a genome', async () => {
    const engineer = new EvolverEngineer({ emit: () => Promise.reject(new Error('is not asked')) });
    const { signal } = new AbortController();
    for (const label of ['infra', 'cancelled', 'budget'] as const) {
      await expect(engineer.repair(request(draftFrom(risky), { failure: { label, detail: '' } }), signal)).resolves.toBeNull();
    }
    await expect(engineer.repair(request({ ...draftFrom(risky), genome: null }), signal)).resolves.toBeNull();
    await expect(engineer.write({ ...draftFrom(risky), genome: null }, signal)).rejects.toThrow(/has no genome/);
  });
});

test.skipIf(python === undefined)(
  'every drafted genome becomes a program that runs, keeps shapes and is finite (needs ASI_PYTHON)',
  () => {
    const drafts = Array.from({ length: 60 }, (_, index) => {
      const parent = baselineRelatives[index % baselineRelatives.length] ?? null;
      return draftOf(
        proposeDraft(aContext({ seed: index, number: 10 + index, arm: index % 3 === 0 ? 'control' : 'policy', parent })),
      );
    });
    const outcome: unknown = JSON.parse(
      execFileSync(python ?? '', ['-c', runProgram], {
        cwd: kernels,
        input: JSON.stringify(drafts.map(({ genome, name, motivation }) => ({ genome, name, motivation }))),
        encoding: 'utf8',
        env: { ...process.env, OMP_NUM_THREADS: '1' },
      }),
    );
    expect(outcome).toEqual(drafts.map(() => 'fine'));
  },
);

const runProgram = `
import json, sys, torch
from asi_kernels.generate.emit import emit_program
torch.set_num_threads(1)
outcomes = []
for draft in json.load(sys.stdin):
    scope = {}
    exec(compile(emit_program(draft["genome"], draft["name"], draft["motivation"]), draft["name"], "exec"), scope)
    torch.manual_seed(0)
    y, state = scope["Mixer"](32, 4, 1, 2)(torch.randn(2, 21, 32))
    fine = y.shape == (2, 21, 32) and torch.isfinite(y).all().item()
    outcomes.append("fine" if fine else f"{draft['name']}: {tuple(y.shape)}")
print(json.dumps(outcomes))
`;
