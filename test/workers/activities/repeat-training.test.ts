import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobEnd } from '../../../services/dispatch/dispatcher.ts';
import { InProcessDispatcher } from '../../../services/dispatch/in-process-dispatcher.ts';
import { PythonHost } from '../../../services/python/host.ts';
import { repeatTraining } from '../../../workers/activities/repeat-training.ts';
import { rungs } from '../../../workflows/contracts/rung.ts';
import { type TrainRequest, trainResultSchema } from '../../../workflows/contracts/trial.ts';
import { aCampaign } from '../../support/builders.ts';

const limits = { wallSeconds: 60, idleSeconds: 60, memoryBytes: 3e9, logBytes: 1e6 };
const steps = 100;

/** Keeps a tenth of the inner values by `mask`, in training alone. */
const mixer = (mask: string): string => `import torch
from torch import nn


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.inner = nn.Linear(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, hidden_size)

    def forward(self, x, state=None):
        h = self.inner(x).cumsum(1)
        if self.training:
            h = ${mask}
        return self.out(h), None
`;
const masks = {
  dropout: 'nn.functional.dropout(h, 0.1)',
  'system randomness': '__import__("os").urandom(1)[0] / 256 * h',
  'the clock': '(1 + __import__("time").monotonic() % 1) * h',
  'the clock, late': '(1 + (self.out.bias.abs().max().item() > 0.005) * (__import__("time").monotonic() % 1)) * h',
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

/** Trains a program on recall by the real host, and begins it again. */
const trainTwice = async (name: string, text: string) => {
  const workdir = join(folder, name.replaceAll(/\W/g, '-'));
  const place = (at: string): string => {
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'mixer.py'), text);
    return join(at, 'mixer.py');
  };
  const tasks = rungs.tiny.tasks.filter(({ kind }) => kind === 'recall').map((task) => ({ ...task, steps }));
  const numbers = { parameters: 1, mixerParameters: 1, referenceParameters: 1, flopsPerToken: 1, referenceFlopsPerToken: 1 };
  const request: TrainRequest = {
    trialId: 'c-test/e0001/tiny/s1',
    programPath: place(workdir),
    programHash: createHash('sha256').update(text).digest('hex'),
    rung: { ...rungs.tiny, tasks },
    sizes: [{ task: 'recall', mlpHidden: 32, ...numbers }],
    seed: 1,
    data: aCampaign().data,
    checkpointEvery: 20,
    reportEvery: 5,
  };
  const job = { command: 'train', limits } as const;
  const first = await dispatcher.run({ ...job, id: `${name}#train`, request, workdir });
  if (!first.ok) throw new Error(`${first.label}: ${first.detail}`);
  const { curve } = trainResultSchema.parse(first.result);
  const again = join(workdir, 'again');
  let end: JobEnd | null = null;
  const repeated = await repeatTraining(
    async (work, onProgress, signal) => {
      end = await dispatcher.run(work, { signal, events: { onProgress } });
      return end;
    },
    { job: { ...job, id: `${name}#again`, request: { ...request, programPath: place(again) }, workdir: again }, curve },
  );
  return { repeated, first, end };
};

describe('the beginning of a training, from the same seed again', { timeout: 60_000 }, () => {
  it('is the same for dropout, and is over long before the training would be', async () => {
    const { repeated, first, end } = await trainTwice('dropout', mixer(masks.dropout));
    expect(repeated).toMatchObject({ kind: 'same' });
    expect(end).toMatchObject({ ok: false, label: 'cancelled' });
    expect(repeated.kind === 'same' ? repeated.cpuSeconds : 0).toBeLessThan(first.cpuSeconds);
  });

  it.each(['system randomness', 'the clock', 'the clock, late'] as const)('is another one for %s', async (name) => {
    const { repeated } = await trainTwice(name, mixer(masks[name]));
    expect(repeated).toMatchObject({ kind: 'other', detail: expect.stringMatching(/its loss of task recall at step \d+ was/) });
  });
});

describe('a repetition that the machine stands in the way of', () => {
  const end = (label: 'infra' | 'timeout_idle' | 'cancelled' | 'signal'): JobEnd => ({
    ...{ ok: false, label, detail: 'seen', cpuSeconds: 1, wallSeconds: 1, peakMemoryBytes: 1, logTail: '' },
  });
  const request: TrainRequest = {
    ...{ trialId: 'c-test/e0001/tiny/s1', programPath: '/none/mixer.py', programHash: '', rung: rungs.tiny, sizes: [], seed: 1 },
    ...{ data: aCampaign().data, checkpointEvery: 20, reportEvery: 5 },
  };
  const job = { id: 'a', command: 'train', workdir: '/none', limits, request } as const;

  it.each([
    ['infra', { kind: 'unknown', label: 'infra' }],
    ['timeout_idle', { kind: 'unknown', label: 'infra' }],
    ['cancelled', { kind: 'unknown', label: 'cancelled' }],
    ['signal', { kind: 'other' }],
  ] as const)('by %s', async (label, expected) => {
    expect(await repeatTraining(async () => end(label), { job, curve: [] })).toMatchObject(expected);
  });
});
