import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { presets } from '../../../workflows/contracts/settings.ts';
import { aCampaign, anExperiment, aScore } from '../../support/builders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { seededId } from '../seeded-campaign.ts';
import { runAsi, seededHome } from './run-asi.ts';

describe('asi without any campaign', () => {
  it.each([
    [['lineage']],
    [['leaderboard']],
    [['show', 'e0001']],
    [['report']],
    [['campaign', 'pause']],
    [['campaign', 'watch']],
  ])('says how to start one on %s', async (words) => {
    const ran = await runAsi(words, { home: temporaryFolder() });
    expect(ran).toMatchObject({ exitCode: 1, out: '' });
    expect(ran.err).toContain('There is no campaign yet');
    expect(ran.err).toContain('npm run discover');
    expect(ran.err).not.toContain('    at ');
  });

  it('lists none, which is no fault', async () => {
    expect(await runAsi(['campaign', 'list'], { home: temporaryFolder() })).toMatchObject({ exitCode: 0, err: '' });
    expect((await runAsi(['campaign', 'list', '--json'], { home: temporaryFolder() })).out).toBe('[]\n');
  });

  it('makes no archive by reading', async () => {
    const home = temporaryFolder();
    await runAsi(['campaign', 'list'], { home });
    expect((await runAsi(['lineage'], { home })).err).toContain('no archive at');
  });
});

describe('asi campaign list', () => {
  it('shows state, settings and result', async () => {
    const { out } = await runAsi(['campaign', 'list'], { home: await seededHome() });
    expect(out).toMatch(/c-seeded {2}finished {2}quick {2,}1 {2,}6 {2}.*vector-decay is better/);
  });

  it('gives whole records as JSON', async () => {
    const { out } = await runAsi(['campaign', 'list', '--json'], { home: await seededHome() });
    expect(JSON.parse(out)).toMatchObject([{ id: seededId, numExperiments: 6, settings: { seed: 1 } }]);
  });
});

describe('asi campaign watch', () => {
  it('says that the disk is nearly full', async () => {
    const home = await seededHome();
    const { exitCode, err } = await runAsi(['campaign', 'watch'], { home, env: { ASI_FREE_MB: '1000000000' } });
    expect(exitCode).toBe(0);
    expect(err).toMatch(new RegExp(`too little space on the disk of ${home}: .*; free some there`));
  });
});

describe('asi lineage', () => {
  it('draws the tree with gain, fate and change', async () => {
    const { out } = await runAsi(['lineage'], { home: await seededHome() });
    expect(
      out
        .split('\n')
        .slice(1, 7)
        .map((line) => line.trimEnd()),
    ).toEqual([
      'e0001 deltanet           0                reference',
      'e0002 gated-deltanet     +0.0200 ±0.0300  baseline',
      '├─ e0003 vector-decay    +0.0600 ±0.0300  better             decay.kind scalar-data → vector-data',
      '│  └─ e0005 peeks-ahead  –                rejected: gate     fir none → 3',
      '├─ e0004 wide-fir        +0.0100 ±0.0300  recorded           fir none → 3, 31',
      '└─ e0006 no-norm         –                failed: nonfinite  fir none → 3',
    ]);
  });

  it('gives nodes as JSON and a flowchart as Mermaid, one at a time', async () => {
    const home = await seededHome();
    const { nodes } = JSON.parse((await runAsi(['lineage', seededId, '--json'], { home })).out);
    expect(nodes).toHaveLength(6);
    // An interval of the reference against itself would say something where nothing was compared.
    expect(nodes[0]).toMatchObject({ id: 'c-seeded/e0001', isReference: true, gain: null });
    expect(nodes[2]).toMatchObject({ id: 'c-seeded/e0003', parentId: 'c-seeded/e0002', gain: { mean: 0.06 }, verdict: 'better' });
    const mermaid = (await runAsi(['lineage', '--mermaid'], { home })).out;
    expect(mermaid).toContain('flowchart TD');
    expect(mermaid).toContain('e0002 -->|"decay.kind scalar-data → vector-data"| e0003');
    expect(await runAsi(['lineage', '--mermaid', '--json'], { home })).toMatchObject({ exitCode: 2 });
  });

  it('says how many it leaves out, and keeps ancestors', async () => {
    const { out } = await runAsi(['lineage', '--limit', '3'], { home: await seededHome() });
    expect(out).toContain('e0003');
    expect(out).not.toContain('e0004');
    expect(out).toContain('3 of 6 experiments are not shown; --limit 6 shows all');
  });

  it('names option, value and bounds of a wrong limit', async () => {
    const ran = await runAsi(['lineage', '--limit', 'all'], { home: await seededHome() });
    expect(ran).toMatchObject({ exitCode: 2, err: '--limit: value "all"; right would be a whole number from 1 to 100000\n' });
  });
});

describe('asi show', () => {
  it('finds an experiment by its campaign with or without c-', async () => {
    const home = await seededHome();
    const whole = await runAsi(['show', 'c-seeded/e0003'], { home });
    expect(await runAsi(['show', 'seeded/e0003'], { home })).toEqual(whole);
  });

  it('tells everything that is recorded of a candidate', async () => {
    const { out } = await runAsi(['show', 'c-seeded/e0003'], { home: await seededHome() });
    for (const part of [
      'child of e0002 gated-deltanet, made by evolver (mutate:decay)',
      'better against gated-deltanet: +0.0400 [+0.0120, +0.0680] bits per byte',
      'decay.kind: scalar-data → vector-data  (changes the recurrence)',
      'shortConv   q yes, k yes, v yes, kernel 4',
      '--- c-seeded/e0002/mixer.py\n+++ c-seeded/e0003/mixer.py',
      '-    """gated-deltanet"""\n+    """vector-decay"""',
      'causality  pass            0   1e-9',
      '5.510 → 1.142',
      'bits per byte    2.5410  2.5420    2.6410',
      'recall accuracy  40.0 %',
      'lesson on fir none to 3 (+0.0400)',
    ]) {
      expect(out).toContain(part);
    }
  });

  it('prints the whole program when asked, and for want of a parent says so', async () => {
    const home = await seededHome();
    expect((await runAsi(['show', 'e0003', '--program'], { home })).out).toContain('class Mixer:\n    """vector-decay"""\n');
    expect((await runAsi(['show', '1'], { home })).out).toContain('no parent to compare with; --program prints it');
  });

  it('tells why an experiment was lost', async () => {
    const { out } = await runAsi(['show', 'e0006'], { home: await seededHome() });
    expect(out).toContain('nonfinite while in stage train');
    expect(out).toContain('loss is NaN at step 41 of 80');
  });

  it('gives record, programs, trials and scores as JSON', async () => {
    const page = JSON.parse((await runAsi(['show', 'e0003', '--json'], { home: await seededHome() })).out);
    expect(page).toMatchObject({ experiment: { number: 3 }, parent: { experiment: { number: 2 } }, failureLog: null });
    expect(page.trials.map((trial: { seed: number }) => trial.seed)).toEqual([1, 2, 101, 102, 103]);
    expect(page.program).toContain('class Mixer');
  });
});

describe('asi leaderboard', () => {
  it('ranks by confirmed gain, computed against the reference on the fresh seeds', async () => {
    const { out } = await runAsi(['leaderboard'], { home: await seededHome() });
    const rows = out.split('\n').slice(2, 6);
    expect(rows.map((row) => row.trim().slice(0, 5))).toEqual(['e0003', 'e0002', 'e0001', 'e0004']);
    expect(rows[0]).toContain('+0.0400');
    expect(rows[2]).toContain('0 (reference)');
    expect(rows[3]).toContain('not confirmed');
  });

  it('ends with how alike rungs rank, and says where nothing is known of it', async () => {
    const home = await seededHome();
    expect((await runAsi(['leaderboard'], { home })).out).toContain('No program was measured on two rungs of these data');
    const archive = openSqliteArchive(join(home, 'archive.db'));
    const seeded = await archive.getCampaign(seededId);
    if (seeded === null) throw new Error('the seeded campaign is gone');
    const { data } = seeded;
    const known = (await archive.listExperiments(seededId, { states: ['recorded'] })).slice(0, 3);
    await archive.createCampaign(aCampaign({ id: 'c-tiny', settings: presets.tiny, data }));
    for (const [index, { architecture }] of known.entries()) {
      const experiment = anExperiment({ campaignId: 'c-tiny', number: index + 1, state: 'recorded', architecture });
      await archive.createExperiment(experiment);
      const programHash = architecture?.hash ?? '';
      const row = { programHash, dataHash: data.hash, set: 'search', sandboxTier: 'S2' } as const;
      await archive.appendScores([aScore({ ...row, trialId: `${experiment.id}/tiny/s1`, value: index })]);
      // The same order, as the exploring scores of this campaign have it.
      await archive.appendScores([aScore({ ...row, trialId: `${known[index]?.id}/quick/s77`, value: 2 + index })]);
    }
    await archive.close();
    expect((await runAsi(['leaderboard', seededId], { home })).out).toContain(
      'tiny and quick, bits per byte: 3 programs on both',
    );
    const { rungCorrelations } = JSON.parse((await runAsi(['leaderboard', seededId, '--json'], { home })).out);
    expect(rungCorrelations).toMatchObject([{ metric: 'bits-per-byte', rungs: ['tiny', 'quick'], programs: 3 }]);
  });
});

describe('asi report', () => {
  it('writes one HTML file into the state folder and prints its path', async () => {
    const home = await seededHome();
    const { exitCode, out } = await runAsi(['report'], { home });
    expect(exitCode).toBe(0);
    expect(out).toBe(`${join(home, 'reports', 'c-seeded.html')}\n`);
    const html = readFileSync(out.trim(), 'utf8');
    expect(html).toContain('vector-decay');
    expect(readdirSync(join(home, 'reports'))).toEqual(['c-seeded.html']);
  });

  it('writes where it is told, and names the place when it cannot', async () => {
    const home = await seededHome();
    const path = join(home, 'mine.html');
    expect(JSON.parse((await runAsi(['report', '--out', path, '--json'], { home })).out)).toEqual({ campaignId: seededId, path });
    const ran = await runAsi(['report', '--out', join(path, 'below.html')], { home });
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toContain(`the report cannot be written to ${join(path, 'below.html')}`);
  });

  it('refuses a folder before it writes, and leaves nothing behind', async () => {
    const home = await seededHome();
    const folder = join(home, 'mine');
    mkdirSync(folder);
    const before = readdirSync(home).toSorted();
    const ran = await runAsi(['report', '--out', folder], { home });
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toContain(`--out: "${folder}" is a folder; right would be a file, ${join(folder, 'c-seeded.html')}`);
    expect(readdirSync(folder)).toEqual([]);
    expect(
      readdirSync(home)
        .filter((name) => !/^archive\.db-/.test(name))
        .toSorted(),
    ).toEqual(before.filter((name) => !/^archive\.db-/.test(name)));
  });

  it('names the place of its own where that is a folder, not an option that nobody gave', async () => {
    const home = await seededHome();
    const place = join(home, 'reports', 'c-seeded.html');
    mkdirSync(place, { recursive: true });
    const ran = await runAsi(['report'], { home });
    expect(ran).toMatchObject({ exitCode: 1, out: '' });
    expect(ran.err).toBe(`the report belongs at ${place}, where a folder is; move that away, or name another file with --out\n`);
  });
});

describe('asi export', () => {
  it('says why an experiment without a record cannot be exported', async () => {
    const ran = await runAsi(['export', 'e0006'], { home: await seededHome() });
    expect(ran).toMatchObject({
      exitCode: 1,
      out: '',
      err: 'c-seeded/e0006 is failed; only a recorded experiment has weights and scores to export\n',
    });
  });

  it('says what is gone from the artifacts', async () => {
    const ran = await runAsi(['export', 'e0003'], { home: await seededHome() });
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toMatch(/^Experiment c-seeded\/e0003 cannot be exported: the checkpoint .* is gone/);
  });
});

describe('asi export --out', () => {
  it.each(['/proc/nothing', 'a file'])('says at once that it cannot write below %s', async (place) => {
    const home = await seededHome();
    const folder = place === 'a file' ? join(home, 'archive.db') : place;
    const ran = await runAsi(['export', 'e0003', '--out', folder], { home });
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toContain(`the bundle cannot be written below ${folder}`);
    expect(ran.err).toContain('--out names another folder');
  });
});

describe('an unknown id', () => {
  it('names near experiments and the range there is', async () => {
    const ran = await runAsi(['show', 'c-seeded/e0013'], { home: await seededHome() });
    expect(ran.exitCode).toBe(2);
    expect(ran.err).toContain('near it are c-seeded/e0006, c-seeded/e0005, c-seeded/e0004');
    expect(ran.err).toContain('c-seeded has 6, from c-seeded/e0001 to c-seeded/e0006');
  });

  it('names near campaigns', async () => {
    const home = await seededHome();
    expect((await runAsi(['lineage', 'c-seedde'], { home })).err).toContain('did you mean c-seeded?');
    expect((await runAsi(['show', 'c-other/e0001'], { home })).err).toContain('there are c-seeded');
    expect((await runAsi(['lineage', 'seeded'], { home })).exitCode).toBe(0);
  });
});

describe('an archive that cannot be used', () => {
  it('is named with its remedy, without a stack', async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, 'archive.db'), 'not a database, but long enough to look like a file of one '.repeat(40));
    const ran = await runAsi(['lineage'], { home });
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toContain(join(home, 'archive.db'));
    expect(ran.err).not.toContain('    at ');
  });

  it('shows the stack with --debug', async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, 'archive.db'), 'not a database, but long enough to look like a file of one '.repeat(40));
    expect((await runAsi(['lineage', '--debug'], { home })).err).toContain('    at ');
  });
});

describe('the words of a command', () => {
  it('have help with examples, every one', async () => {
    const home = temporaryFolder();
    const commands = [
      [],
      ['doctor'],
      ['campaign'],
      ['lineage'],
      ['show'],
      ['leaderboard'],
      ['report'],
      ['export'],
      ['try'],
      ...['start', 'list', 'watch', 'pause', 'resume', 'stop', 'cancel', 'hint', 'budget'].map((name) => ['campaign', name]),
    ];
    for (const words of commands) {
      const ran = await runAsi([...words, '--help'], { home });
      expect(ran.exitCode, words.join(' ')).toBe(0);
      expect(ran.out, words.join(' ')).toMatch(/Examples:\n {2}npx asi/);
    }
  });

  it('have no use for settings of a search in asi try, and say so however they are given', async () => {
    const home = temporaryFolder();
    const file = join(home, 'mixer.py');
    writeFileSync(file, 'class Mixer: pass\n');
    const telling = await runAsi(['try', file], { home, env: { DB_PASSWORD: 'class Mixer' } });
    expect(telling).toMatchObject({ exitCode: 2, out: '' });
    expect(telling.err).toContain('of the program holds a credential (value of DB_PASSWORD)');
    expect(await runAsi(['try', file, '--finalists', '3'], { home })).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("unknown option '--finalists'"),
    });
    expect(await runAsi(['try', file, '--set', 'experiments=4'], { home })).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('experiments: value 4; asi try searches nothing'),
    });
  });

  it('are corrected when misspelt', async () => {
    const home = temporaryFolder();
    expect(await runAsi(['lineag'], { home })).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('Did you mean lineage?'),
    });
    expect(await runAsi(['show', 'e1', '--jsn'], { home })).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('Did you mean --json?'),
    });
    expect((await runAsi(['show'], { home })).err).toContain("missing required argument 'experiment'");
  });

  it('give the version', async () => {
    expect((await runAsi(['--version'], { home: temporaryFolder() })).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
