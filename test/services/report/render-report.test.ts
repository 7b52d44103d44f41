import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { renderReport } from '../../../services/report/render-report.ts';
import { experimentId } from '../../../workflows/contracts/ids.ts';
import type { Score } from '../../../workflows/contracts/score.ts';
import { aCampaign, aConclusion, anExperiment, aScore } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type MadeCampaign, type MadeOptions, makeCampaign, storeCampaign } from './made-campaign.ts';

const render = async (made: MadeCampaign): Promise<string> => {
  const archive = openSqliteArchive(join(temporaryFolder(), 'archive.db'));
  onTestFinished(() => archive.close());
  await storeCampaign(archive, made);
  return await renderReport({ campaignId: made.campaign.id, archive });
};
const page = async (options: MadeOptions) => {
  const made = makeCampaign(options);
  const text = await render(made);
  const { document } = parseHTML(text);
  const textOf = (selector: string): string => document.querySelector(selector)?.textContent ?? '';
  return { made, text, document, textOf };
};

describe('renderReport', () => {
  it.each([0, 1, 10, 200])('is one page that needs nothing else with %s candidates', async (numCandidates) => {
    const { text, document, made } = await page({ numCandidates });
    expect(text).toMatch(/^<!doctype html>/);
    expect(document.querySelectorAll('script, link, iframe, img, object, embed, base, form')).toHaveLength(0);
    expect(text.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:|\/\/[a-z]|url\(|@import|javascript:|\son[a-z]+=/i);
    expect(text).not.toMatch(/NaN|undefined|Infinity|\[object/);
    expect(document.querySelectorAll('#experiments tbody tr')).toHaveLength(4 + numCandidates);
    expect(document.querySelectorAll('section').length).toBe(14);
    expect(made.experiments).toHaveLength(4 + numCandidates);
  });

  it.each([1, 200])('has anchors that all lead somewhere, each once, with %s candidates', async (numCandidates) => {
    const { document } = await page({ numCandidates });
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.getAttribute('id'));
    expect(new Set(ids).size).toBe(ids.length);
    const links = [...document.querySelectorAll('a')].map((element) => element.getAttribute('href') ?? '');
    expect(links.length).toBeGreaterThan(13);
    expect(links.filter((href) => !href.startsWith('#') || !ids.includes(href.slice(1)))).toEqual([]);
  });

  it('says whose bundle could not be written', async () => {
    const made = makeCampaign({ numCandidates: 1 });
    const bundleFailures = [{ experimentId: made.experiments[0]?.id ?? '', detail: 'its checkpoint is gone' }];
    const campaign = { ...made.campaign, conclusion: aConclusion({ bundleFailures }) };
    const { document } = parseHTML(await render({ ...made, campaign }));
    expect(document.querySelector('header')?.textContent).toContain(
      `No bundle of ${made.experiments[0]?.id}: its checkpoint is gone`,
    );
  });

  it('tells what was too good about a result, and what the audit made of it', async () => {
    const made = makeCampaign({ numCandidates: 1 });
    const doubt = {
      metric: 'bits-per-byte',
      reason: 'it gains 2 bits',
      outcome: 'held',
      detail: 'and 1.9 on fresh data',
    } as const;
    const experiments = made.experiments.map((one) => (one.kind === 'candidate' ? { ...one, doubts: [doubt] } : one));
    const { document } = parseHTML(await render({ ...made, experiments }));
    expect(document.querySelector('#experiments')?.textContent).toContain(
      'Too good to be taken at its word. it gains 2 bits; after the audit it held: and 1.9 on fresh data',
    );
  });

  it('says the verdict first, in the words of the conclusion', async () => {
    const found = await page({ numCandidates: 200 });
    expect(found.made.campaign.conclusion?.verdict).toBe('better');
    expect(found.textOf('.verdict')).toBe(`Better than the baselines${found.made.campaign.conclusion?.statement}`);
    expect(found.textOf('#finalists')).toContain('deltanet-fir-gate');
    expect(found.document.querySelectorAll('#finalists tbody tr')).toHaveLength(2);
    const headings = [...found.document.querySelectorAll('#finalists th')].map((one) => one.textContent ?? '');
    const columns = headings.flatMap((heading, index) => (heading.startsWith('Over deltanet') ? [index] : []));
    expect(columns.map((index) => headings[index])).toEqual([
      'Over deltanet, fresh seeds',
      'Over deltanet, exploring (biased upwards)',
    ]);
    const [fresh, explored] = columns.map((index) =>
      Number(
        found.document
          .querySelector(`#finalists tbody tr td:nth-child(${index + 1})`)
          ?.textContent?.match(/[+−-]?[\d.]+/)?.[0]
          .replace('−', '-'),
      ),
    );
    // Selected, and over the same baseline: what was found while exploring is the larger by what luck gave.
    expect(Math.abs((fresh ?? Number.NaN) - (explored ?? Number.NaN))).toBeLessThan(0.2);
    const none = await page({ numCandidates: 1 });
    expect(none.textOf('.verdict')).toMatch(/^Nothing found/);
    expect(none.textOf('#finalists tbody')).toContain('worse');
  });

  it.each(['calibrating', 'exploring', 'verifying', 'paused'] as const)(
    'says of a campaign that is %s that there is no verdict yet',
    async (state) => {
      const { textOf } = await page({ numCandidates: 3, state });
      expect(textOf('.verdict')).toBe(
        `Not finishedThe campaign is ${state}. What follows is what was measured so far; there is no verdict yet.`,
      );
    },
  );

  it.each([
    ['cancelled', 'Cancelled'],
    ['failed', 'Failed'],
  ] as const)('says of a %s campaign why it ended', async (state, heading) => {
    const { textOf } = await page({ numCandidates: 3, state });
    expect(textOf('.verdict')).toBe(`${heading}The campaign ended without a verdict: asked to.`);
  });

  it('works before anything was started', async () => {
    const text = await render({ campaign: aCampaign({ state: 'calibrating' }), experiments: [], trials: [], scores: [] });
    const { document } = parseHTML(text);
    expect([...document.querySelectorAll('.empty')].map((element) => element.textContent)).toContain(
      'No experiment was started.',
    );
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('works while experiments are under way and one has no proposal yet', async () => {
    const made = makeCampaign({ numCandidates: 3, state: 'exploring' });
    const planned = anExperiment({ id: experimentId('c-made', 8), campaignId: 'c-made', number: 8, state: 'planned' });
    const checked = anExperiment({
      id: experimentId('c-made', 9),
      campaignId: 'c-made',
      number: 9,
      state: 'checked',
      parentId: experimentId('c-made', 1),
    });
    const { document } = parseHTML(await render({ ...made, experiments: [...made.experiments, planned, checked] }));
    expect(document.querySelector('#e0008')?.textContent).toContain('experiment 8');
    expect(document.querySelector('#e0009')?.textContent).toContain('checked');
    expect(document.querySelectorAll('#lineage [stroke-dasharray]').length).toBeGreaterThan(1);
  });

  it('shows hostile text of records as text, wherever it comes in', async () => {
    const text = '</title></style><script>alert(1)</script><img src=x onerror=alert(1)>"\'><a href="javascript:alert(1)">&amp;';
    const { document, text: source } = await page({ numCandidates: 12, text: text.slice(0, 80), state: 'finished' });
    expect(document.querySelectorAll('script, img, [onerror]')).toHaveLength(0);
    expect(source).not.toContain('<script');
    expect(source).not.toContain('<img');
    expect(document.querySelector('#e0005')?.textContent).toContain(text.slice(0, 80));
    const long = await page({ numCandidates: 12, text: text.slice(-80) });
    expect([...long.document.querySelectorAll('a')].filter((element) => !element.getAttribute('href')?.startsWith('#'))).toEqual(
      [],
    );
    expect(long.document.querySelector('#e0005')?.textContent).toContain(text.slice(-80));
  });

  it('is the same text for the same records', async () => {
    const first = await page({ numCandidates: 12 });
    const second = await page({ numCandidates: 12 });
    expect(second.text).toBe(first.text);
  });

  it('draws each scored architecture once a group on the leaderboard, at its gain', async () => {
    const { document, made } = await page({ numCandidates: 10 });
    const titles = [...document.querySelectorAll('#leaderboard title')].map((element) => element.textContent ?? '');
    const scored = made.experiments.filter(({ state, number }) => state === 'recorded' && number > 1);
    expect(titles.filter((title) => title.includes('exploring seeds'))).toHaveLength(scored.length);
    expect(titles.filter((title) => title.includes('fresh seeds'))).toHaveLength(3); // Two finalists and the strongest other baseline.
    for (const { fitness, proposal } of scored) {
      const title = titles.find((one) => one.startsWith(`${proposal?.name}\nexploring`));
      expect(title).toContain(Math.abs(fitness?.value ?? Number.NaN).toFixed(4));
    }
  });

  it('counts the failures by label and the cost of what the ledger holds', async () => {
    const { textOf, made } = await page({ numCandidates: 60 });
    const labels = new Set(made.experiments.flatMap(({ failure }) => failure?.label ?? []));
    expect(labels.size).toBeGreaterThan(2);
    for (const label of labels) expect(textOf('#failures tbody')).toContain(label);
    const seconds = made.trials.reduce((sum, trial) => sum + trial.cpuSeconds, 0);
    expect(textOf('#cost')).toContain(`${(seconds / 60).toFixed(1)} min`);
    // Lost trainings count among training.
    expect(textOf('#cost')).toMatch(
      /Answering the judge, and the judge, against training\s*1[3-5]\.\d % and (9\.\d|10\.0) %, on exploring seeds/,
    );
  });

  it('says what it does not claim, with the sandbox that there was', async () => {
    const { textOf } = await page({ numCandidates: 2 });
    expect(textOf('#claims')).toContain('No correlation of this rung with larger models was shown beyond the rungs');
    expect(textOf('#claims')).toContain('without an operating system sandbox');
  });

  it('marks what was scored without a sandbox, and ranks it only where every program is ours', async () => {
    const made = makeCampaign({ numCandidates: 3 });
    const ours = parseHTML(await render(made)).document;
    expect(ours.querySelector('#e0005')?.textContent).toContain('no sandbox');
    expect(ours.querySelector('#leaderboard')?.textContent).toContain('(no sandbox)');
    const walled = { ...made, scores: made.scores.map((row) => ({ ...row, sandboxTier: 'S1' as const })) };
    const inside = parseHTML(await render(walled)).document;
    expect(inside.querySelector('#experiments')?.textContent).not.toContain('no sandbox');
    const foreign = {
      ...made,
      experiments: made.experiments.map((one) =>
        one.number === 6 && one.proposal !== null ? { ...one, proposal: { ...one.proposal, author: 'user' as const } } : one,
      ),
    };
    const outside = parseHTML(await render(foreign)).document;
    expect(outside.querySelector('#leaderboard')?.textContent).toMatch(/Not ranked and not drawn: \d+ scored without a sandbox/);
    expect(outside.querySelectorAll('#leaderboard circle[fill="var(--candidate)"]')).toHaveLength(0);
  });

  it('warns beside the verdicts where the held-out text was asked too often', async () => {
    const made = makeCampaign({ numCandidates: 3 });
    const asked = (trialId: string) => aScore({ trialId, set: 'promotion', dataHash: made.campaign.data.hash });
    const own = asked(`${made.campaign.id}/e0001/quick/s9`);
    const earlier = Array.from({ length: 10 }, (_, number) => asked(`c-earlier-${number}/e0001/quick/s1`));
    const finalists = async (rows: readonly Score[]) =>
      parseHTML(await render({ ...made, scores: [...made.scores, ...rows] })).document.querySelector('#finalists')?.textContent;
    expect(await finalists([own, ...earlier.slice(1)])).not.toContain('worn text');
    expect(await finalists([own, ...earlier])).toContain('the promotion set by 11 campaigns of 10 that it bears');
  });

  it('names a campaign that does not exist', async () => {
    const archive = openSqliteArchive(join(temporaryFolder(), 'archive.db'));
    onTestFinished(() => archive.close());
    await expect(renderReport({ campaignId: 'c-gone', archive })).rejects.toThrow(
      'There is no campaign "c-gone" in the archive.',
    );
  });
});
