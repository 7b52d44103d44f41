import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '../../services/dispatch/dispatcher.ts';
import type { JobRunner } from '../../services/dispatch/job-runner.ts';
import type { SandboxFacts, SandboxTier } from '../../workflows/contracts/sandbox.ts';
import type {
  AnswerRequest,
  AnswerResult,
  CheckRequest,
  CheckResult,
  TrainRequest,
  TrainResult,
} from '../../workflows/contracts/trial.ts';
import type { Host } from '../roles/roles.ts';
import type { Span } from './spans.ts';

interface HostJob {
  readonly id: string;
  readonly command: Job['command'];
  readonly requestPath: string;
  readonly workdir: string;
}

const noSandbox: SandboxFacts = {
  tier: 'none',
  kernel: 'none',
  bubblewrap: null,
  cgroups: null,
  landlockAbi: null,
  uid: null,
  canaries: [],
  missing: 'the instant host runs nothing',
};

const hidesHeldOut: Readonly<Record<SandboxTier, boolean>> = { S3: true, S2: true, S1: true, S0L: true, S0P: false, none: false };

/**
 * Answers every job at once with a well-formed result, so that what is left is the cost of the loop itself. The scores are a hash of the
 * program and the seed: they rank nothing.
 */
export class InstantHost implements Host {
  readonly #trainingMs: number;
  readonly #tier: SandboxTier;
  readonly #cancelled = new Map<string, () => void>();
  /** When each job ran, for the gap between two trainings on a slot. */
  readonly spans: Span[] = [];

  /** `trainingMs`: how long a training takes, for callers that want to interrupt one. `tier`: what it says it has; no program runs in it. */
  constructor(options: { readonly trainingMs?: number; readonly tier?: SandboxTier } = {}) {
    this.#tier = options.tier ?? 'none';
    this.#trainingMs = options.trainingMs ?? 0;
  }

  async start() {
    // A host that says it has a tier says what goes with it: that the tier hides held-out text.
    const canaries = hidesHeldOut[this.#tier] ? [{ name: 'held-out-text', held: true, detail: 'nothing runs here' }] : [];
    return { torchVersion: 'none', device: 'instant', sandbox: { ...noSandbox, tier: this.#tier, canaries } };
  }

  async run(job: HostJob): ReturnType<JobRunner['run']> {
    const startedAtMs = performance.now();
    const request: unknown = JSON.parse(readFileSync(job.requestPath, 'utf8'));
    if (job.command === 'train' && this.#trainingMs > 0 && (await this.#wait(job.id)) === 'cancelled') return cancelled;
    writeFileSync(join(job.workdir, 'result.json'), JSON.stringify(answer(job, request)));
    this.spans.push({ command: job.command, startedAtMs, endedAtMs: performance.now() });
    return { label: null, detail: '', wallSeconds: 0.001, cpuSeconds: 0.001, peakMemoryBytes: 1, logTail: '' };
  }

  cancel(id: string): void {
    this.#cancelled.get(id)?.();
  }

  #wait(id: string): Promise<'done' | 'cancelled'> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('done'), this.#trainingMs);
      this.#cancelled.set(id, () => {
        clearTimeout(timer);
        resolve('cancelled');
      });
    }).finally(() => this.#cancelled.delete(id)) as Promise<'done' | 'cancelled'>;
  }

  async close(): Promise<void> {
    // Holds nothing.
  }
}

const cancelled = {
  label: 'cancelled',
  detail: 'cancelled',
  wallSeconds: 0,
  cpuSeconds: 0,
  peakMemoryBytes: 0,
  logTail: '',
} as const;

const answer = (job: HostJob, request: unknown): CheckResult | TrainResult | AnswerResult => {
  if (job.command === 'check') return withControl(request as CheckRequest, checked(request as CheckRequest));
  if (job.command === 'train') return trained(request as TrainRequest, job.workdir);
  return answered(request as AnswerRequest);
};

/** A control says at its head which gate it must fall at. */
const withControl = ({ programPath, seed }: CheckRequest, passed: CheckResult): CheckResult => {
  const gate = /^Caught by: (causality)\.$/m.exec(readFileSync(programPath, 'utf8'))?.[1];
  if (gate === undefined) return passed;
  const row = { gate: 'causality', verdict: 'fail', evidence: gate, measured: null, limit: null, seed, seconds: 0 } as const;
  return { ...passed, status: 'fail', label: 'gate', detail: gate, gates: [row] };
};

const checked = (request: CheckRequest): CheckResult => ({
  programHash: sha256(readFileSync(request.programPath)),
  status: 'pass',
  label: null,
  detail: '',
  gates: [],
  sizes: request.rung.tasks.map((task) => ({
    task: task.kind,
    mlpHidden: 2 * request.rung.hidden,
    parameters: 1000,
    mixerParameters: 500,
    referenceParameters: 1000,
    flopsPerToken: 1000,
    referenceFlopsPerToken: 1000,
    operators: 100,
    bytesPerToken: 1000,
    layout: { tensors: 1, numbers: 1000, hash: sha256(task.kind) },
  })),
  cpuSeconds: 0,
});

const trained = (request: TrainRequest, workdir: string): TrainResult => {
  const checkpointPath = join(workdir, 'final.safetensors');
  writeFileSync(checkpointPath, checkpointOf(request));
  return {
    trialId: request.trialId,
    status: 'trained',
    label: null,
    detail: '',
    curve: [{ task: 'bytes', step: 1, loss: 1, cpuSeconds: 0.001 }],
    checkpointPath,
    cpuSeconds: 0.001,
    earlierCpuSeconds: 0,
    pulls: [{ task: 'bytes', pull: 1, pullOfOne: 1 }],
    tokens: 1000,
    tokensPerSecond: 1000,
    peakMemoryBytes: 1,
    lossDigest: '',
    torchVersion: 'none',
  };
};

/** A well-formed safetensors file with one number a task, under the name of its last snapshot. */
const checkpointOf = (request: TrainRequest): Buffer => {
  const { tasks } = request.rung;
  const header = JSON.stringify(
    Object.fromEntries(
      tasks.map((task, index) => [
        `${task.kind}/${task.steps}/weight`,
        { dtype: 'F32', shape: [1], data_offsets: [4 * index, 4 * index + 4] },
      ]),
    ),
  );
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  const bytes = Buffer.alloc(8 + padded.length + 4 * tasks.length);
  bytes.writeBigUInt64LE(BigInt(padded.length));
  bytes.write(padded, 8);
  for (const index of tasks.keys()) bytes.writeFloatLE(request.seed, 8 + padded.length + 4 * index);
  return bytes;
};

const answered = (request: AnswerRequest): AnswerResult => ({
  trialId: request.trialId,
  status: 'answered',
  label: null,
  detail: '',
  device: 'instant',
  cpuSeconds: 0,
  fixedLogits: null,
});

const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');
