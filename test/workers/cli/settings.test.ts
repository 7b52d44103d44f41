import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { CommandError } from '../../../workers/cli/command-error.ts';
import { addSettingOptions, settingsFrom } from '../../../workers/cli/setting-options.ts';
import { withoutTilde } from '../../../workers/cli/setting-paths.ts';
import { checkedId, idFor } from '../../../workers/cli/start-campaign.ts';
import { settingFields } from '../../../workflows/contracts/setting-fields.ts';
import { type CampaignInput, presetNames, presets } from '../../../workflows/contracts/settings.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** What the words of a command line come to. */
const settingsOf = (words: readonly string[], folder?: string): CampaignInput => {
  const command = addSettingOptions(new Command('start')).exitOverride();
  command.parse([...words], { from: 'user' });
  return settingsFrom(command.opts(), folder);
};

const messageOf = (words: readonly string[], folder?: string): string => {
  try {
    settingsOf(words, folder);
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === 2) return error.message;
    throw error;
  }
  throw new Error(`${words.join(' ')} was taken`);
};

describe('settings on the command line', () => {
  it('are empty when nothing is given, so that the preset speaks', () => {
    expect(settingsOf([])).toEqual({});
  });

  it('take every kind of value', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'texts'));
    expect(
      settingsOf(
        [
          '--preset',
          'tiny',
          '--experiments',
          '5',
          '--minutes',
          '2.5',
          '--target-gain',
          '0.01',
          '--explore-seeds',
          '1',
          '--policy',
          'greedy',
          '--baselines',
          'deltanet,kda',
          '--hint',
          'try, for once, FIR',
          '--hint',
          'two',
          '--data-folder',
          'texts',
          '--set',
          'seed=7',
        ],
        folder,
      ),
    ).toEqual({
      preset: 'tiny',
      experiments: 5,
      minutes: 2.5,
      targetGain: 0.01,
      exploreSeeds: 1,
      policy: 'greedy',
      baselines: ['deltanet', 'kda'],
      hints: ['try, for once, FIR', 'two'],
      data: { kind: 'folder', path: join(folder, 'texts') },
      seed: 7,
    });
  });

  it('can say none and stdlib', () => {
    expect(settingsOf(['--target-gain', 'none', '--data-folder', 'stdlib'])).toEqual({
      targetGain: null,
      data: { kind: 'stdlib' },
    });
  });

  it('have an option for every field, whose help gives its default in every preset', () => {
    const options = addSettingOptions(new Command('start')).options.map(({ description }) => description);
    for (const { name, description } of settingFields) {
      const own = options.find((text) => text.startsWith(name === 'data' ? 'Folder of UTF-8 text' : description));
      expect(own, name).toContain('default ');
    }
    const experiments = options.find((text) => text.startsWith('Budget: candidates'));
    expect(experiments).toContain(
      `default ${presets.quick.experiments} (standard ${presets.standard.experiments}; asi-arch ${presets['asi-arch'].experiments}; tiny ${presets.tiny.experiments})`,
    );
    expect(presetNames).toHaveLength(4);
  });

  it('come from a file, under the options', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 's.json'), '{"preset":"standard","seed":3,"experiments":9}');
    expect(settingsOf(['--file', 's.json', '--seed', '4', '--set', 'experiments=1'], folder)).toEqual({
      preset: 'standard',
      seed: 4,
      experiments: 1,
    });
  });

  it('make the paths of starts whole and leave baselines alone', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'mine.py'), 'class Mixer: ...');
    expect(settingsOf(['--start', 'kda', '--start', 'mine.py'], folder).starts).toEqual(['kda', join(folder, 'mine.py')]);
  });

  it('know the home folder in a path that the shell has left alone', () => {
    expect(withoutTilde('~/texts')).toBe(join(homedir(), 'texts'));
    expect(withoutTilde('/a/~b')).toBe('/a/~b');
  });
});

describe('wrong settings on the command line', () => {
  it('are all named with field, value and what would be right', () => {
    const message = messageOf(['--experiments', 'five', '--seed', '', '--preset', 'quik', '--set', 'sede=7']);
    expect(message.split('\n')).toEqual([
      'The settings cannot be used:',
      '  preset: value "quik"; right would be one of quick, standard, asi-arch, tiny (did you mean quick?)',
      '  seed: value ""; right would be a whole number from 0 to 2147483647',
      '  experiments: value "five"; right would be a whole number from 0 to 100000',
      '  sede: there is no such setting; did you mean seed?',
    ]);
  });

  it.each([
    [['--set', 'seed'], '--set: value "seed"; right would be field=value, for example seed=7'],
    [['--data-folder', 'missing'], 'data.path: value "missing"; right would be a folder of UTF-8 text files; there is no '],
    [['--data-folder', 'file.txt'], 'file.txt is not a folder'],
    [['--start', 'deltanett'], 'starts: value "deltanett"; right would be a baseline (did you mean deltanet'],
    [['--start', '.'], 'is not a file'],
    [['--file', 'missing.json'], 'missing.json" cannot be read'],
    [['--file', 'file.txt'], 'file.txt" is not JSON'],
    [['--file', 'list.json'], 'list.json" holds [1]; right would be an object'],
  ])('%j are refused before anything starts', (words, message) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file.txt'), 'words');
    writeFileSync(join(folder, 'list.json'), '[1]');
    expect(messageOf(words, folder)).toContain(message);
  });
});

describe('a campaign id', () => {
  it('is made of preset, day and minute', () => {
    expect(idFor({}, new Date(2026, 10, 3, 4, 5))).toBe('c-quick-1103-0405');
    expect(idFor({ preset: 'asi-arch' }, new Date(2026, 10, 21, 14, 32))).toBe('c-asi-arch-1121-1432');
  });

  it('gets its prefix when a person leaves it out, and is refused with one that would do', () => {
    expect(checkedId('night-run')).toBe('c-night-run');
    expect(checkedId('c-night-run')).toBe('c-night-run');
    expect(() => checkedId('Night Run!')).toThrow(
      '--id: value "Night Run!"; right would be lower-case letters, digits and dashes, up to 47, for example c-night-run',
    );
  });
});
