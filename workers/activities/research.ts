import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Archive } from '../../services/archive/archive.ts';
import type { Artifacts } from '../../services/artifacts/artifacts.ts';
import type { Embedder } from '../../services/embed/embedder.ts';
import { type Embeddings, rememberArchitecture } from '../../services/novelty/novelty.ts';
import {
  type Draft,
  type Engineer,
  isRefusal,
  type Refusal,
  type RefusedDraft,
  type Researcher,
} from '../../services/researcher/researcher.ts';
import type { VectorIndex } from '../../services/vectors/vector-index.ts';
import type { ExperimentInput, ProposeResult, ResearchActivities } from '../../workflows/contracts/activities.ts';
import { baselineGenomes } from '../../workflows/contracts/baselines.ts';
import { type Campaign, isCampaignOver } from '../../workflows/contracts/campaign.ts';
import { type Experiment, isTerminal } from '../../workflows/contracts/experiment.ts';
import type { Failure } from '../../workflows/contracts/failure.ts';
import { type BaselineName, baselineNames } from '../../workflows/contracts/genome.ts';
import { campaignOf } from '../../workflows/contracts/naming.ts';
import { createRandom } from '../../workflows/rules/random.ts';
import { drawParents } from '../../workflows/rules/sampling.ts';
import { analyseExperiment } from './analyse.ts';
import { CampaignHistory, type PastExperiment } from './campaign-history.ts';
import { changeExperiment, plannedExperiment, requireCampaign, requireExperiment } from './experiment-record.ts';
import { infra, withHeartbeat } from './heartbeat.ts';
import { KnownBaselines } from './known-baselines.ts';
import { NoveltyCheck } from './novelty.ts';

export interface ResearchDependencies {
  readonly archive: Archive;
  readonly artifacts: Artifacts;
  readonly vectors: VectorIndex;
  readonly embedder: Embedder;
  readonly researcher: Researcher;
  readonly engineer: Engineer;
  /** Why a program is not stored; null for one that may be. */
  readonly credentialProblem: (program: string) => string | null;
  readonly now: () => Date;
}

/** Drafts that may be refused for novelty before the experiment ends as a duplicate. */
const maxDrafts = 5;

/** What is stored of a proposal that was accepted. */
interface Accepted {
  readonly draft: Draft;
  readonly program: string;
  /** Null where novelty is not asked: baselines and a person's own files. */
  readonly embeddings: Embeddings | null;
  readonly lineage: Pick<Experiment, 'arm' | 'parentId' | 'referenceIds' | 'ancestors' | 'poolVersion'>;
}

const noLineage: Accepted['lineage'] = { arm: 'none', parentId: null, referenceIds: [], ancestors: [], poolVersion: 0 };

type Research = ResearchDependencies & {
  readonly novelty: NoveltyCheck;
  readonly history: CampaignHistory;
  readonly baselines: KnownBaselines;
};

/** Activities of the `agents` queue. */
export const createResearchActivities = (dependencies: ResearchDependencies): ResearchActivities => {
  const baselines = new KnownBaselines((name) => programOf(dependencies, baselineDraft(name)));
  const research: Research = {
    ...dependencies,
    baselines,
    novelty: new NoveltyCheck({ ...dependencies, baselines }),
    history: new CampaignHistory(dependencies.archive),
  };
  // Two drafts of one campaign made at the same time cannot see each other and might be the same.
  const turns = new Map<string, Promise<unknown>>();
  const inTurn = async <T>(campaignId: string, work: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(campaignId) ?? Promise.resolve()).then(work, work);
    turns.set(campaignId, turn);
    try {
      return await turn;
    } finally {
      if (turns.get(campaignId) === turn) turns.delete(campaignId);
    }
  };
  return {
    proposeExperiment: (input) => withHeartbeat((_, signal) => inTurn(input.campaignId, () => propose(research, input, signal))),
    repairExperiment: (request) =>
      withHeartbeat((_, signal) => inTurn(campaignOf(request.experimentId), () => repair(research, request, signal))),
    analyseExperiment: ({ experimentId }) => analyseExperiment(dependencies.archive, experimentId),
  };
};

const propose = async (dependencies: Research, input: ExperimentInput, signal: AbortSignal): Promise<ProposeResult> => {
  const { archive, now } = dependencies;
  const planned = plannedExperiment({
    campaignId: input.campaignId,
    id: input.experimentId,
    number: input.number,
    kind: input.origin.kind,
    at: now().toISOString(),
  });
  const { value: experiment } = await archive.createExperiment(planned);
  if (experiment.proposal !== null) return proposed(experiment.proposal);
  if (isTerminal(experiment.state)) return refusedResult(experiment.failure);
  // Read after the record was opened: who ends a campaign closes its records after it is over, so one of the two closes this one.
  const campaign = await requireCampaign(archive, input.campaignId);
  if (isCampaignOver(campaign.state)) {
    const detail = `the campaign ended: ${campaign.reason ?? campaign.state}`;
    const { failure } = await changeExperiment(archive, experiment.id, () => ({
      state: 'cancelled',
      failure: { label: 'cancelled', stage: 'propose', detail, logArtifact: null },
      finishedAt: now().toISOString(),
    }));
    return refusedResult(failure);
  }
  const accepted = await draftFor(dependencies, { input, campaign, signal });
  if ('refused' in accepted) return { ok: false, ...accepted.refused };
  const problem = foreignCredential(dependencies, accepted);
  if (problem !== null) return { ok: false, label: 'rejected_static', detail: problem };
  return await accept(dependencies, input.experimentId, accepted);
};

/** Our own generators know no credential: a value of the environment that stands in what they write is a word of theirs. */
const foreignCredential = (
  { credentialProblem }: Pick<ResearchDependencies, 'credentialProblem'>,
  { draft, program }: Pick<Accepted, 'draft' | 'program'>,
): string | null => (draft.author === 'baseline' || draft.author === 'evolver' ? null : credentialProblem(program));

interface Task {
  readonly input: ExperimentInput;
  readonly campaign: Campaign;
  readonly signal: AbortSignal;
}

const draftFor = async (dependencies: Research, task: Task): Promise<Accepted | Refusal> => {
  const { origin } = task.input;
  if (origin.kind === 'candidate') return await draftCandidate(dependencies, task);
  const name = origin.kind === 'baseline' ? origin.baseline : origin.start;
  if (isBaseline(name)) return await writeBaseline(dependencies, name, task.signal);
  return await readStart(name);
};

const isBaseline = (name: string): name is BaselineName => (baselineNames as readonly string[]).includes(name);

const writeBaseline = async (dependencies: Research, name: BaselineName, signal: AbortSignal): Promise<Accepted> => {
  const draft = baselineDraft(name);
  return { draft, program: await programOf(dependencies, draft, signal), embeddings: null, lineage: noLineage };
};

const baselineDraft = (name: BaselineName): Draft => ({
  name,
  motivation: `The published architecture ${name}, trained and scored here like every candidate.`,
  expectedEffect: 'Shows what is known, and what seeds alone do.',
  changes: [],
  author: 'baseline',
  operator: 'baseline',
  genome: baselineGenomes[name],
});

/** Without a signal nobody can call it off: what is written then serves every campaign. */
const programOf = async (
  { engineer }: ResearchDependencies,
  draft: Draft,
  signal = new AbortController().signal,
): Promise<string> => (await engineer.write(draft, signal)).program;

/** A user's own mixer file. It has no genome, so the evolver cannot change it; it is trained, compared and exported all the same. */
const readStart = async (path: string): Promise<Accepted> => {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw infra(`the mixer file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  // A byte order mark at its beginning is left out, as where the gates read a file: the text is what is hashed and stored.
  const program = new TextDecoder().decode(bytes);
  return {
    draft: {
      name: basename(path, '.py').slice(0, 80) || 'mixer',
      motivation: `A mixer file given by a person: ${basename(path)}.`,
      expectedEffect: 'Not stated.',
      changes: [],
      author: 'user',
      operator: 'user',
      genome: null,
    },
    program,
    embeddings: null,
    lineage: noLineage,
  };
};

const draftCandidate = async (dependencies: Research, { input, campaign, signal }: Task): Promise<Accepted | Refusal> => {
  const { archive, researcher, engineer } = dependencies;
  const others = await dependencies.history.of(campaign.id, input.experimentId);
  const byId = new Map(others.map((other) => [other.id, other]));
  const history = others.map(({ relative }) => relative);
  const pool = (await archive.getPool(campaign.id)) ?? { version: 0, entries: [] };
  const drawn = draw({ campaign, input, pool, others });
  const drawnParent = drawn.parentId === null ? undefined : byId.get(drawn.parentId);
  const parent = drawnParent?.relative ?? null;
  const references = drawn.referenceIds.flatMap((id) => byId.get(id)?.relative ?? []);
  const lineage = {
    arm: drawn.arm,
    parentId: parent?.id ?? null,
    referenceIds: references.map(({ id }) => id),
    ancestors: drawnParent === undefined ? [] : [...drawnParent.ancestors, drawnParent.id],
    poolVersion: pool.version,
  };
  const refused: RefusedDraft[] = [];
  for (let attempt = 0; attempt < maxDrafts; attempt++) {
    const draft = await researcher.propose(
      {
        experimentId: input.experimentId,
        number: input.number,
        seed: campaign.settings.seed,
        arm: drawn.arm,
        parent,
        references,
        history,
        hints: input.hints,
        refused,
      },
      signal,
    );
    if (isRefusal(draft)) return draft;
    const { program } = await engineer.write(draft, signal);
    const verdict = await dependencies.novelty.judge({ draft, program, scope: campaign.id, history });
    if (verdict.verdict === 'new') return { draft, program, embeddings: verdict.embeddings, lineage };
    refused.push({ draft, reason: verdict.reason });
  }
  return {
    refused: {
      label: 'duplicate',
      detail: `${maxDrafts} drafts in a row repeat what the archive holds; the last: ${refused.at(-1)?.reason ?? ''}`,
    },
  };
};

const draw = ({
  campaign,
  input,
  pool,
  others,
}: {
  campaign: Campaign;
  input: ExperimentInput;
  pool: Parameters<typeof drawParents>[0]['pool'];
  others: readonly PastExperiment[];
}) => {
  const { settings } = campaign;
  const withGenome = new Set(others.filter(({ relative }) => relative.genome !== null).map(({ id }) => id));
  const starts = others.filter(({ id, kind, state }) => kind !== 'candidate' && state === 'recorded' && withGenome.has(id));
  return drawParents({
    policy: settings.policy,
    pool: { ...pool, entries: pool.entries.filter((entry) => withGenome.has(entry.experimentId)) },
    starts: starts.map(({ id }) => id),
    candidatesStarted: input.number - settings.baselines.length - settings.starts.length - 1,
    coldStart: settings.coldStart,
    controlShare: settings.controlShare,
    random: createRandom(`${settings.seed}/${input.number}/parents`),
  });
};

const accept = async (dependencies: Research, experimentId: string, accepted: Accepted): Promise<ProposeResult> => {
  const { archive, artifacts } = dependencies;
  const hash = await artifacts.put(accepted.program);
  const { genome } = accepted.draft;
  const knownAs = await dependencies.baselines.nameOf({ genome, program: accepted.program });
  // First the vectors: a retry after a crash between the two writes them again, and a stored proposal is never without.
  if (accepted.embeddings !== null) {
    await rememberArchitecture({
      vectors: dependencies.vectors,
      scope: campaignOf(experimentId),
      id: experimentId,
      embeddings: accepted.embeddings,
    });
  }
  const written = await changeExperiment(archive, experimentId, (current) =>
    current.proposal !== null
      ? null
      : {
          ...accepted.lineage,
          state: 'proposed',
          proposal: accepted.draft,
          architecture: { hash, genome, knownAs, kernels: [], sizes: null },
        },
  );
  if (written.proposal === null) return refusedResult(written.failure);
  return proposed(written.proposal);
};

const repair = async (
  dependencies: Research,
  request: Parameters<ResearchActivities['repairExperiment']>[0],
  signal: AbortSignal,
): Promise<ProposeResult> => {
  const { archive, artifacts, engineer } = dependencies;
  const experiment = await requireExperiment(archive, request.experimentId);
  const { proposal, architecture } = experiment;
  if (proposal === null || architecture === null) throw infra(`experiment ${experiment.id} has nothing to repair`);
  // A retry after the repair was written finds a program that no attempt has refused.
  if (!experiment.attempts.some((attempt) => attempt.hash === architecture.hash)) return proposed(proposal);
  const campaign = await requireCampaign(archive, experiment.campaignId);
  const history = (await dependencies.history.of(campaign.id, experiment.id)).map(({ relative }) => relative);
  const refused = experiment.attempts.map((attempt) => ({
    draft: attempt.proposal ?? proposal,
    reason: `${attempt.failure.label}: ${attempt.failure.detail}`,
  }));
  const draft = await engineer.repair(
    {
      draft: proposal,
      failure: { label: request.label, detail: request.detail },
      gates: experiment.gates,
      attempt: request.attempt,
      seed: campaign.settings.seed,
      history,
      refused,
    },
    signal,
  );
  if (draft === null) return { ok: false, label: request.label, detail: request.detail };
  const { program } = await engineer.write(draft, signal);
  const problem = foreignCredential(dependencies, { draft, program });
  if (problem !== null) return { ok: false, label: 'rejected_static', detail: problem };
  const hash = await artifacts.put(program);
  const { genome } = draft;
  const knownAs = await dependencies.baselines.nameOf({ genome, program });
  await changeExperiment(archive, experiment.id, () => ({
    proposal: draft,
    architecture: { hash, genome, knownAs, kernels: [], sizes: null },
  }));
  // The novelty of a repair is the engineer's care; its vectors replace those of the program that was refused.
  const verdict = await dependencies.novelty.judge({ draft, program, scope: campaign.id, history });
  if (verdict.verdict === 'new') {
    await rememberArchitecture({
      vectors: dependencies.vectors,
      scope: campaign.id,
      id: experiment.id,
      embeddings: verdict.embeddings,
    });
  }
  return proposed(draft);
};

const proposed = (draft: Draft): ProposeResult => ({
  ok: true,
  name: draft.name,
  summary:
    draft.changes.length === 0
      ? draft.motivation.slice(0, 500)
      : draft.changes
          .map(({ gene, from, to }) => `${gene}: ${from} → ${to}`)
          .join('; ')
          .slice(0, 500),
});

const refusedResult = (failure: Failure | null): ProposeResult => ({
  ok: false,
  label: failure?.label ?? 'cancelled',
  detail: failure?.detail ?? 'the experiment has ended already',
});
