import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withWrittenSince } from '../../../workers/cli/written-since.ts';
import { aCampaign, aConclusion } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

it('what could not be written at the conclusion is named by its path once it is there, and by its reason until then', () => {
  const home = temporaryFolder();
  const bundleFailures = ['c-test/e0003', 'c-test/e0004'].map((experimentId) => ({ experimentId, detail: 'no space left' }));
  const conclusion = aConclusion({ reportPath: null, reportFailure: 'no space left', bundlePaths: [], bundleFailures });
  const campaign = aCampaign({ state: 'finished', conclusion, finishedAt: new Date().toISOString() });
  const report = join(home, 'reports', 'c-test.html');
  const bundle = join(home, 'bundles', 'c-test-e0003');
  expect(withWrittenSince(campaign, home)).toEqual(conclusion);
  // What stands in the way: folders, and a report from before the end.
  mkdirSync(report, { recursive: true });
  mkdirSync(bundle, { recursive: true });
  expect(withWrittenSince(campaign, home)).toEqual(conclusion);
  rmSync(report, { recursive: true });
  writeFileSync(report, '<p>');
  utimesSync(report, 1, 1);
  expect(withWrittenSince(campaign, home)).toEqual(conclusion);
  const later = Date.now() / 1000 + 60;
  utimesSync(report, later, later);
  writeFileSync(join(bundle, 'manifest.json'), '{}');
  utimesSync(join(bundle, 'manifest.json'), later, later);
  const told = withWrittenSince(campaign, home);
  expect(told).toMatchObject({ reportPath: report, bundlePaths: [bundle], bundleFailures: bundleFailures.slice(1) });
  expect(told?.reportFailure).toBeUndefined();
});
