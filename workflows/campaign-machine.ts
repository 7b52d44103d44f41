import { condition, patched } from '@temporalio/workflow';
import { checks } from './activity-proxies.ts';
import { recordMessages, show } from './campaign-progress.ts';
import type { CampaignRun } from './campaign-state.ts';
import type { MachineFacts } from './contracts/activities.ts';
import { waitingStage } from './contracts/messages.ts';

/** One activity waits so long at most, so that restarts of its worker do not use up its attempts. */
const waitMs = 3_600_000;

/**
 * Ends the campaign before anything is trained where Python does not start, and waits where the sandbox is weaker than it asks for. Each of its
 * programs would meet the same, in an activity of a child that nobody looks at. Waiting uses up no minutes.
 */
export async function awaitMachine(run: CampaignRun): Promise<void> {
  // Campaigns of the version before go on without it.
  if (!patched('read-machine')) return;
  let machine = await readMachine(run, 0);
  for (; machine.waitsFor !== null; machine = await waitForMachine(run)) {
    run.stage = waitingStage;
    run.notices = [machine.waitsFor, ...slotNotices(run, machine)];
    show(run);
  }
  run.notices = slotNotices(run, machine);
}

const readMachine = (run: CampaignRun, longestMs: number): Promise<MachineFacts> =>
  checks.readMachine.executeWithOptions({ summary: 'Python, sandbox and slots of this machine' }, [
    { campaignId: run.campaignId, waitMs: longestMs },
  ]);

async function waitForMachine(run: CampaignRun): Promise<MachineFacts> {
  let isAnswered = false;
  const answer = readMachine(run, waitMs).finally(() => {
    isAnswered = true;
  });
  // Awaited below; until then a rejection is nobody's.
  answer.catch(() => undefined);
  while (!isAnswered) {
    const sinceMs = Date.now();
    const { paused } = run;
    await condition(() => isAnswered || run.changes > run.handledChanges);
    if (!paused) run.pausedMs += Date.now() - sinceMs;
    run.handledChanges = run.changes;
    await recordMessages(run);
    show(run);
  }
  return await answer;
}

const slotNotices = (run: CampaignRun, { slots }: MachineFacts): readonly string[] => {
  const asked = run.requirePlan().settings.slots;
  if (asked <= slots) return [];
  return [
    `${asked} slots were asked for and this machine trains ${slots} at a time; ASI_SLOTS=${asked} npm start would give it more`,
  ];
};
