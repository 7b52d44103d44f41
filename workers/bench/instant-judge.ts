import { createHash } from 'node:crypto';
import type { Judge, JudgeChannels, Judgement, SealCheck, SealedThings } from '../../services/judge/judge.ts';
import { type Metric, metricsOfTask, type Score } from '../../workflows/contracts/score.ts';
import type { ScoreList } from '../../workflows/contracts/score-list.ts';

/** Scores at once, for the instant host: a hash of the program and the seed, which ranks nothing. */
export class InstantJudge implements Judge {
  async open(): Promise<JudgeChannels> {
    const channel = { questions: '/dev/null', answers: '/dev/null' };
    return { prefixes: channel, sequences: channel };
  }

  async score(request: Parameters<Judge['score']>[0]): Promise<Judgement> {
    const { trialId, set, seed, programHash, checkpointHash, sandboxTier, sandboxCanaries, heldOutHidden, device } = request;
    const noise = Number.parseInt(sha256(`${programHash} ${seed}`).slice(0, 8), 16) / 2 ** 32;
    const row = (metric: Metric, value: number): Score => ({
      ...{ trialId, metric, value, set, seed, programHash, checkpointHash, sandboxTier, sandboxCanaries, heldOutHidden, device },
      fullSequence: value,
      gapStandardError: 0,
      prefixes: 0,
      cuts: 0,
      rung: request.rung.name,
      dataHash: request.data.hash,
      judgeVersion: 'instant',
      seal: sha256('nobody sealed this'),
    });
    const values = { 'bits-per-byte': 3 + 0.1 * noise, 'recall-auc': 2 + 0.1 * noise, 'recall-accuracy': 0.5, 'copy-loss': 1 };
    const metrics = request.rung.tasks.flatMap(({ kind }) => metricsOfTask[kind]);
    return { ok: true, rows: metrics.map((metric) => row(metric, values[metric])), cpuSeconds: 0 };
  }

  close(): void {
    // Nothing is open.
  }

  async checkSeals({ rows, lists }: SealedThings): Promise<SealCheck> {
    return { genuine: rows.map(() => false), genuineLists: lists.map(() => false) };
  }

  async lists(): Promise<readonly ScoreList[]> {
    return [];
  }

  async stop(): Promise<void> {
    // Holds nothing.
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
