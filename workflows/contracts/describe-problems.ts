import type * as z from 'zod';
import { nearNames } from './near-names.ts';
import { acceptedAt, settingFields } from './setting-fields.ts';
import { type CampaignInput, campaignInputSchema, leastTrialSeconds, resolveSettings } from './settings.ts';

export type ParsedInput =
  | { readonly ok: true; readonly input: CampaignInput }
  /** A line each: field, value and what would be right. Never empty. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** What is wrong with campaign settings that a person sent, a line each; empty when they fit. */
export const describeSettingsProblems = (input: unknown): readonly string[] => {
  const parsed = parseSettings(input);
  return parsed.ok ? [] : parsed.problems;
};

/** Campaign settings from whatever a person sent. No input at all is the same as `{}`. */
export const parseSettings = (input: unknown): ParsedInput => {
  const given = input ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    return {
      ok: false,
      problems: [`settings: value ${shown(given)}; right would be an object such as {"preset":"quick","seed":7}`],
    };
  }
  const parsed = campaignInputSchema.safeParse(given);
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap((issue) => describeIssue(issue, given)) };
  const problems = [...repeatedBaselines(parsed.data), ...tooFewSeconds(parsed.data)];
  return problems.length === 0 ? { ok: true, input: parsed.data } : { ok: false, problems };
};

const describeIssue = (issue: z.core.$ZodIssue, input: object): readonly string[] => {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => (issue.path.length === 0 ? unknownSetting(key) : unknownPart(key, issue.path)));
  }
  const value = valueAt(input, issue.path);
  const right = acceptedAt(issue.path) ?? acceptedAt(issue.path.slice(0, 1)) ?? issue.message;
  return [`${fieldName(issue.path)}: value ${shown(value)}; right would be ${right}${suggestion(value, issue.path)}`];
};

const fieldNames = settingFields.map(({ name }) => name);

const unknownSetting = (key: string): string => {
  const near = nearNames(key, fieldNames);
  return `${key}: there is no such setting; ${near.length > 0 ? `did you mean ${near.join(' or ')}?` : `settings are ${fieldNames.join(', ')}`}`;
};

const unknownPart = (key: string, path: readonly PropertyKey[]): string =>
  `${fieldName([...path, key])}: there is no such part; right would be ${acceptedAt(path) ?? acceptedAt(path.slice(0, 1))}`;

const suggestion = (value: unknown, path: readonly PropertyKey[]): string => {
  const field = settingFields.find(({ name }) => name === path[0]);
  if (typeof value !== 'string' || field === undefined) return '';
  const near = nearNames(value, field.choices);
  return near.length > 0 ? ` (did you mean ${near.join(' or ')}?)` : '';
};

/** The first baseline is the reference of every comparison; the same one twice would be compared with itself. */
const repeatedBaselines = (input: CampaignInput): readonly string[] => {
  const baselines = input.baselines ?? [];
  const repeated = baselines.filter((name, index) => baselines.indexOf(name) !== index);
  return [...new Set(repeated)].map(
    (name) => `baselines: value ${shown(baselines)}; right would be each name once, and ${name} is there twice or more`,
  );
};

/** Fields that are right by themselves and too small for one another: the first trial could not begin. */
const tooFewSeconds = (input: CampaignInput): readonly string[] => {
  const { rung, trialSeconds } = resolveSettings(input);
  const least = leastTrialSeconds({ rung });
  if (trialSeconds >= least) return [];
  return [
    `trialSeconds: value ${shown(trialSeconds)}; right would be ${least} or more on rung ${rung}, since the first trial reserves so much`,
  ];
};

const fieldName = (path: readonly PropertyKey[]): string => path.map(String).join('.');

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown => {
  let value: unknown = input;
  for (const key of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  return value;
};

const shown = (value: unknown): string => {
  if (value === undefined) return '(missing)';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
};
