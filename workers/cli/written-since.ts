import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFolder } from '../../services/export/export-bundle.ts';
import type { Conclusion } from '../../workflows/contracts/campaign.ts';

/** The conclusion with the paths of what could not be written when it was drawn and has been written since, by asi report and asi export. */
export const withWrittenSince = (
  conclusion: Conclusion,
  { home, campaignId }: { home: string; campaignId: string },
): Conclusion => {
  const { reportPath, reportFailure, bundlePaths, bundleFailures = [], ...rest } = conclusion;
  const report = join(home, 'reports', `${campaignId}.html`);
  const isReported = reportFailure !== undefined && existsSync(report);
  const folderOf = (experimentId: string): string => bundleFolder(join(home, 'bundles'), experimentId);
  const open = bundleFailures.filter(({ experimentId }) => !existsSync(folderOf(experimentId)));
  const since = bundleFailures.filter((failure) => !open.includes(failure)).map(({ experimentId }) => folderOf(experimentId));
  return {
    ...rest,
    reportPath: isReported ? report : reportPath,
    ...(reportFailure === undefined || isReported ? {} : { reportFailure }),
    bundlePaths: [...bundlePaths, ...since],
    ...(open.length === 0 ? {} : { bundleFailures: open }),
  };
};
