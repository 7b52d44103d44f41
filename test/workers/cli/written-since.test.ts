import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withWrittenSince } from '../../../workers/cli/written-since.ts';
import { aConclusion } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

it('what could not be written at the conclusion is named by its path once it is there, and by its reason until then', () => {
  const home = temporaryFolder();
  const bundleFailures = ['c-t/e0003', 'c-t/e0004'].map((experimentId) => ({ experimentId, detail: 'no space left' }));
  const conclusion = aConclusion({ reportPath: null, reportFailure: 'no space left', bundlePaths: [], bundleFailures });
  expect(withWrittenSince(conclusion, { home, campaignId: 'c-t' })).toEqual(conclusion);
  const report = join(home, 'reports', 'c-t.html');
  const bundle = join(home, 'bundles', 'c-t-e0003');
  mkdirSync(join(home, 'reports'));
  mkdirSync(bundle, { recursive: true });
  writeFileSync(report, '<p>');
  const { reportPath, reportFailure, bundlePaths, ...rest } = withWrittenSince(conclusion, { home, campaignId: 'c-t' });
  expect({ reportPath, reportFailure, bundlePaths }).toEqual({
    reportPath: report,
    reportFailure: undefined,
    bundlePaths: [bundle],
  });
  expect(rest.bundleFailures).toEqual(bundleFailures.slice(1));
});
