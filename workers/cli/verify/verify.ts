import { resolve } from 'node:path';
import type { Archive } from '../../../services/archive/archive.ts';
import type { Artifacts } from '../../../services/artifacts/artifacts.ts';
import { checkClaims } from '../../../services/export/bundle-claims.ts';
import type { BundleSource } from '../../../services/export/bundle-source.ts';
import { type BundleProblem, manifestName } from '../../../services/export/manifest.ts';
import { verifyBundle } from '../../../services/export/verify-bundle.ts';
import type { Config } from '../../config.ts';
import { openJudge } from '../../roles/judge.ts';
import type { Rescored, VerifyReport, VerifyStep } from '../../view/verify-lines.ts';
import { badInput } from '../command-error.ts';
import { openHost } from '../gate/check-program.ts';
import { recordStep } from './archive-again.ts';
import { figureStep } from './figures.ts';
import { gateStep } from './gates-again.ts';
import { findHeldOutData } from './held-out-data.ts';
import { type RescoreTools, rescore } from './rescore.ts';
import { checkSeals } from './seals.ts';

export interface VerifyRequest {
  readonly folder: string;
  /** Of our own, empty; for what is written on the way. */
  readonly scratch: string;
  /** Where a user's own text lies on this machine, if a person said so. */
  readonly dataFolder: string | null;
  readonly onStep: (what: string) => void;
}

export interface VerifyStores {
  readonly config: Config;
  /** Null where this home has none. */
  readonly archive: Archive | null;
  readonly artifacts: Artifacts;
}

/** Does again what can be done again of a bundle, a step each. */
export const verify = async (stores: VerifyStores, request: VerifyRequest): Promise<VerifyReport> => {
  const { config, archive } = stores;
  const { folder, scratch, onStep } = request;
  const files = await verifyBundle(folder);
  if (!files.ok) {
    const [first] = files.problems;
    if (first?.problem === 'other-version') throw badInput(`bundle: ${folder}: ${first.file}: ${first.detail}`);
    return { subject: folder, steps: [problemStep('files', files.problems)], scores: [] };
  }
  const { manifest } = files;
  const subject = `${manifest.experimentId} ${manifest.name}  ${folder}`;
  const listed = `${Object.keys(manifest.files).length} files as ${manifestName} says, which is as asi-arch writes it; nothing else is there`;
  const steps: VerifyStep[] = [verified('files', listed)];
  const claims = await checkClaims(folder, manifest, scratch);
  if (!claims.ok) return { subject, steps: [...steps, problemStep('claims', claims.problems)], scores: [] };
  const { source } = claims;
  const { record } = source;
  steps.push(verified('claims', 'every file follows from record.json, program and checkpoint; rows and trials fit each other'));
  steps.push(figureStep(record));
  const judge = openJudge(config);
  // One host for the gates and the scoring: starting one and trying its wall takes longer than most jobs.
  const opened = openHost(config, { slots: 2, read: [resolve(folder)] });
  try {
    onStep('running the gates again');
    steps.push(await gateStep({ config, opened }, folder, source));
    const seals = await checkSeals({ config, judge }, folder, source);
    steps.push(...seals.steps, await recordStep(stores, { manifest, record, scratch, isOurs: seals.genuine > 0 }));
    onStep('scoring again');
    const scored = await scoreStep({ config, archive, judge, opened }, { ...request, source, isSameJudge: seals.isChosenOurs });
    return { subject, steps: [...steps, scored.step], scores: scored.scores };
  } finally {
    await Promise.all([judge.stop(), opened.dispatcher.close()]);
  }
};

const verified = (step: VerifyStep['step'], detail: string): VerifyStep => ({ step, state: 'verified', detail });

const mostProblems = 10;

const problemStep = (step: VerifyStep['step'], problems: readonly BundleProblem[]): VerifyStep => {
  const told = problems.slice(0, mostProblems).map(({ file, problem, detail }) => `${file} is ${problem}: ${detail}`);
  const rest = problems.length - told.length;
  return { step, state: 'mismatch', detail: [...told, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ') };
};

const scoreStep = async (
  { config, archive, judge, opened }: RescoreTools & { readonly archive: Archive | null },
  request: VerifyRequest & { readonly source: BundleSource; readonly isSameJudge: boolean },
): Promise<{ readonly step: VerifyStep; readonly scores: readonly Rescored[] }> => {
  const { source, folder, scratch, isSameJudge } = request;
  const { campaign } = source.record;
  const dataFolder = request.dataFolder ?? (archive === null ? null : await folderOfData(archive, campaign.data.hash));
  const held = await findHeldOutData(config, campaign, dataFolder);
  if (!held.ok) return { step: { step: 'scores', state: held.state, detail: held.why }, scores: [] };
  return rescore({ config, judge, opened }, { folder, scratch, source, data: held.data, isSameJudge });
};

/** Where the text of a campaign of this home lies; null where none had that text. */
const folderOfData = async (archive: Archive, hash: string): Promise<string | null> => {
  const campaign = (await archive.listCampaigns()).find(({ data }) => data.hash === hash);
  return campaign?.data.source.kind === 'folder' ? campaign.data.source.path : null;
};
