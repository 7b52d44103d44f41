import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { InProcessDispatcher } from '../../../services/dispatch/in-process-dispatcher.ts';
import type { BundleSource } from '../../../services/export/bundle-source.ts';
import { checkpointName, programName } from '../../../services/export/manifest.ts';
import type { Judge } from '../../../services/judge/judge.ts';
import { scoreWithJudge } from '../../../services/judge/score-with-judge.ts';
import type { HostFacts } from '../../../services/python/host.ts';
import { PythonProcessError } from '../../../services/python/line-process.ts';
import type { DataManifest } from '../../../workflows/contracts/data.ts';
import { type Score, type ScoreSet, scoreSets } from '../../../workflows/contracts/score.ts';
import type { AnswerRequest } from '../../../workflows/contracts/trial.ts';
import type { Config } from '../../config.ts';
import { isWithin, type Rescored, type VerifyStep } from '../../view/verify-lines.ts';
import type { OpenHost } from '../gate/check-program.ts';
import { refuseNamedProgram } from '../gate/own-file.ts';
import { outages } from '../gate/program-refusal.ts';

/** Same judge's key, device and version of PyTorch: the same cuts of the same text by the same arithmetic. */
const exactTolerance = 1e-5;
/** Elsewhere floating-point sums differ in their last digits, and other cuts are drawn; an honest program's score hardly moves. */
const looseTolerance = 2e-3;
const limits = { memoryBytes: 3 * 1024 ** 3, logBytes: 1024 * 1024 } as const;

export interface RescoreRequest {
  readonly folder: string;
  readonly scratch: string;
  readonly source: BundleSource;
  readonly data: DataManifest;
  /** Whether this home's judge sealed the rows. */
  readonly isSameJudge: boolean;
}

export interface RescoreEnd {
  readonly step: VerifyStep;
  readonly scores: readonly Rescored[];
}

export interface RescoreTools {
  readonly config: Config;
  readonly judge: Judge;
  /** With two slots at least: two processes answer the judge at a time. */
  readonly opened: OpenHost;
}

/** Scores the exported trial again on every set that the bundle has rows of. */
export const rescore = async ({ config, judge, opened }: RescoreTools, request: RescoreRequest): Promise<RescoreEnd> => {
  const { host, dispatcher } = opened;
  const { record, chosen } = request.source;
  const { scores } = record;
  const { versions } = record.campaign;
  const rows = scores.filter(({ trialId }) => trialId === chosen.id);
  const found: Rescored[] = [];
  const skipped: string[] = [];
  try {
    const facts = await host.start();
    const named = { command: 'asi verify', id: record.campaign.id, unsandboxed: config.unsandboxed } as const;
    const refused = refuseNamedProgram(named)(facts.sandbox);
    if (refused !== null) return { step: { step: 'scores', state: 'not-repeated', detail: refused }, scores: [] };
    for (const set of scoreSets) {
      const recorded = rows.filter((row) => row.set === set);
      if (recorded.length === 0) continue;
      const again = await scoreSet({ config, judge, dispatcher }, { ...request, set, facts });
      if (!again.ok) return again.end;
      for (const row of recorded) {
        const comparison = compare(row, again.rows, { ...request, facts });
        if (typeof comparison === 'string') skipped.push(comparison);
        else found.push(comparison);
      }
    }
    return conclude(found, skipped, `${environmentText(rows, versions, facts)}${othersText(scores.length - rows.length)}`);
  } catch (error) {
    if (!(error instanceof PythonProcessError)) throw error;
    return { step: { step: 'scores', state: 'not-repeated', detail: error.message }, scores: found };
  }
};

type SetEnd = { readonly ok: true; readonly rows: readonly Score[] } | { readonly ok: false; readonly end: RescoreEnd };

const scoreSet = async (
  tools: { readonly config: Config; readonly judge: Judge; readonly dispatcher: InProcessDispatcher },
  wanted: RescoreRequest & { readonly set: ScoreSet; readonly facts: HostFacts },
): Promise<SetEnd> => {
  const { folder, scratch, source, data, set, facts } = wanted;
  const { record, rung, chosen } = source;
  const { architecture } = record.experiment;
  const workdir = join(scratch, set);
  mkdirSync(workdir);
  const request: AnswerRequest = {
    trialId: chosen.id,
    programPath: join(folder, programName),
    programHash: architecture.hash,
    checkpointPath: join(folder, checkpointName),
    rung,
    sizes: architecture.sizes ?? [],
    seed: chosen.seed,
  };
  const { idleSeconds } = tools.config;
  const end = await scoreWithJudge(
    { judge: tools.judge, run: (job, signal) => tools.dispatcher.run(job, { signal }) },
    {
      id: `verify-${process.pid}-${set}`,
      request,
      checkpointHash: chosen.checkpointArtifact,
      set,
      data,
      sandbox: facts.sandbox,
      device: facts.device,
      workdir,
      kept: false,
      limits: { ...limits, wallSeconds: rung.wallLimitSeconds, idleSeconds },
    },
  );
  if (end.ok) return { ok: true, rows: end.rows };
  const isOurs = outages.includes(end.label);
  const detail = isOurs
    ? `the judge could not score: ${end.detail}`
    : `the judge refuses it on set ${set}: ${end.label}: ${end.detail}`;
  return { ok: false, end: { step: { step: 'scores', state: isOurs ? 'not-repeated' : 'mismatch', detail }, scores: [] } };
};

/** The two numbers, or why they cannot be compared. */
const compare = (
  row: Score,
  again: readonly Score[],
  { isSameJudge, source, facts }: Pick<RescoreRequest, 'isSameJudge' | 'source'> & { readonly facts: HostFacts },
): Rescored | string => {
  const { metric, set } = row;
  if (!isSameJudge && set !== 'search' && metric !== 'bits-per-byte')
    return `${metric} on set ${set} was measured on sequences from the secret seeds of another judge`;
  const now = again.find((one) => one.metric === metric);
  if (now === undefined) return `${metric} on set ${set} is no metric of this rung here`;
  const isSameArithmetic = row.device === facts.device && source.record.campaign.versions.torch === facts.torchVersion;
  const tolerance = isSameJudge && isSameArithmetic ? exactTolerance : looseTolerance;
  return { set, metric, recorded: row.value, again: now.value, tolerance };
};

const conclude = (found: readonly Rescored[], skipped: readonly string[], environment: string): RescoreEnd => {
  const differ = found.filter((row) => !isWithin(row));
  const step = (state: VerifyStep['state'], detail: string): RescoreEnd => ({
    step: { step: 'scores', state, detail },
    scores: found,
  });
  if (differ.length > 0)
    return step(
      'mismatch',
      `${differ.map(({ metric, set }) => `${metric} on set ${set}`).join(', ')} came out otherwise; ${environment}`,
    );
  if (found.length === 0 && skipped.length === 0)
    return step('not-repeated', 'the bundle holds no row of the trial whose weights it holds');
  if (skipped.length > 0) return step('not-repeated', `${skipped.join('; ')}; ${environment}`);
  return step('verified', `${found.length} numbers came out the same; ${environment}`);
};

/** Weights of one trial are in a bundle; what the other seeds gave rests on the seals and on the archive. */
const othersText = (count: number): string =>
  count === 0 ? '' : `; ${count} numbers of other seeds were not scored again, since a bundle holds the weights of one`;

const environmentText = (rows: readonly Score[], versions: Readonly<Record<string, string>>, facts: HostFacts): string => {
  const device = rows[0]?.device ?? 'unknown';
  const torch = versions.torch ?? 'not recorded';
  const part = (name: string, then: string, now: string): string =>
    then === now ? `${name} ${now} then and now` : `${name} ${then} then, ${now} now`;
  return `${part('device', device, facts.device)}, ${part('PyTorch', torch, facts.torchVersion)}, ${part('sandbox', rows[0]?.sandboxTier ?? 'unknown', facts.sandbox.tier)}`;
};
