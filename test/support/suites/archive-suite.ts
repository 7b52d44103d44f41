import { describe } from 'vitest';
import { auditTests } from './archive/audits.ts';
import { campaignTests } from './archive/campaigns.ts';
import { concurrencyTests } from './archive/concurrency.ts';
import { experimentTests } from './archive/experiments.ts';
import type { CreateStore } from './archive/harness.ts';
import { ledgerTests } from './archive/ledger.ts';
import { lineageTests } from './archive/lineage.ts';
import { severalRungsTests } from './archive/several-rungs.ts';
import { trialTests } from './archive/trials.ts';

/** What every Archive must do, whatever stores it. `create` makes an empty store each time. */
export const archiveSuite = (name: string, create: CreateStore): void => {
  describe(`${name} as an archive`, () => {
    campaignTests(create);
    experimentTests(create);
    lineageTests(create);
    trialTests(create);
    severalRungsTests(create);
    auditTests(create);
    ledgerTests(create);
    concurrencyTests(create);
  });
};
