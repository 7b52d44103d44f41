import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HostFacts, PythonHost } from '../../services/python/host.ts';
import { InstantHost } from '../../workers/bench/instant-host.ts';
import { type CampaignStatus, statusQuery, taskQueues, updateNames, workflowTypes } from '../../workflows/contracts/messages.ts';
import type { SandboxTier } from '../../workflows/contracts/sandbox.ts';
import { type Loop, startLoop } from '../support/loop.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** An instant host on a machine that can change: its sandbox, or whether Python starts at all. */
class ChangingHost extends InstantHost {
  python: PythonHost | null = null;
  /** Tiers of the next starts; the last one stays. */
  tiers: SandboxTier[] = ['none'];

  override async start(): Promise<HostFacts> {
    if (this.python !== null) return await this.python.start();
    const facts = await super.start();
    const tier = (this.tiers.length > 1 ? this.tiers.shift() : this.tiers[0]) ?? 'none';
    return { ...facts, sandbox: { ...facts.sandbox, tier, missing: 'install bubblewrap' } };
  }
}

const host = new ChangingHost({ trainingMs: 30 });
let loop: Loop;

beforeAll(async () => {
  loop = await startLoop({ host });
}, 120_000);
afterAll(() => loop?.stop(), 60_000);
beforeEach(() => {
  host.python = null;
  host.tiers = ['none'];
});

const start = (workflowId: string, input: object) =>
  loop.client.workflow.start(workflowTypes.campaign, {
    taskQueue: taskQueues.discovery,
    workflowId,
    args: [{ preset: 'tiny', experiments: 1, ...input }],
  });
type Started = Awaited<ReturnType<typeof start>>;

const statusOf = (handle: Started) => handle.query<CampaignStatus>(statusQuery);

/** A Python whose host ends at its start, as with a torch that does not load. */
const withoutTorch = (python: string): string => {
  const path = join(temporaryFolder(), 'python');
  const end = `"${python}" -c 'raise ImportError("libtorch_cpu.so: cannot open shared object file")'; exit $?`;
  writeFileSync(path, `#!/bin/sh\ncase "$*" in *asi_kernels.host*) ${end};; esac\nexec "${python}" "$@"\n`);
  chmodSync(path, 0o755);
  return path;
};

describe('a campaign and the machine it runs on', { timeout: 120_000 }, () => {
  it('fails before anything is trained where Python does not start, and says why', async () => {
    host.python = new PythonHost({ python: withoutTorch(loop.config.python) });
    const handle = await start('c-broken', {});
    await expect(handle.result()).rejects.toThrow();
    const campaign = await loop.archive.getCampaign('c-broken');
    expect(campaign).toMatchObject({ state: 'failed', finishedAt: expect.any(String) });
    expect(campaign?.reason).toMatch(
      /^The Python host stopped: python ended with status 1: ImportError: libtorch_cpu\.so: cannot open.*npx asi doctor/,
    );
    expect(await loop.archive.listExperiments('c-broken')).toEqual([]);
  });

  it('says what sandbox it waits for, trains nothing, uses no minutes, and goes on when there is one', async () => {
    host.tiers = ['S0L'];
    const handle = await start('c-walled', { sandbox: 'S1' });
    const notices = async () => (await statusOf(handle)).notices.join();
    await expect.poll(notices, { timeout: 30_000 }).toMatch(/needs sandbox tier S1 and this machine has S0L: install bubblewrap/);
    const details = await handle.describe();
    expect((await statusOf(handle)).stage).toContain('waiting for a sandbox');
    expect(details.status.name).toBe('RUNNING');
    await handle.executeUpdate<CampaignStatus, [unknown]>(updateNames.budget, { args: [{ minutes: 44 }] });
    await expect
      .poll(async () => (await loop.archive.getCampaign('c-walled'))?.budgetChanges?.at(-1)?.caps.minutes, { timeout: 10_000 })
      .toBe(44);
    expect(await loop.archive.listExperiments('c-walled')).toEqual([]);
    const waited = (await statusOf(handle)).budget?.minutes.used ?? Number.NaN;
    expect(waited * 60).toBeLessThan(5);
    host.tiers = ['S1'];
    await handle.result();
    expect((await statusOf(handle)).notices).toEqual([]);
    expect((await loop.archive.getCampaign('c-walled'))?.state).toBe('finished');
  });

  it('keeps a program waiting where the sandbox has become weaker since', async () => {
    // Asked twice before anything begins.
    host.tiers = ['S2', 'S2', 'none'];
    const handle = await start('c-weaker', { sandbox: 'S2', baselines: ['deltanet'] });
    const child = loop.client.workflow.getHandle('c-weaker/e0001');
    const why = async () => {
      const described = await child.describe().catch(() => null);
      return described?.raw.pendingActivities?.[0]?.lastFailure?.message ?? '';
    };
    await expect
      .poll(why, { timeout: 30_000 })
      .toMatch(/^sandbox_unavailable: .* needs sandbox tier S2 and this machine has none/);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect((await loop.archive.getCampaign('c-weaker'))?.state).toBe('cancelled');
    expect(await loop.archive.listTrials({ campaignId: 'c-weaker' })).toEqual([]);
  });

  it('trains no more at a time than its slots, while it calibrates too', async () => {
    host.spans.length = 0;
    await (await start('c-single', { slots: 1 })).result();
    const trainings = host.spans.filter(({ command }) => command === 'train').toSorted((a, b) => a.startedAtMs - b.startedAtMs);
    expect(trainings.length).toBeGreaterThan(5);
    for (const [index, { startedAtMs }] of trainings.slice(1).entries())
      expect(startedAtMs).toBeGreaterThanOrEqual(trainings[index]?.endedAtMs ?? 0);
  });

  it('is told that it asks for more slots than there are', async () => {
    const handle = await start('c-many', { slots: 5 });
    await handle.result();
    expect((await statusOf(handle)).notices).toEqual([
      expect.stringMatching(/^5 slots were asked for and this machine trains 2 at a time; ASI_SLOTS=5/),
    ]);
  });
});
