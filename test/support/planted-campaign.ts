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
    const level = number <= numBaselines ? 3 : 3 - (request.set === 'champion' ? gain.champion : gain.others);
    const value = level + this.#swing * ((number + request.seed) % 2 === 0 ? 1 : -1);
    return { ...judged, rows: judged.rows.map((row) => (row.metric === 'bits-per-byte' ? { ...row, value } : row)) };
  }
}

/**
 * The gates find a leak in every program of these campaigns, but only with so many cuts. In the campaign `seedless` a training that is repeated
 * goes otherwise.
 */
export class LeakFindingHost extends InstantHost {
  readonly #cutsNeeded: Readonly<Record<string, number>>;
  readonly #seedless: string | null;

  constructor(cutsNeeded: Readonly<Record<string, number>>, seedless: string | null = null) {
    super();
    this.#cutsNeeded = cutsNeeded;
    this.#seedless = seedless;
  }

  override async run(job: Parameters<InstantHost['run']>[0]): ReturnType<InstantHost['run']> {
    const end = await super.run(job);
    if (job.id.startsWith(`${this.#seedless}/`) && job.id.endsWith('#again')) return this.#trainedOtherwise(job.workdir, end);
    const needed = this.#cutsNeeded[job.id.split('/')[0] ?? ''];
    const { cuts } = JSON.parse(readFileSync(job.requestPath, 'utf8'));
    if (job.command !== 'check' || needed === undefined || cuts < needed) return end;
    const path = join(job.workdir, 'result.json');
    const found = { status: 'fail', label: 'gate', detail: 'causality: an output at cut 71 depends on what follows' };
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...found }));
    return end;
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
