import { describe, expect, it } from 'vitest';
import { settingsInForce } from '../../../workflows/contracts/campaign.ts';
import { presets } from '../../../workflows/contracts/settings.ts';
import { aCampaign } from '../../support/builders.ts';
import { discoveryOn } from '../../support/discovery-on.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const opened = async () => {
  const { archive, activities } = discoveryOn(temporaryFolder());
  await archive.createCampaign(aCampaign());
  const read = async () => {
    const campaign = await archive.getCampaign('c-test');
    if (campaign === null) throw new Error('the campaign is gone');
    return campaign;
  };
  return { activities, read };
};
const { experiments, minutes, trialSeconds } = presets.tiny;

describe('a budget that is changed', () => {
  it('leaves what was asked for as it was and is recorded with its time', async () => {
    const { activities, read } = await opened();
    await activities.setBudget({ campaignId: 'c-test', change: { minutes: minutes + 5 } });
    await activities.setBudget({ campaignId: 'c-test', change: { experiments: experiments + 1 } });
    const campaign = await read();
    expect(campaign.settings).toEqual(presets.tiny);
    const at = '2026-01-02T03:04:05.000Z';
    expect(campaign.budgetChanges).toEqual([
      { at, caps: { experiments, minutes: minutes + 5, trialSeconds } },
      { at, caps: { experiments: experiments + 1, minutes: minutes + 5, trialSeconds } },
    ]);
    expect(settingsInForce(campaign)).toEqual({ ...presets.tiny, experiments: experiments + 1, minutes: minutes + 5 });
  });

  it('is recorded once, however often its activity runs', async () => {
    const { activities, read } = await opened();
    for (let count = 0; count < 3; count++)
      await activities.setBudget({ campaignId: 'c-test', change: { experiments, minutes: 99, trialSeconds } });
    expect((await read()).budgetChanges).toHaveLength(1);
  });

  it('back to what was asked for is a change too', async () => {
    const { activities, read } = await opened();
    await activities.setBudget({ campaignId: 'c-test', change: { minutes: 99 } });
    await activities.setBudget({ campaignId: 'c-test', change: { minutes } });
    const campaign = await read();
    expect(campaign.budgetChanges).toHaveLength(2);
    expect(settingsInForce(campaign)).toEqual(presets.tiny);
  });
});
