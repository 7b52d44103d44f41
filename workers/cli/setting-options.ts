import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { parseSettings } from '../../workflows/contracts/describe-problems.ts';
import { type SettingField, settingFields } from '../../workflows/contracts/setting-fields.ts';
import { type CampaignInput, presetNames, presets } from '../../workflows/contracts/settings.ts';
import { badInput } from './command-error.ts';
import { withoutTilde, withWholePaths } from './setting-paths.ts';

/** Values of the options that setSettingOptions adds, as commander hands them over. */
export type SettingValues = Readonly<Record<string, unknown>>;

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const optionName = (field: SettingField): string =>
  field.name === 'data'
    ? 'data-folder'
    : kebab(field.name)
        .replace(/^hints$/, 'hint')
        .replace(/^starts$/, 'start');
const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

/** One option for every setting but those `without`, with its default in every preset, and `--set` and `--file` for all of them at once. */
export const addSettingOptions = (command: Command, without: readonly (keyof CampaignInput)[] = []): Command => {
  for (const field of settingFields) if (!without.includes(field.name)) command.addOption(optionOf(field));
  command.addOption(
    new Option('--set <field=value>', 'any setting by its name, value as JSON or text; may be repeated').argParser(collect),
  );
  return command.option('--file <settings.json>', 'settings from a JSON file; options on the command line go before it');
};

const optionOf = (field: SettingField): Option => {
  const option = new Option(`--${optionName(field)} <${placeholder(field)}>`, `${describeField(field)}; ${defaultsText(field)}`);
  const many = field.shape === 'choices' || field.shape === 'texts';
  return many ? option.argParser(collect) : option;
};

const placeholder = (field: SettingField): string => {
  if (field.name === 'data') return 'folder';
  switch (field.shape) {
    case 'number':
      return 'n';
    case 'choices':
      return 'a,b,...';
    case 'texts':
      return field.name === 'starts' ? 'name or file' : 'words';
    default:
      return 'name';
  }
};

const describeField = (field: SettingField): string => {
  if (field.name === 'data')
    return 'Folder of UTF-8 text files to train on, instead of the source of the Python standard library';
  const range = field.shape === 'texts' ? '; may be repeated' : `: ${field.accepts}`;
  return `${field.description}${range}`;
};

/** `default 10; standard 60, asi-arch 400` */
const defaultsText = (field: SettingField): string => {
  const text = (preset: (typeof presetNames)[number]): string => valueText(presets[preset][field.name]);
  const usual = text('quick');
  const others = presetNames.filter((preset) => text(preset) !== usual).map((preset) => `${preset} ${text(preset)}`);
  return `default ${usual}${others.length === 0 || field.name === 'preset' ? '' : ` (${others.join('; ')})`}`;
};

const valueText = (value: unknown): string => {
  if (value === null) return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',');
  if (typeof value === 'object' && 'kind' in value) return String(value.kind);
  return String(value);
};

/** Campaign input from file, options and `--set`, the later over the earlier. Throws a CommandError that names every problem. */
export const settingsFrom = (values: SettingValues, folder = process.cwd()): CampaignInput => {
  const raw: Record<string, unknown> = { ...readSettingsFile(values.file, folder) };
  for (const field of settingFields) {
    const value = values[camel(optionName(field))];
    if (value !== undefined) raw[field.name] = parseOption(field, value);
  }
  for (const assignment of assignments(values.set)) raw[assignment.field] = assignment.value;
  const parsed = parseSettings(raw);
  if (parsed.ok) return withWholePaths(parsed.input, folder);
  throw badInput(`The settings cannot be used:\n${parsed.problems.map((problem) => `  ${problem}`).join('\n')}`);
};

const parseOption = (field: SettingField, value: unknown): unknown => {
  if (field.name === 'data') return value === 'stdlib' ? { kind: 'stdlib' } : { kind: 'folder', path: value };
  if (Array.isArray(value))
    return field.shape === 'choices' ? value.flatMap((names: string) => names.split(',').filter((name) => name !== '')) : value;
  return field.shape === 'number' ? numberFrom(String(value)) : value;
};

/** Text that is no number stays text, so that the message can show it. */
const numberFrom = (text: string): unknown => {
  if (text === 'none' || text === 'null') return null;
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? text : number;
};

const assignments = (given: unknown): readonly { readonly field: string; readonly value: unknown }[] =>
  (Array.isArray(given) ? given : []).map((text: string) => {
    const at = text.indexOf('=');
    if (at < 1) throw badInput(`--set: value "${text}"; right would be field=value, for example seed=7`);
    return { field: text.slice(0, at).trim(), value: jsonOrText(text.slice(at + 1).trim()) };
  });

const jsonOrText = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text; // Plain words need no quotes.
  }
};

const readSettingsFile = (path: unknown, folder: string): object => {
  if (typeof path !== 'string') return {};
  const whole = resolve(folder, withoutTilde(path));
  let text: string;
  try {
    text = readFileSync(whole, 'utf8');
  } catch (error) {
    throw badInput(
      `--file: "${whole}" cannot be read (${reasonOf(error)}); right would be a JSON file such as {"preset":"quick","seed":7}`,
      {
        cause: error,
      },
    );
  }
  const value = jsonIn(text, whole);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw badInput(
    `--file: "${whole}" holds ${JSON.stringify(value).slice(0, 80)}; right would be an object such as {"preset":"quick","seed":7}`,
  );
};

const jsonIn = (text: string, path: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badInput(`--file: "${path}" is not JSON (${reasonOf(error)}); right would be {"preset":"quick","seed":7}`, {
      cause: error,
    });
  }
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
