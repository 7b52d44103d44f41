import type { Archive } from '../../services/archive/archive.ts';
import type { ConfirmationPlan, RateTrials } from '../../workflows/contracts/activities.ts';
import type { Verdict } from '../../workflows/contracts/experiment.ts';
import { campaignOf, idAtRate, trialId } from '../../workflows/contracts/naming.ts';
import { type Score, scoreSets } from '../../workflows/contracts/score.ts';
import type { Trial } from '../../workflows/contracts/trial.ts';
import { trainingDoubt } from '../../workflows/rules/ahead-of-training.ts';
import type { Confirmation } from '../../workflows/rules/confirmation.ts';
import type { TriedAt } from '../../workflows/rules/rate-control.ts';
import { nameOf } from './digest.ts';
import { requireCampaign } from './experiment-record.ts';
import { withCost } from './finalist-cost.ts';
import { type Bar, type Bench, benchOf, detectableIn, finalVerdict, numTriedOf, walk, walkAtRates } from './finalist-verdict.ts';
import { chooseFinalists, readBars, readNoiseRows } from './finalists.ts';

interface OpenBench extends Bench {
  readonly finalists: readonly string[];
  readonly bars: ReadonlyMap<string, Bar>;
}

const openBench = async (archive: Archive, campaignId: string): Promise<OpenBench> => {
  const campaign = await requireCampaign(archive, campaignId);
  const { finalists, baselines, leftOut } = await chooseFinalists(archive, campaignId);
  const rowsOf = (experimentId: string): Promise<readonly Score[]> => archive.listScores({ experimentId });
  const named = async (id: string) => ({ id, name: nameOf((await archive.getExperiment(id)) ?? missing(id)) });
  const records = await Promise.all(finalists.map(async (id) => (await archive.getExperiment(id)) ?? missing(id)));
  const bench = benchOf({
    settings: campaign.settings,
    baselines: await Promise.all(baselines.map(named)),
    leftOut: (await Promise.all(leftOut.map(named))).map(({ name }) => name),
    scores: (await Promise.all([...finalists, ...baselines].map(rowsOf))).flat(),
    controls: campaign.controls ?? [],
    noise: await readNoiseRows(archive, campaign),
  });
  return { ...bench, finalists, bars: await readBars(archive, { experiments: records, beside: baselines, sets: scoreSets }) };
};

/** Which seeds the next look needs, of whom; read `DiscoveryActivities.planConfirmation`. */
export const planConfirmation = async (
  archive: Archive,
  { campaignId, numTried }: { readonly campaignId: string; readonly numTried: number },
): Promise<ConfirmationPlan> => {
  const bench = await openBench(archive, campaignId);
  const walks = bench.finalists.map((id) => ({ id, confirmation: walk(bench, id, numTried) }));
  // What cannot be called better is measured at the first look, and no seed is spent on its verdict beyond that.
  const isFree = ({ id }: { readonly id: string }): boolean => !isBarred(bench, id);
  const open = walks.filter((one) => one.confirmation.nextSeeds.length > 0 && (numTried === 0 || isFree(one)));
  const better = walks.filter((one) => one.confirmation.verdict?.verdict === 'better' && isFree(one)).map(({ id }) => id);
  // Neither other rates nor the last set are asked about what will not be called better.
  const undoubted = open.length > 0 || bench.controlsBar !== null ? [] : await withoutDoubt(archive, better);
  const baselines = bench.baselines.map(({ id }) => id);
  const tried = new Set((await trialsOf(archive, undoubted.length === 0 ? [] : baselines)).map(({ id }) => id));
  const rung = (await requireCampaign(archive, campaignId)).settings.rung;
  const isTried = ({ experimentId, ...trial }: TriedAt): boolean => tried.has(trialId(experimentId, { rung, ...trial }));
  const rated = await Promise.all(
    undoubted.map(async (id) => {
      const ownTried = numTriedOf(bench, await archive.listTrials({ experimentId: id }));
      return { id, confirmation: walkAtRates(bench, id, { numTried: ownTried, isTried }) };
    }),
  );
  const rates = rated.flatMap(({ confirmation }) => confirmation.rates);
  // What the rates leave open goes on together, the earliest look first.
  const next = open.length > 0 ? open : atEarliestLook(rated, bench.seeds);
  const champions = rated.filter(({ confirmation }) => confirmation.verdict?.verdict === 'better').map(({ id }) => id);
  const reasons = walks.map(({ id, confirmation }) => rated.find((one) => one.id === id) ?? { id, confirmation });
  return {
    seeds: next[0]?.confirmation.nextSeeds ?? [],
    finalists: next.map(({ id }) => id),
    baselines: next.length > 0 ? baselines : [],
    rates: together(rates),
    champions,
    championTrials: champions.length === 0 ? [] : await scoredTrials(archive, [...champions, ...baselines]),
    reason: reasons.map(({ id, confirmation }) => `${id.split('/')[1]}: ${confirmation.reason}`).join('; '),
  };
};

interface Walked {
  readonly id: string;
  readonly confirmation: Confirmation;
}

/** Those with seeds to train next, of whom the same ones are next as of whoever is least far. */
const atEarliestLook = (walks: readonly Walked[], seeds: readonly number[]): readonly Walked[] => {
  const firstOf = ({ confirmation }: Walked): number => {
    const [first] = confirmation.nextSeeds;
    return first === undefined ? Number.POSITIVE_INFINITY : seeds.indexOf(first);
  };
  const earliest = Math.min(...walks.map(firstOf));
  return walks.filter((one) => one.confirmation.nextSeeds.length > 0 && firstOf(one) === earliest);
};

/** Those whose trials learnt at the rate of the others, and all that they knew. */
const withoutDoubt = async (archive: Archive, ids: readonly string[]): Promise<readonly string[]> => {
  const trials = await Promise.all(ids.map((experimentId) => archive.listTrials({ experimentId })));
  return ids.filter((_, index) => trainingDoubt(trials[index] ?? []) === null);
};

/** Finalists share baselines: each seed of a baseline at a rate is trained once. */
const together = (rates: readonly RateTrials[]): readonly RateTrials[] =>
  [...Map.groupBy(rates, ({ experimentId, rate }) => idAtRate(experimentId, rate)).values()].flatMap((same) =>
    same
      .slice(0, 1)
      .map((one) => ({ ...one, seeds: [...new Set(same.flatMap(({ seeds }) => seeds))].toSorted((a, b) => a - b) })),
  );

const trialsOf = async (archive: Archive, ids: readonly string[]): Promise<readonly Trial[]> =>
  (await Promise.all(ids.map((experimentId) => archive.listTrials({ experimentId })))).flat();

const scoredTrials = async (archive: Archive, ids: readonly string[]): Promise<readonly string[]> =>
  (await trialsOf(archive, ids)).filter(({ purpose, state }) => purpose === 'confirm' && state === 'scored').map(({ id }) => id);

/** The verdict of every finalist that can be compared, fittest first. Nothing is written. */
export const judgeFinalists = async (
  archive: Archive,
  campaignId: string,
): Promise<{
  readonly judged: readonly { readonly id: string; readonly verdict: Verdict }[];
  readonly detectable: number | null;
}> => {
  const bench = await openBench(archive, campaignId);
  const judged = await Promise.all(
    bench.finalists.map(async (id) => {
      const [trials, audits] = await Promise.all([archive.listTrials({ experimentId: id }), archive.listAudits(id)]);
      const { verdict } = finalVerdict(bench, { id, trials, audits, bar: barOf(bench, id) });
      return verdict === null ? [] : [{ id, verdict: await withCost(archive, id, verdict) }];
    }),
  );
  return { judged: judged.flat(), detectable: detectableIn(bench) };
};

const barOf = ({ bars }: OpenBench, id: string): Bar => bars.get(id) ?? { knownAs: null, silence: null, tier: null };

const isBarred = (bench: OpenBench, id: string): boolean => {
  const { knownAs, silence } = barOf(bench, id);
  return knownAs !== null || silence !== null;
};

const missing = (id: string): never => {
  throw new Error(`baseline ${id} of ${campaignOf(id)} has left the archive`);
};
