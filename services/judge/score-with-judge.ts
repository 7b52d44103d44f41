import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { DataManifest } from '../../workflows/contracts/data.ts';
import type { FailureLabel } from '../../workflows/contracts/failure.ts';
import type { SandboxFacts } from '../../workflows/contracts/sandbox.ts';
import type { Score, ScoreSet } from '../../workflows/contracts/score.ts';
import { type AnswerRequest, answerResultSchema, type LoadedLogits } from '../../workflows/contracts/trial.ts';
import type { Job, JobEnd } from '../dispatch/dispatcher.ts';
import type { Judge, Judgement } from './judge.ts';

export interface ScoringDependencies {
  readonly judge: Judge;
  /** Runs one job to its end, on a slot; aborting the signal ends the job. */
  readonly run: (job: Job, signal: AbortSignal) => Promise<JobEnd>;
}

export interface Scoring {
  /** What is scored, for the names of its jobs. */
  readonly id: string;
  readonly request: AnswerRequest;
  readonly checkpointHash: string;
  readonly set: ScoreSet;
  readonly data: DataManifest;
  readonly sandbox: SandboxFacts;
  readonly device: string;
  /** Each of the two processes gets a folder of its own below it. */
  readonly workdir: string;
  readonly limits: Job['limits'];
  /** Whether the rows are to count, or to be compared only. */
  readonly kept: boolean;
}

export type ScoringEnd =
  | {
      readonly ok: true;
      readonly rows: readonly Score[];
      readonly cpuSeconds: number;
      /** Of the judge alone. */
      readonly judgeSeconds: number;
      /** Of the two answering processes alone, as their host measured them. */
      readonly answerSeconds: number;
      /** Of the process that answered about whole sequences; null where they are not finite. */
      readonly fixedLogits: LoadedLogits | null;
    }
  | {
      readonly ok: false;
      readonly label: FailureLabel;
      readonly detail: string;
      readonly cpuSeconds: number;
      readonly judgeSeconds: number;
      readonly logTail: string;
    };

const halves = ['prefixes', 'sequences'] as const;

/**
 * Two processes answer the judge, first one about prefixes and then one about whole sequences, and the judge scores. Where a process ended badly, what
 * the host saw of that counts; else the judge's word. Rejects with PythonProcessError where there is no judge.
 */
export const scoreWithJudge = async ({ judge, run }: ScoringDependencies, scoring: Scoring): Promise<ScoringEnd> => {
  const { request, sandbox } = scoring;
  // Each attempt is a scoring of its own: what an earlier one left, or still does, must not meet this one.
  const attempt = randomUUID();
  const id = `${scoring.id}#${attempt}`;
  const channels = await judge.open(id);
  const judging = judge.score({
    id,
    trialId: request.trialId,
    programHash: request.programHash,
    checkpointHash: scoring.checkpointHash,
    rung: request.rung,
    seed: request.seed,
    set: scoring.set,
    data: scoring.data,
    sandboxTier: sandbox.tier,
    sandboxCanaries: `${sandbox.canaries.filter((canary) => canary.held).length}/${sandbox.canaries.length}`,
    heldOutHidden: sandbox.canaries.some(({ name, held }) => name === 'held-out-text' && held),
    device: scoring.device,
    answerSeconds: scoring.limits.idleSeconds,
    kept: scoring.kept,
  });
  // After a refusal, or without a judge, nobody asks the processes anything more; after a good end they leave by themselves.
  const giveUp = new AbortController();
  judging.then(
    (judgement) => {
      if (!judgement.ok) giveUp.abort();
    },
    () => giveUp.abort(),
  );
  const ends: JobEnd[] = [];
  // One is dead before the other begins: two that live at the same time could tell each other of what they see.
  for (const half of halves) {
    const job: Job = {
      id: `${id}-${half}`,
      command: 'answer',
      request,
      workdir: join(scoring.workdir, `${half}-${attempt}`),
      channel: channels[half],
      limits: scoring.limits,
    };
    const end = await run(job, giveUp.signal);
    ends.push(end);
    if (refusalOf(end) === null) continue;
    // The judge would wait for an answer.
    judge.close(id);
    break;
  }
  return conclude(ends, await judging);
};

const conclude = (ends: readonly JobEnd[], judgement: Judgement): ScoringEnd => {
  const answerSeconds = ends.reduce((sum, end) => sum + end.cpuSeconds, 0);
  const judgeSeconds = judgement.cpuSeconds;
  const cpuSeconds = answerSeconds + judgeSeconds;
  const refusals = ends.map(refusalOf).filter((refusal) => refusal !== null);
  if (judgement.ok && refusals.length === 0)
    return { ok: true, rows: judgement.rows, cpuSeconds, judgeSeconds, answerSeconds, fixedLogits: logitsOf(ends.at(-1)) };
  const logTail = ends.map((end) => end.logTail).join('');
  // A process that was ended because the other one or the judge had gone says nothing of its own.
  const own = refusals.find((refusal) => refusal.label !== 'cancelled') ?? refusals[0];
  const isJudgesWord = !judgement.ok && judgement.label !== 'cancelled' && judgement.label !== 'no_result';
  const why = isJudgesWord || own === undefined ? judgement : own;
  if (!('label' in why)) throw new Error(`scoring of ${ends.length} processes failed and nobody said why`);
  return { ok: false, label: why.label, detail: why.detail, cpuSeconds, judgeSeconds, logTail };
};

const logitsOf = (end: JobEnd | undefined): LoadedLogits | null => {
  const parsed = end?.ok === true ? answerResultSchema.safeParse(end.result) : null;
  return parsed?.success === true ? parsed.data.fixedLogits : null;
};

/** Why a process did not answer to the end, by what the host saw or by its own word. */
const refusalOf = (end: JobEnd): { readonly label: FailureLabel; readonly detail: string } | null => {
  if (!end.ok) return { label: end.label, detail: end.detail };
  const parsed = answerResultSchema.safeParse(end.result);
  if (!parsed.success)
    return { label: 'bad_result', detail: `result.json: ${parsed.error.issues[0]?.message ?? 'does not fit'}` };
  if (parsed.data.status === 'answered') return null;
  return { label: parsed.data.label ?? 'bad_result', detail: parsed.data.detail };
};
