import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkerOptions } from '@temporalio/worker';
import type { Archive } from '../../services/archive/archive.ts';
import { redactingArchive } from '../../services/archive/redacting-archive.ts';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import { openFolderArtifacts } from '../../services/artifacts/folder-artifacts.ts';
import { InProcessDispatcher } from '../../services/dispatch/in-process-dispatcher.ts';
import type { JobRunner } from '../../services/dispatch/job-runner.ts';
import { localEmbedder } from '../../services/embed/local-embedder.ts';
import { Evolver } from '../../services/evolver/evolver.ts';
import { EvolverEngineer } from '../../services/evolver/evolver-engineer.ts';
import type { Judge } from '../../services/judge/judge.ts';
import { openOutageLog } from '../../services/outages/outage-log.ts';
import { type HostFacts, type HostFolders, PythonHost } from '../../services/python/host.ts';
import { PythonTools } from '../../services/python/tools.ts';
import { makeFolder } from '../../services/storage/make-folder.ts';
import { openSqliteVectors } from '../../services/vectors/sqlite-vectors.ts';
import type { ExperimentInput } from '../../workflows/contracts/activities.ts';
import { baselineGenomes } from '../../workflows/contracts/baselines.ts';
import { taskQueues } from '../../workflows/contracts/messages.ts';
import type { OutageProcess } from '../../workflows/contracts/outage.ts';
import { redactor } from '../../workflows/rules/secrets.ts';
import { createCheckActivities } from '../activities/checks.ts';
import { credentialProblem } from '../activities/credentials.ts';
import { createDiscoveryActivities } from '../activities/discovery.ts';
import { createResearchActivities } from '../activities/research.ts';
import { sweepWork } from '../activities/sweep-work.ts';
import { createTrainingActivities } from '../activities/training.ts';
import { TrialPeers } from '../activities/trial-peers.ts';
import { withSpans } from '../bench/spans.ts';
import { type Config, checkoutFolder, workFolder } from '../config.ts';
import { openJudge } from './judge.ts';
import type { Role } from './role.ts';
import { readScoreLists } from './score-lists.ts';
import { versionsOf } from './versions.ts';

export interface OpenedRole {
  readonly worker: Pick<
    WorkerOptions,
    'activities' | 'taskQueue' | 'workflowsPath' | 'maxConcurrentActivityTaskExecutions' | 'maxCachedWorkflows'
  >;
  close(): Promise<void>;
}

/** Runs Python jobs: the real host, or an instant one in benchmarks of the loop. */
export type Host = JobRunner & { start(): Promise<HostFacts> };

type OnBreak = (reason: string) => void;
type CreateHost = (onBreak: OnBreak) => Host;
type CreateJudge = (onBreak: OnBreak) => Judge;

/** Opens what a role needs and nothing else. */
export const openRole = async (
  role: Role,
  config: Config,
  createHost: CreateHost = (onBreak) => new PythonHost({ python: config.python, folders: hostFolders(config), onBreak }),
  createJudge: CreateJudge = (onBreak) => openJudge(config, onBreak),
): Promise<OpenedRole> => openers[role](config, createHost, createJudge);

/** All that a host and the jobs in it have to do with of this machine's state. */
const hostFolders = (config: Config): HostFolders => ({ work: [workFolder(config)], read: [join(config.home, 'data')] });

/** Importing torch and trying the wall take seconds: while the other workers start, and not when the first job waits. A failure shows at the first use. */
const startEarly = (host: Host): Host => {
  void host.start().catch(() => undefined);
  return host;
};

/** Into the log of breaks, from where it comes onto the pages of running campaigns. */
const onBreak =
  (config: Config, process: OutageProcess): OnBreak =>
  (reason) => {
    const lastWords = redactor(config.secrets)(reason).replace(/\s+/g, ' ').trim().slice(-longestWords);
    try {
      makeFolder(join(config.home, 'logs'));
      openOutageLog(outagesPath(config)).append({ at: now().toISOString(), process, lastWords });
    } catch (error) {
      // A full disk must not end a worker that can go on; its own log has it then.
      globalThis.process.stderr.write(`${process} broke (${lastWords}), which cannot be written down: ${String(error)}\n`);
    }
  };
const longestWords = 300;

const now = (): Date => new Date();
const archivePath = (config: Config): string => join(config.home, 'archive.db');
const outagesPath = (config: Config): string => join(config.home, 'logs', 'outages.jsonl');
/** Whatever a worker writes into the record goes through here. */
const openArchive = (config: Config): Archive =>
  redactingArchive(openSqliteArchive(archivePath(config)), redactor(config.secrets));
const artifactsFolder = (config: Config): string => join(config.home, 'artifacts');

const openers: Readonly<Record<Role, (config: Config, createHost: CreateHost, createJudge: CreateJudge) => Promise<OpenedRole>>> =
  {
    async orchestrator(config, _createHost, createJudge) {
      const archive = openArchive(config);
      const artifacts = openFolderArtifacts(artifactsFolder(config));
      return {
        worker: {
          taskQueue: taskQueues.discovery,
          workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
          maxCachedWorkflows: 150,
          // Judging a baseline waits for the other baselines and holds a place meanwhile.
          maxConcurrentActivityTaskExecutions: 200,
          activities: {
            ...createDiscoveryActivities({
              archive,
              artifacts,
              python: config.python,
              workFolder: workFolder(config),
              dataFolder: join(config.home, 'data'),
              judgeFolder: join(config.home, 'judge'),
              credentialProblem: credentialProblem(config.secrets),
              reportsFolder: join(config.home, 'reports'),
              bundlesFolder: join(config.home, 'bundles'),
              scoreLists: (ids) => readScoreLists(config, ids, () => createJudge(onBreak(config, 'judge'))),
              outages: (since) => openOutageLog(outagesPath(config)).since(since),
              versions: versionsOf(config.python),
              now,
            }),
          },
        },
        close: () => archive.close(),
      };
    },

    async agents(config) {
      const archive = openArchive(config);
      const vectors = openSqliteVectors(join(config.home, 'vectors.db'));
      const tools = new PythonTools({ python: config.python });
      // Apart from the one that writes programs: loading the embedding model takes seconds, and the baselines' programs must not wait for it.
      const embedder = localEmbedder(new PythonTools({ python: config.python }));
      let isWarm = false;
      const research = createResearchActivities({
        archive,
        artifacts: openFolderArtifacts(artifactsFolder(config)),
        vectors,
        embedder,
        researcher: new Evolver(),
        engineer: new EvolverEngineer(tools),
        credentialProblem: credentialProblem(config.secrets),
        now,
      });
      return {
        worker: {
          taskQueue: taskQueues.agents,
          maxConcurrentActivityTaskExecutions: 10,
          activities: {
            ...research,
            proposeExperiment: (input: ExperimentInput) => {
              // It loads while the baselines train: at the start of the worker it would keep the hosts of the other workers from starting. A
              // failure shows at the first use.
              if (!isWarm) void embedder.embed(['warm up']).catch(() => undefined);
              isWarm = true;
              return research.proposeExperiment(input);
            },
          },
        },
        close: async () => {
          await embedder.close();
          await tools.close();
          await vectors.close();
          await archive.close();
        },
      };
    },

    async checker(config, createHost) {
      const archive = openArchive(config);
      const tools = new PythonTools({ python: config.python });
      const host = startEarly(createHost(onBreak(config, 'checker host')));
      const dispatcher = new InProcessDispatcher({ slots: 1, runner: host, redact: redactor(config.secrets) });
      return {
        worker: {
          taskQueue: taskQueues.checks,
          maxConcurrentActivityTaskExecutions: 50,
          activities: {
            ...createCheckActivities({
              archive,
              artifacts: openFolderArtifacts(artifactsFolder(config)),
              dispatcher,
              hostFacts: () => host.start(),
              slots: config.slots,
              now,
              unsandboxed: config.unsandboxed,
              baselineProgram: (name) => tools.emit(baselineGenomes[name], name, `The baseline ${name}.`),
              workFolder: workFolder(config),
              wallSeconds: config.checkSeconds,
              controlsFolder: join(checkoutFolder, 'kernels', 'asi_kernels', 'controls'),
            }),
          },
        },
        close: async () => {
          await dispatcher.close();
          await tools.close();
          await archive.close();
        },
      };
    },

    async trainer(config, createHost, createJudge) {
      const archive = openArchive(config);
      const created = createHost(onBreak(config, 'trainer host'));
      const host = startEarly(config.spansPath === null ? created : withSpans(created, config.spansPath));
      const judge = createJudge(onBreak(config, 'judge'));
      const dispatcher = new InProcessDispatcher({ slots: config.slots, runner: host, redact: redactor(config.secrets) });
      // A folder that cannot be removed keeps nobody from training.
      await sweepWork({ archive, workFolder: workFolder(config) }).catch((error: unknown) => {
        process.stderr.write(`work folders of ended campaigns stay below ${workFolder(config)}: ${String(error)}\n`);
      });
      return {
        worker: {
          taskQueue: taskQueues.training,
          // Waiting for a slot holds an activity but no core.
          maxConcurrentActivityTaskExecutions: 500,
          activities: {
            ...createTrainingActivities({
              archive,
              artifacts: openFolderArtifacts(artifactsFolder(config)),
              dispatcher,
              hostFacts: () => host.start(),
              unsandboxed: config.unsandboxed,
              judge,
              peers: new TrialPeers(archive),
              workFolder: workFolder(config),
              idleSeconds: config.idleSeconds,
              now,
            }),
          },
        },
        close: async () => {
          await dispatcher.close();
          await judge.stop();
          await archive.close();
        },
      };
    },
  };
