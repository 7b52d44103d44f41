import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobEnd } from '../../../services/dispatch/dispatcher.ts';
import { InProcessDispatcher } from '../../../services/dispatch/in-process-dispatcher.ts';
import { PythonHost } from '../../../services/python/host.ts';
import { bringBack, keepState, setAside } from '../../../workers/activities/kept-part.ts';
import { repeatParts, repeatTraining } from '../../../workers/activities/repeat-training.ts';
import { rungs } from '../../../workflows/contracts/rung.ts';
import { type TrainProgress, type TrainRequest, trainResultSchema } from '../../../workflows/contracts/trial.ts';
import { aCampaign } from '../../support/builders.ts';

const limits = { wallSeconds: 60, idleSeconds: 60, memoryBytes: 3e9, logBytes: 1e6 };
const steps = 100;

/** Changes the inner values by `mask`, in training alone; `self.seen` counts its steps. */
const mixer = (mask: string): string => `import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.inner = nn.Linear(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, hidden_size)
        self.register_buffer("seen", torch.zeros(()))
        self.uncounted = 0

    def forward(self, x, state=None):
        h = self.inner(x).cumsum(1)
        if self.training:
            self.seen += 1
            self.uncounted += 1
            h = ${mask}
        return self.out(h), None
`;
const masks = {
  dropout: 'nn.functional.dropout(h, 0.1) * (1 + self.seen / 100)',
  'system randomness': '__import__("os").urandom(1)[0] / 256 * h',
  'the clock': '(1 + __import__("time").monotonic() % 1) * h',
  'the clock, late': '(1 + (self.out.bias.abs().max().item() > 0.005) * (__import__("time").monotonic() % 1)) * h',
};
const lateMasks = {
  'the clock after two thirds': '(1 + (self.seen.item() > 65) * (__import__("time").monotonic() % 1)) * h',
  'a count that no checkpoint holds': '(1 + self.uncounted / 100) * h',
};

let folder: string;
let dispatcher: InProcessDispatcher;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'asi-repeat-'));
  const host = new PythonHost({ python: process.env.ASI_PYTHON ?? 'python3', folders: { work: [folder], read: [] } });
  dispatcher = new InProcessDispatcher({ slots: 1, runner: host });
});
afterAll(async () => {
  await dispatcher.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Trains a program on recall by the real host, and parts of it again; `draw` chooses the checkpoint. */
const trainTwice = async (name: string, text: string, draw?: (count: number) => number) => {
  const workdir = join(folder, name.replaceAll(/\W/g, '-'));
  const programPath = join(workdir, 'mixer.py');
  const layProgram = async (): Promise<void> => {
    mkdirSync(workdir, { recursive: true });
    writeFileSync(programPath, text);
  };
  await layProgram();
  const tasks = rungs.tiny.tasks.filter(({ kind }) => kind === 'recall').map((task) => ({ ...task, steps }));
  const numbers = { parameters: 1, mixerParameters: 1, referenceParameters: 1, flopsPerToken: 1, referenceFlopsPerToken: 1 };
  const request: TrainRequest = {
    trialId: 'c-test/e0001/tiny/s1',
    programPath,
    programHash: createHash('sha256').update(text).digest('hex'),
    rung: { ...rungs.tiny, tasks },
    sizes: [{ task: 'recall', mlpHidden: 32, ...numbers }],
    seed: 1,
    data: aCampaign().data,
    checkpointEvery: 20,
    reportEvery: 5,
  };
  const job = { id: name, command: 'train', limits, request, workdir } as const;
  const keeper = keepState(workdir, request, draw);
  const first = await dispatcher.run(job, { signal: new AbortController().signal, events: { onProgress: keeper.onProgress } });
  if (!first.ok) throw new Error(`${first.label}: ${first.detail}`);
  const { curve } = trainResultSchema.parse(first.result);
  await keeper.settled();
  const ends: JobEnd[] = [];
  const seen: TrainProgress[] = [];
  const repeated = await repeatParts(
    async (work, onProgress, signal) => {
      const events = {
        onProgress: (line: TrainProgress) => {
          seen.push(line);
          onProgress(line);
        },
      };
      const end = await dispatcher.run(work, { signal, events });
      ends.push(end);
      return end;
    },
    { job, curve, layProgram },
  );
  return { repeated, first, ends, steps: seen.map(({ step }) => step), workdir };
};

describe('the beginning of a training, from the same seed again', { timeout: 60_000 }, () => {
  it('is the same for dropout and a count in a buffer, and is over long before the training would be', async () => {
    const { repeated, first, ends, workdir } = await trainTwice('dropout', mixer(masks.dropout));
    expect(repeated).toMatchObject({ kind: 'same' });
    expect(ends).toMatchObject([
      { ok: false, label: 'cancelled' },
      { ok: false, label: 'cancelled' },
    ]);
    expect(ends.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)).toBeLessThan(2 * first.cpuSeconds);
    // The training's own files are back in their place.
    expect(existsSync(join(workdir, 'snapshots.safetensors'))).toBe(true);
  });

  it.each(['system randomness', 'the clock', 'the clock, late'] as const)('is another one for %s', async (name) => {
    const { repeated } = await trainTwice(name, mixer(masks[name]));
    expect(repeated).toMatchObject({ kind: 'other', detail: expect.stringMatching(/its loss of task recall at step \d+ was/) });
  });
});

describe('a part in the midst of a training, from its own checkpoint', { timeout: 60_000 }, () => {
  it('begins after the checkpoint and not before', async () => {
    const { steps, repeated } = await trainTwice('midst', mixer(masks.dropout), () => 2);
    expect(repeated).toMatchObject({ kind: 'same' });
    // The newest one when step 60 is past: of the 20 steps before it, or of the next while the copy begins.
    const [first = 0] = steps.filter((step) => step > 10);
    expect(first).toBeGreaterThan(40);
    expect(first).toBeLessThanOrEqual(85);
  });

  it('is another one for the clock after two thirds', async () => {
    const { repeated } = await trainTwice('the clock after two thirds', mixer(lateMasks['the clock after two thirds']), () => 3);
    const detail = /^gone on with again from a checkpoint of its own, its loss of task recall at step (?:6|7|8|9|10)\d was/;
    expect(repeated).toMatchObject({ kind: 'other', detail: expect.stringMatching(detail) });
  });

  it('is another one for a count that no checkpoint holds', async () => {
    const name = 'a count that no checkpoint holds';
    const { repeated } = await trainTwice(name, mixer(lateMasks[name]), () => 3);
    // A look at the gradients counts too, at steps that are drawn anew: then the beginning is another one already.
    const detail = /^(?:trained again from the same seed|gone on with again from a checkpoint of its own), its loss/;
    expect(repeated).toMatchObject({ kind: 'other', detail: expect.stringMatching(detail) });
  });

  it('leaves the trial where it was when an attempt ended in between', async () => {
    const workdir = join(folder, 'given-up');
    mkdirSync(workdir);
    writeFileSync(join(workdir, 'trained'), 'whole');
    await setAside(workdir);
    mkdirSync(workdir);
    writeFileSync(join(workdir, 'mixer.py'), 'begun again');
    await bringBack(workdir);
    await bringBack(workdir);
    expect(readdirSync(workdir)).toEqual(['trained']);
  });
});

describe('a repetition that the machine stands in the way of', () => {
  const end = (label: 'infra' | 'poison' | 'timeout_idle' | 'cancelled' | 'signal'): JobEnd => ({
    ...{ ok: false, label, detail: 'seen', runId: 'r', cpuSeconds: 1, wallSeconds: 1, peakMemoryBytes: 1, logTail: '' },
  });
  const request: TrainRequest = {
    ...{ trialId: 'c-test/e0001/tiny/s1', programPath: '/none/mixer.py', programHash: '', rung: rungs.tiny, sizes: [], seed: 1 },
    ...{ data: aCampaign().data, checkpointEvery: 20, reportEvery: 5 },
  };
  const job = { id: 'a', command: 'train', workdir: '/none', limits, request } as const;

  it.each([
    ['infra', { kind: 'unknown', label: 'infra' }],
    ['timeout_idle', { kind: 'unknown', label: 'infra' }],
    ['poison', { kind: 'unknown', label: 'poison' }],
    ['cancelled', { kind: 'unknown', label: 'cancelled' }],
    ['signal', { kind: 'other' }],
  ] as const)('by %s', async (label, expected) => {
    expect(await repeatTraining(async () => end(label), { job, curve: [], how: 'again' })).toMatchObject(expected);
  });
});
