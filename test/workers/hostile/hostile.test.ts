import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFolderArtifacts } from '../../../services/artifacts/folder-artifacts.ts';
import type { CampaignResult } from '../../../workflows/campaign.ts';
import type { Experiment } from '../../../workflows/contracts/experiment.ts';
import { failureLabels } from '../../../workflows/contracts/failure.ts';
import { taskQueues, workflowTypes } from '../../../workflows/contracts/messages.ts';
import { RealStack } from '../../support/stack.ts';

const programs = fileURLToPath(new URL('../../fixtures/programs', import.meta.url));
const hostile = readdirSync(join(programs, 'hostile'))
  .filter((name) => name.endsWith('.py'))
  .toSorted();
const honest = 'ema.py';
/** One hangs at once, of the other the review reads that it writes a file. */
const endInCheck = ['hang_in_check.py', 'write_elsewhere.py'];
const campaignId = 'c-hostile';
/** A hang is over after so much silence; an honest step of this rung takes milliseconds. */
const stack = new RealStack({ ASI_IDLE_SECONDS: '12', ASI_CHECK_SECONDS: '25' });

let result: CampaignResult;
const ends = new Map<string, Experiment>();

/** The labels that the head of a program names. */
const expectedLabels = (name: string): readonly string[] => {
  const head = readFileSync(join(programs, 'hostile', name), 'utf8').split('\n\n')[0] ?? '';
  const words = new Set(head.match(/[a-z_]+/g));
  // "exit" is an English word too, but no head uses it as one.
  return failureLabels.filter((label) => words.has(label));
};

const endOf = (name: string): Experiment => {
  const experiment = ends.get(name);
  if (experiment === undefined) throw new Error(`no experiment was made of ${name}`);
  return experiment;
};

beforeAll(async () => {
  await stack.start();
  const starts = [...hostile.map((name) => join(programs, 'hostile', name)), join(programs, 'honest', honest)];
  const input = { preset: 'tiny', seed: 5, experiments: 0, baselines: ['deltanet'], exploreSeeds: 1, starts };
  const args = { taskQueue: taskQueues.discovery, workflowId: campaignId, args: [input] };
  result = await stack.client.workflow.execute(workflowTypes.campaign, args);
  for (const experiment of await stack.archive.listExperiments(campaignId, { kinds: ['start'] }))
    ends.set(starts[experiment.number - 2] === undefined ? '' : basename(starts[experiment.number - 2] ?? ''), experiment);
}, 240_000);
afterAll(() => stack.stop(), 60_000);

describe('a campaign with hostile candidates among its starts', () => {
  it('names the expected end of each of them in its file', () => {
    expect(hostile.length).toBeGreaterThanOrEqual(7);
    for (const name of hostile) expect(expectedLabels(name), name).not.toEqual([]);
  });

  it.each(hostile)('records %s with its own label and goes on', (name) => {
    const { state, failure } = endOf(name);
    expect(expectedLabels(name)).toContain(failure?.label);
    expect(state).toBe(endInCheck.includes(name) ? 'rejected' : 'failed');
    expect(failure?.stage).toBe(endInCheck.includes(name) ? 'check' : 'train');
    expect(failure?.detail).not.toBe('');
  });

  it('trains and judges the honest file beside them, and finishes', async () => {
    const { state, fitness, proposal } = endOf(honest);
    expect(state).toBe('recorded');
    expect(fitness).not.toBeNull();
    expect(proposal?.author).toBe('user');
    expect((await stack.archive.getCampaign(campaignId))?.state).toBe('finished');
    expect(result.finalists.map(({ experimentId }) => experimentId)).toEqual([endOf(honest).id]);
  });

  it('keeps no more than the cap of a flood', async () => {
    const [trial] = await stack.archive.listTrials({ experimentId: endOf('flood.py').id });
    const log = trial?.failure?.logArtifact ?? '';
    const kept = await openFolderArtifacts(join(stack.home, 'artifacts')).get(log);
    expect(kept?.length).toBeGreaterThan(0);
    expect(kept?.length).toBeLessThanOrEqual(16_000);
  });

  it('lets nothing be written outside and leaves no work folder of a trial that ended', () => {
    const files = readdirSync(stack.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.filter(({ name }) => name === 'escaped.bin')).toEqual([]);
    expect(existsSync(join(process.cwd(), 'escaped.bin'))).toBe(false);
    expect(files.filter(({ parentPath }) => parentPath.startsWith(join(stack.home, 'work')))).toEqual([]);
  });

  it('holds back no budget and charges the seconds that a failed trial used', async () => {
    const totals = await stack.archive.ledgerTotals(campaignId);
    expect(totals['trial-seconds'].open).toBe(0);
    const trials = await stack.archive.listTrials({ campaignId });
    const used = trials.reduce((sum, trial) => sum + trial.cpuSeconds, 0);
    // Scoring a finalist on the champion set is charged beside its trials.
    expect(totals['trial-seconds'].settled).toBeGreaterThanOrEqual(used - 1e-6);
    expect(totals['trial-seconds'].settled).toBeLessThan(2 * used);
    const hang = trials.find(({ experimentId }) => experimentId === endOf('hang.py').id);
    expect(hang?.cpuSeconds).toBeGreaterThan(1);
  });

  it('leaves no process of a candidate behind', async () => {
    await stack.endSupervisor('SIGTERM');
    expect(stack.members()).toEqual([]);
  });
});
