import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PythonTools } from '../../services/python/tools.ts';
import { readStandings } from '../../workers/cli/read-standings.ts';
import { baselineGenomes } from '../../workflows/contracts/baselines.ts';
import { taskQueues, workflowTypes } from '../../workflows/contracts/messages.ts';
import { rootMessage } from '../../workflows/rules/root-failure.ts';
import { type Loop, startLoop } from '../support/loop.ts';

// The host of this loop has no sandbox, as a Mac has none.
let loop: Loop;
let mine: string;
let copy: string;
let copied: string;

beforeAll(async () => {
  loop = await startLoop({ unsandboxed: ['c-named', 'c-copied'], secrets: [{ name: 'DB_PASSWORD', value: 'deltanet' }] });
  // In the loop's own home, which goes with it.
  mine = join(loop.config.home, 'mine.py');
  copy = join(loop.config.home, 'copy.py');
  writeFileSync(mine, 'class Mixer:\n    """A mixer of a person; the instant host runs nothing of it."""\n');
  const tools = new PythonTools({ python: loop.config.python });
  const gla = await tools.emit(baselineGenomes.gla, 'my discovery', 'It came to me in a dream.');
  copied = `# all mine\n${gla}`;
  // As some editors write it.
  writeFileSync(copy, `\uFEFF${copied}`);
  await tools.close();
}, 120_000);
afterAll(() => loop?.stop(), 60_000);

const run = async (workflowId: string, input: object) => {
  const preset = { preset: 'tiny', experiments: 0, minutes: 5, finalists: 1, baselines: ['deltanet'] };
  const handle = await loop.client.workflow.start(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId,
    args: [{ ...preset, ...input }],
  });
  await handle.result();
  const campaign = await loop.archive.getCampaign(workflowId);
  if (campaign === null) throw new Error(`${workflowId} left no record`);
  return { campaign, experiments: await loop.archive.listExperiments(workflowId) };
};

describe('programs that are not ours, on a machine without a sandbox', { timeout: 120_000 }, () => {
  it('are refused by a name and a remedy where the operator did not name the campaign; the rest goes on', async () => {
    const { campaign, experiments } = await run('c-unnamed', { starts: [mine], experiments: 1 });
    const start = experiments.find(({ kind }) => kind === 'start');
    expect(start).toMatchObject({ state: 'failed', failure: { label: 'sandbox_unavailable', stage: 'check' } });
    expect(start?.failure?.detail).toContain('a mixer file of a person needs sandbox tier S0P and this machine has none');
    expect(start?.failure?.detail).toContain('--id c-unnamed under ASI_ALLOW_UNSANDBOXED=c-unnamed');
    expect(await loop.archive.listTrials({ experimentId: start?.id ?? '' })).toEqual([]);
    expect(experiments.filter(({ state }) => state === 'recorded')).toHaveLength(2);
    expect(campaign.state).toBe('finished');
  });

  it('run where it was named, and are marked, unranked and never better', async () => {
    const { campaign, experiments } = await run('c-named', { starts: [mine] });
    const start = experiments.find(({ kind }) => kind === 'start');
    expect(start).toMatchObject({
      state: 'recorded',
      fitness: { sandboxTier: 'none' },
      verdict: { verdict: 'unsandboxed', sandboxTier: 'none' },
    });
    expect(campaign.conclusion).toMatchObject({ verdict: 'nothing-found' });
    expect(campaign.conclusion?.statement).toContain('scored without a sandbox');
    const standings = await readStandings(loop.archive, campaign);
    expect(standings.map(({ isUnwalled, isRanked }) => ({ isUnwalled, isRanked }))).toEqual([
      { isUnwalled: true, isRanked: false },
      { isUnwalled: true, isRanked: false },
    ]);
  });

  it('leave a campaign of our own programs ranked and judged, marked all the same', async () => {
    const { campaign, experiments } = await run('c-ours', { experiments: 2 });
    const candidate = experiments.find(({ verdict }) => verdict !== null);
    expect(candidate?.verdict?.sandboxTier).toBe('none');
    expect(['better', 'worse', 'not-distinguishable']).toContain(candidate?.verdict?.verdict);
    const standings = await readStandings(loop.archive, campaign);
    expect(standings.every(({ isUnwalled, isRanked }) => isUnwalled && isRanked)).toBe(true);
  });
});

describe('a secret of the environment that is a word of ours', { timeout: 120_000 }, () => {
  it('ends no campaign: what our generators wrote is not asked for credentials', async () => {
    const { campaign, experiments } = await run('c-unlucky', { experiments: 1 });
    expect(campaign.state).toBe('finished');
    expect(experiments.map(({ state }) => state)).toEqual(['recorded', 'recorded']);
    expect(experiments[0]?.proposal?.name).toBe('deltanet');
  });

  it('is taken for one in a file of a person', async () => {
    const telling = join(loop.config.home, 'telling.py');
    writeFileSync(telling, 'class Mixer:\n    """Like deltanet."""\n');
    const end: unknown = await run('c-telling', { starts: [telling] }).catch((error: unknown) => error);
    if (!(end instanceof Error)) throw new Error('it was taken');
    expect(rootMessage(end)).toContain('line 2 of the program holds a credential (value of DB_PASSWORD)');
  });
});

describe('a known baseline among the finalists', { timeout: 120_000 }, () => {
  it('is called by its name, whatever it scores and whether or not the campaign runs it', async () => {
    const { campaign, experiments } = await run('c-listed', { starts: ['gla'] });
    const start = experiments.find(({ kind }) => kind === 'start');
    expect(start).toMatchObject({
      architecture: { knownAs: 'gla' },
      verdict: { verdict: 'known-baseline', against: 'gla' },
    });
    expect(campaign.conclusion?.verdict).toBe('nothing-found');
    // One look, and no champion set: nothing that is measured could make it a discovery.
    const seeds = (await loop.archive.listTrials({ experimentId: start?.id ?? '' })).filter(
      ({ purpose }) => purpose === 'confirm',
    );
    expect(seeds).toHaveLength(campaign.settings.confirmSeeds);
  });

  it('is found in a file of a person by its program', async () => {
    const { experiments } = await run('c-copied', { starts: [copy] });
    const start = experiments.find(({ kind }) => kind === 'start');
    expect(start).toMatchObject({
      proposal: { author: 'user', genome: null },
      architecture: { knownAs: 'gla', hash: createHash('sha256').update(copied).digest('hex') },
      verdict: { verdict: 'known-baseline', against: 'gla' },
    });
  });

  it('gives its place to a candidate that may be a discovery', async () => {
    const { experiments } = await run('c-both', { starts: ['gla', 'kda'], experiments: 1 });
    const judged = experiments.filter(({ verdict }) => verdict !== null);
    expect(judged.map(({ kind }) => kind)).toEqual(['candidate']);
  });
});
