import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Judge, Judgement } from '../../services/judge/judge.ts';
import { InstantHost } from '../../workers/bench/instant-host.ts';
import { InstantJudge } from '../../workers/bench/instant-judge.ts';
import type { CampaignResult } from '../../workflows/campaign.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import type { CampaignInput } from '../../workflows/contracts/settings.ts';
import type { Loop } from './loop.ts';

/** What candidates of a campaign gain over its two baselines, in bits per byte. */
export interface PlantedGain {
  readonly champion: number;
  readonly others: number;
  /** What every baseline gains by twice the learning rate; nothing unless told. */
  readonly twiceTheRate?: number;
  /** Trainings show nothing of it. */
  readonly unlearnt?: boolean;
}

const numBaselines = 2;

/** Levels as planted, by campaign; each architecture goes up and down from seed to seed by `swing`, and every other one the other way. */
export class PlantingJudge extends InstantJudge {
  readonly #gains: Readonly<Record<string, PlantedGain>>;
  readonly #swing: number;

  constructor(gains: Readonly<Record<string, PlantedGain>>, swing: number) {
    super();
    this.#gains = gains;
    this.#swing = swing;
  }

  override async score(request: Parameters<Judge['score']>[0]): Promise<Judgement> {
    const judged = await super.score(request);
    const [campaign = '', experiment = ''] = request.trialId.split('/');
    const gain = this.#gains[campaign];
    if (!judged.ok || gain === undefined) return judged;
    const number = Number(experiment.slice(1));
    const byRate = request.trialId.includes('-twice-rate/s') ? (gain.twiceTheRate ?? 0) : 0;
    const level = number <= numBaselines ? 3 - byRate : 3 - (request.set === 'champion' ? gain.champion : gain.others);
    const value = level + this.#swing * ((number + request.seed) % 2 === 0 ? 1 : -1);
    return { ...judged, rows: judged.rows.map((row) => (row.metric === 'bits-per-byte' ? { ...row, value } : row)) };
  }
}

/**
 * The gates find a leak in every program of these campaigns, but only with so many cuts; trainings end at the loss that is planted. In the campaign c-without-a-seed a training that is
 * repeated goes otherwise; in c-high-rate the mixers of candidates have large gradients; in c-with-blind-gates and c-with-strict-gates a control ends as it must not.
 */
export class LeakFindingHost extends InstantHost {
  readonly #cutsNeeded: Readonly<Record<string, number>>;
  readonly #gains: Readonly<Record<string, PlantedGain>>;

  constructor(cutsNeeded: Readonly<Record<string, number>>, gains: Readonly<Record<string, PlantedGain>>) {
    super();
    this.#cutsNeeded = cutsNeeded;
    this.#gains = gains;
  }

  override async run(job: Parameters<InstantHost['run']>[0]): ReturnType<InstantHost['run']> {
    const end = await super.run(job);
    if (job.id.startsWith('c-without-a-seed/') && job.id.includes('#again')) return this.#trainedOtherwise(job.workdir, end);
    if (job.command === 'train') this.#learn(job);
    if (job.command === 'train' && /^c-high-rate\/e000[3-9]/.test(job.id)) return this.#pulling(job.workdir, end);
    if (/^c-with-(blind|strict)-gates#control-/.test(job.id)) return this.#wrongControl(job, end);
    const needed = this.#cutsNeeded[job.id.split('/')[0] ?? ''];
    const { cuts } = JSON.parse(readFileSync(job.requestPath, 'utf8'));
    if (job.command !== 'check' || needed === undefined || cuts < needed) return end;
    const path = join(job.workdir, 'result.json');
    const found = { status: 'fail', label: 'gate', detail: 'causality: an output at cut 71 depends on what follows' };
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...found }));
    return end;
  }

  /** Blind gates pass what looks ahead where its content says so; strict ones refuse the running mean. */
  #wrongControl<End>({ id, workdir }: { readonly id: string; readonly workdir: string }, end: End): End {
    const path = join(workdir, 'result.json');
    const result = JSON.parse(readFileSync(path, 'utf8'));
    if (id === 'c-with-blind-gates#control-leak-told-by-content')
      writeFileSync(path, JSON.stringify({ ...result, status: 'pass', label: null, detail: '', gates: [] }));
    if (id === 'c-with-strict-gates#control-running-mean')
      writeFileSync(path, JSON.stringify({ ...result, status: 'fail', label: 'gate', detail: 'padding: it sees the padding' }));
    return end;
  }

  /** Three times as hard as the baselines. */
  #pulling<End>(workdir: string, end: End): End {
    const path = join(workdir, 'result.json');
    const pulls = [{ task: 'bytes', pull: 3, pullOfOne: 3 }];
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), pulls }));
    return end;
  }

  /** The last loss of a candidate is as far below that of the baselines as its scores are. */
  #learn({ id, workdir }: { readonly id: string; readonly workdir: string }): void {
    const [campaign = '', experiment = ''] = id.split('/');
    const gain = this.#gains[campaign];
    const path = join(workdir, 'result.json');
    const result = JSON.parse(readFileSync(path, 'utf8'));
    if (gain === undefined || gain.unlearnt || Number(experiment.slice(1)) <= numBaselines || result.curve === undefined) return;
    const curve = result.curve.map((point: { readonly loss: number }) => ({
      ...point,
      loss: point.loss - gain.others * Math.LN2,
    }));
    writeFileSync(path, JSON.stringify({ ...result, curve }));
  }

  #trainedOtherwise<End>(workdir: string, end: End): End {
    const path = join(workdir, 'result.json');
    const curve = [{ task: 'bytes', step: 1, loss: 1.5, cpuSeconds: 0.001 }];
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), curve }));
    return end;
  }
}

/** Runs a campaign of the preset tiny to its end. */
export const runTiny = async (loop: Loop, workflowId: string, input: CampaignInput): Promise<CampaignResult> =>
  await loop.client.workflow.execute(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId,
    args: [{ preset: 'tiny', ...input }],
  });
