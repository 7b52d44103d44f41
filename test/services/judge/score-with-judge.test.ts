import { describe, expect, it } from 'vitest';
import type { Job, JobEnd } from '../../../services/dispatch/dispatcher.ts';
import type { Judge, Judgement } from '../../../services/judge/judge.ts';
import { type Scoring, scoreWithJudge } from '../../../services/judge/score-with-judge.ts';
import { PythonProcessError } from '../../../services/python/line-process.ts';
import type { FailureLabel } from '../../../workflows/contracts/failure.ts';
import { rungs } from '../../../workflows/contracts/rung.ts';
import { aDataManifest, aHash, aScore } from '../../support/builders.ts';

const trialId = 'c-test/e0001/tiny/s1';
const scoring: Scoring = {
  id: `${trialId}#search`,
  request: {
    trialId,
    programPath: '/work/mixer.py',
    programHash: aHash(),
    checkpointPath: '/work/checkpoint.safetensors',
    rung: rungs.tiny,
    sizes: [],
    seed: 1,
  },
  checkpointHash: aHash('checkpoint'),
  set: 'search',
  data: aDataManifest(),
  sandbox: {
    tier: 'S1',
    kernel: '6.1',
    bubblewrap: '0.8.0',
    cgroups: null,
    landlockAbi: null,
    uid: 64000,
    canaries: [
      { name: 'held-out-text', held: true, detail: '' },
      { name: 'memory', held: false, detail: '' },
    ],
    missing: '',
  },
  device: 'cpu',
  workdir: '/work',
  limits: { wallSeconds: 60, idleSeconds: 30, memoryBytes: 1e9, logBytes: 1e6 },
  kept: true,
};

const used = { runId: 'r', cpuSeconds: 1, wallSeconds: 1, peakMemoryBytes: 1, logTail: 'log' };
const ended = (label: FailureLabel, detail = ''): JobEnd => ({ ok: false, label, detail, ...used });
const fixedLogits = {
  torch: '2.13.0',
  platform: 'Linux x86_64 AVX2',
  tasks: [{ task: 'bytes', sha256: 'a'.repeat(64), mean: 0.1, largest: 3, sample: [0.5] }],
};
const answered = (status: 'answered' | 'failed' = 'answered', label: FailureLabel | null = null): JobEnd => ({
  ok: true,
  result: { trialId, status, label, detail: 'its own word', device: 'cpu', cpuSeconds: 1, fixedLogits },
  ...used,
});

/** A judge that says `judgement` once both processes are there, and `cancelled` when it is closed before. */
const judgeThat = (judgement: Judgement | PythonProcessError | 'waits') => {
  const asked: Parameters<Judge['score']>[0][] = [];
  const closed = Promise.withResolvers<Judgement>();
  const judge: Judge = {
    open: async (id) => ({
      prefixes: { questions: `/channels/${id}/pq`, answers: `/channels/${id}/pa` },
      sequences: { questions: `/channels/${id}/sq`, answers: `/channels/${id}/sa` },
    }),
    score: async (request) => {
      asked.push(request);
      if (judgement === 'waits') return await closed.promise;
      if (judgement instanceof Error) throw judgement;
      return judgement;
    },
    close: () => closed.resolve({ ok: false, label: 'cancelled', detail: 'the scoring was given up', cpuSeconds: 0 }),
    checkSeals: async () => ({ genuine: [], genuineLists: [] }),
    lists: async () => [],
    stop: async () => undefined,
  };
  return { judge, asked };
};

/** Ends at once where `ends` has an end for this half; else when it is told to. */
const runnerOf = (ends: { readonly prefixes?: JobEnd; readonly sequences?: JobEnd }) => {
  const jobs: Job[] = [];
  const run = async (job: Job, signal: AbortSignal): Promise<JobEnd> => {
    jobs.push(job);
    const half = job.channel?.questions.endsWith('/pq') ? 'prefixes' : 'sequences';
    const end = ends[half];
    if (end !== undefined) return end;
    await new Promise((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', resolve, { once: true });
    });
    return ended('cancelled');
  };
  return { run, jobs };
};

const row = aScore({ trialId });
const good: Judgement = { ok: true, rows: [row], cpuSeconds: 0.5 };
const refused = (label: FailureLabel): Judgement => ({ ok: false, label, detail: 'the judge says why', cpuSeconds: 0.5 });
const both = (end: JobEnd) => ({ prefixes: end, sequences: end });

describe('a scoring', () => {
  it('is two jobs in folders of their own, each with its own pipes, and the rows of the judge', async () => {
    const { judge, asked } = judgeThat(good);
    const { run, jobs } = runnerOf(both(answered()));
    expect(await scoreWithJudge({ judge, run }, scoring)).toEqual({
      ok: true,
      rows: [row],
      cpuSeconds: 2.5,
      judgeSeconds: 0.5,
      answerSeconds: 2,
      fixedLogits,
    });
    expect(jobs.map((job) => job.command)).toEqual(['answer', 'answer']);
    expect(new Set(jobs.map((job) => job.workdir)).size).toBe(2);
    expect(new Set(jobs.flatMap((job) => [job.channel?.questions, job.channel?.answers])).size).toBe(4);
    expect(asked[0]).toMatchObject({
      trialId,
      set: 'search',
      sandboxTier: 'S1',
      sandboxCanaries: '1/2',
      heldOutHidden: true,
      answerSeconds: 30,
    });
    // What a process of the candidate is told holds neither data nor set.
    expect(JSON.stringify(jobs.map((job) => job.request))).not.toMatch(/search|shards|heldOut/);
  });

  it('never meets an earlier attempt: jobs and judge know each attempt by another name', async () => {
    const { judge, asked } = judgeThat(good);
    const { run, jobs } = runnerOf(both(answered()));
    await scoreWithJudge({ judge, run }, scoring);
    await scoreWithJudge({ judge, run }, scoring);
    expect(new Set(jobs.map((job) => job.id)).size).toBe(4);
    expect(new Set(jobs.map((job) => job.workdir)).size).toBe(4);
    expect(new Set(asked.map((request) => request.id)).size).toBe(2);
  });

  it.each(['integrity', 'nonfinite', 'bad_result', 'timeout_idle', 'infra'] as const)(
    'ends its processes when the judge says %s, and says that',
    async (label) => {
      const { judge } = judgeThat(refused(label));
      const { run } = runnerOf({ prefixes: answered() });
      expect(await scoreWithJudge({ judge, run }, scoring)).toMatchObject({ ok: false, label, detail: 'the judge says why' });
    },
  );

  it.each([
    ['prefixes', ended('oom_host', 'too much memory'), 'oom_host'],
    ['sequences', ended('exit', 'status 1'), 'exit'],
    ['sequences', answered('failed', 'bad_result'), 'bad_result'],
    ['prefixes', { ok: true, result: { status: 'answered' }, ...used } satisfies JobEnd, 'bad_result'],
  ] as const)('ends the scoring when the process of %s ends badly: %o', async (half, end, label) => {
    const { judge } = judgeThat('waits');
    const { run, jobs } = runnerOf({ ...both(answered()), [half]: end });
    expect(await scoreWithJudge({ judge, run }, scoring)).toMatchObject({ ok: false, label });
    expect(jobs).toHaveLength(half === 'prefixes' ? 1 : 2);
  });

  it('lets the process of prefixes end before that of whole sequences begins', async () => {
    const { judge } = judgeThat(good);
    let alive = 0;
    let most = 0;
    const run = async (): Promise<JobEnd> => {
      alive += 1;
      most = Math.max(most, alive);
      await new Promise((resolve) => setImmediate(resolve));
      alive -= 1;
      return answered();
    };
    await scoreWithJudge({ judge, run }, scoring);
    expect(most).toBe(1);
  });

  it('takes what the host saw over the judge finding nobody there', async () => {
    const { judge } = judgeThat(refused('no_result'));
    const { run } = runnerOf({ prefixes: ended('signal', 'signal 11'), sequences: ended('cancelled') });
    expect(await scoreWithJudge({ judge, run }, scoring)).toMatchObject({ label: 'signal', detail: 'signal 11' });
  });

  it('is cancelled when its jobs are', async () => {
    const { judge } = judgeThat('waits');
    const { run } = runnerOf(both(ended('cancelled', 'by request')));
    expect(await scoreWithJudge({ judge, run }, scoring)).toMatchObject({ ok: false, label: 'cancelled' });
  });

  it('rejects, and leaves no process running, when the judge dies', async () => {
    const { judge } = judgeThat(new PythonProcessError('The judge stopped: status 1'));
    const { run, jobs } = runnerOf({});
    await expect(scoreWithJudge({ judge, run }, scoring)).rejects.toThrow(PythonProcessError);
    expect(jobs).toHaveLength(1);
  });
});
