import { statSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFolder } from '../../services/export/export-bundle.ts';
import { manifestName } from '../../services/export/manifest.ts';
import type { Campaign } from '../../workflows/contracts/campaign.ts';

/**
 * The conclusion with the paths of what could not be written when it was drawn and has been written since, by asi report and asi export: a plain
 * file that is newer than the campaign's end, and for a bundle its manifest. What stands in the way is neither.
 */
export const withWrittenSince = (
  { id, finishedAt, conclusion }: Pick<Campaign, 'id' | 'finishedAt' | 'conclusion'>,
  home: string,
): Campaign['conclusion'] => {
  if (conclusion === null || finishedAt === null) return conclusion;
  const { reportPath, reportFailure, bundlePaths, bundleFailures = [], ...rest } = conclusion;
  const isNewer = (path: string): boolean => isWrittenAfter(path, Date.parse(finishedAt));
  const report = join(home, 'reports', `${id}.html`);
  const isReported = reportFailure !== undefined && isNewer(report);
  const folderOf = (experimentId: string): string => bundleFolder(join(home, 'bundles'), experimentId);
  const open = bundleFailures.filter(({ experimentId }) => !isNewer(join(folderOf(experimentId), manifestName)));
  const since = bundleFailures.filter((failure) => !open.includes(failure)).map(({ experimentId }) => folderOf(experimentId));
  return {
    ...rest,
    reportPath: isReported ? report : reportPath,
    ...(reportFailure === undefined || isReported ? {} : { reportFailure }),
    bundlePaths: [...bundlePaths, ...since],
    ...(open.length === 0 ? {} : { bundleFailures: open }),
  };
};

const isWrittenAfter = (path: string, ms: number): boolean => {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts?.isFile() === true && facts.mtimeMs >= ms;
};
