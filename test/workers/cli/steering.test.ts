import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { InstantHost } from '../../../workers/bench/instant-host.ts';
import { CliContext } from '../../../workers/cli/context.ts';
import { buildDiscoverProgram } from '../../../workers/cli/discover-program.ts';
import { runProgram } from '../../../workers/cli/run-program.ts';
import { aCampaign } from '../../support/builders.ts';
import { type Loop, startLoop } from '../../support/loop.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type Ran, runAsi, seededHome } from './run-asi.ts';

let loop: Loop;
const asi = (...words: readonly string[]): Promise<Ran> => runAsi(words, { home: loop.config.home });

beforeAll(async () => {
  // A person's file is tried, which needs a wall.
  loop = await startLoop({ host: new InstantHost({ trainingMs: 250, tier: 'S0L' }) });
}, 120_000);
afterAll(() => loop?.stop(), 60_000);

describe('asi without a server', () => {
  it('says how to bring one, when there is a campaign to steer', async () => {
    const ran = await runAsi(['campaign', 'start'], { home: temporaryFolder(), env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    expect(ran).toMatchObject({ exitCode: 1, out: '' });
    expect(ran.err).toContain('No Temporal server answers at 127.0.0.1:1. Start the stack with "npm start"');
  });

  it('still watches a campaign from its record alone', async () => {
    const ran = await runAsi(['campaign', 'watch'], { home: await seededHome(), env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    expect(ran).toMatchObject({ exitCode: 0, err: '' });
    expect(ran.out).toContain('Campaign c-seeded finished');
    expect(ran.out).toMatch(/^2026-11-21 \d\d:\d\d:\d\d {2}c-seeded started/);
  });

  it('says that a record may be out of date while its campaign is not over', async () => {
    const home = await seededHome();
    const archive = openSqliteArchive(join(home, 'archive.db'));
    await archive.createCampaign(aCampaign({ id: 'c-open', state: 'exploring' }));
    await archive.close();
    const ran = await runAsi(['campaign', 'watch', 'c-open', '--json'], { home, env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    expect(ran.err).toContain('Showing the record only, which may be out of date: c-open may have ended since.');
  });

  it.each(['stop', 'cancel'])('refuses to %s what is over without asking one', async (command) => {
    const ran = await runAsi(['campaign', command, 'c-seeded'], {
      home: await seededHome(),
      env: { TEMPORAL_ADDRESS: '127.0.0.1:1' },
    });
    expect(ran).toMatchObject({ exitCode: 1, err: 'c-seeded is finished; nothing more can be changed\n' });
  });
});

describe('asi on a running stack', () => {
  it('starts, pauses, hints, budgets, resumes, stops and follows a campaign to its end', async () => {
    const started = await asi('campaign', 'start', '--preset', 'tiny', '--experiments', '500', '--id', 'steered', '--json');
    expect(started).toMatchObject({ exitCode: 0, err: '' });
    expect(JSON.parse(started.out)).toMatchObject({
      campaignId: 'c-steered',
      state: 'opened',
      settings: { experiments: 500, rung: 'tiny' },
    });

    expect(await asi('campaign', 'start', '--id', 'steered')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('--id: value "c-steered"'),
    });

    expect((await asi('campaign', 'pause')).out).toContain('c-steered is paused');
    expect(await asi('campaign', 'pause', 'steered')).toMatchObject({
      exitCode: 1,
      err: 'the campaign is paused already; resume continues it\n',
    });

    expect((await asi('campaign', 'hint', 'c-steered', 'try', 'wider FIR')).out).toContain(
      '1 hint now; the newest: "try wider FIR"',
    );
    expect((await asi('campaign', 'budget', 'c-steered', '--minutes', '45.25')).out).toContain(
      '500 candidates, 45.25 minutes and ',
    );
    for (const [option, value, right] of [
      ['--minutes', '-1', 'minutes: value -1; right would be a number from 0.01 up to 100000'],
      ['--minutes', '1e-320', 'minutes: value 1e-320'],
      ['--trial-seconds', '14', 'trialSeconds: value 14; right would be 15 or more on rung tiny'],
      ['--experiments', '1.5', 'experiments: value 1.5; right would be a whole number from 0 to 100000'],
    ] as const) {
      expect(await asi('campaign', 'budget', 'c-steered', option, value)).toMatchObject({
        exitCode: 2,
        err: expect.stringContaining(right),
      });
    }
    expect(await asi('campaign', 'budget', 'c-steered', '--minutes', 'x')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('minutes: value "x"'),
    });
    expect(await asi('campaign', 'budget', 'c-steered')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('at least one of'),
    });

    const snapshot = JSON.parse((await asi('campaign', 'watch', '--json')).out);
    expect(snapshot).toMatchObject({
      campaignId: 'c-steered',
      status: { state: 'paused', hints: ['try wider FIR'], budget: { minutes: { cap: 45.25 } } },
    });

    expect((await asi('campaign', 'resume', '--json')).out).toContain('"state": "');
    expect((await asi('campaign', 'stop')).out).toContain('c-steered stops');
    const watched = await asi('campaign', 'watch', 'c-steered');
    expect(watched).toMatchObject({ exitCode: 0, err: '' });
    expect(watched.out).toContain('Campaign c-steered finished after');
    const log = watched.out.split('\n').filter((line) => /^\d\d:\d\d:\d\d {2}/.test(line));
    expect(log.length).toBeGreaterThan(3);
    expect(new Set(log.map((line) => line.slice(10))).size).toBe(log.length);
  }, 90_000);

  it('cancels a campaign and waits until its record is closed', async () => {
    await asi('campaign', 'start', '--preset', 'tiny', '--experiments', '500', '--id', 'cancelled');
    const ran = await asi('campaign', 'cancel', 'cancelled');
    expect(ran).toMatchObject({ exitCode: 0, out: 'c-cancelled is cancelled; its trainers are gone and its record is closed\n' });
    const counts = await loop.archive.countExperiments('c-cancelled');
    for (const state of ['planned', 'proposed', 'checked', 'trained', 'judged', 'analysed'] as const)
      expect(counts[state]).toBe(0);
    expect(await asi('campaign', 'pause')).toMatchObject({ exitCode: 1, err: expect.stringContaining('No campaign is running') });
  }, 60_000);

  it("tries a program of one's own and says where it stands", async () => {
    const file = join(temporaryFolder(), 'mine.py');
    copyFileSync('test/fixtures/programs/honest/ema.py', file);
    const ran = await runAsi(['try', file, '--preset', 'tiny', '--id', 'tried'], {
      home: loop.config.home,
      env: { ASI_PYTHON: loop.config.python },
    });
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.err).toMatch(/mine\.py: \d+ gates, none fails/);
    expect(ran.out).toContain('its scores rank nothing');
    expect(ran.out).toMatch(/\nmine: (Not distinguishable from|Better than|Worse than) /);
    expect(ran.out.match(/^ {2}e0003 {2}mine /gm)).toHaveLength(1);
    expect(ran.out).toContain(`npm run discover -- --preset quick --start ${file}`);
  }, 90_000);

  it.each([
    ['missing_class', 2, /^file\.py: value ".*"; .*class Mixer/],
    ['mean_over_time', 1, /mean_over_time\.py: failed .*causality.*; nothing was trained/],
  ])(
    'gates %s before anything is trained',
    async (name, exitCode, message) => {
      const before = (await loop.archive.listCampaigns()).length;
      const ran = await runAsi(['try', `test/fixtures/programs/defects/${name}.py`, '--preset', 'tiny'], {
        home: loop.config.home,
        env: { ASI_PYTHON: loop.config.python },
      });
      expect(ran.exitCode).toBe(exitCode);
      expect(ran.err).toMatch(message);
      expect((await loop.archive.listCampaigns()).length).toBe(before);
    },
    60_000,
  );

  it('refuses to try what is no program', async () => {
    const empty = join(temporaryFolder(), 'empty.py');
    writeFileSync(empty, ' \n');
    expect(await asi('try', empty)).toMatchObject({ exitCode: 2, err: expect.stringContaining('this file is empty') });
    expect(await asi('try', '/nowhere.py')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('there is no file /nowhere.py'),
    });
  });

  it('tells what a campaign was refused with', async () => {
    const texts = temporaryFolder();
    const ran = await asi('campaign', 'start', '--id', 'refused', '--data-folder', texts);
    expect(ran.exitCode).toBe(2);
    expect(ran.err).toContain('c-refused was refused: ');
    expect(ran.err).toContain(texts);
  }, 60_000);
});

describe('npm run discover on a running stack', () => {
  const discover = async (...words: readonly string[]): Promise<Ran> => {
    const out: string[] = [];
    const err: string[] = [];
    const context = new CliContext({
      env: { ...process.env, ASI_HOME: loop.config.home, ASI_PYTHON: loop.config.python, NO_COLOR: '1' },
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
    });
    const exitCode = await runProgram(context, buildDiscoverProgram(context), words);
    return { exitCode, out: out.join(''), err: err.join('') };
  };

  it('runs a campaign to its closing table', async () => {
    const ran = await discover('--preset', 'tiny', '--id', 'whole');
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.err).toContain('using the stack that runs already');
    for (const part of [
      'c-whole started: preset tiny',
      'Campaign c-whole finished after',
      '0 (reference)',
      'Report  ',
      'Bundle  ',
      'Next:',
    ]) {
      expect(ran.out).toContain(part);
    }
  }, 90_000);

  it('does not take an earlier campaign of that id for its own, which the server knows by another name or not at all', async () => {
    await loop.archive.createCampaign(aCampaign({ id: 'c-kept', workflowId: 'Kept', runId: 'earlier', state: 'finished' }));
    const refused = { exitCode: 2, out: '', err: expect.stringContaining('--id: value "c-kept"') };
    expect(await discover('--preset', 'tiny', '--id', 'kept')).toMatchObject(refused);
    expect(await asi('campaign', 'start', '--preset', 'tiny', '--id', 'kept')).toMatchObject(refused);
  });

  it('ends with an error that names the setting when it cannot be used', async () => {
    expect(await discover('--experiments', 'many')).toMatchObject({
      exitCode: 2,
      out: '',
      err: expect.stringContaining('experiments: value "many"'),
    });
  });
});
