/** A value that must not come into a stored text, and the name it goes by. */
export interface Secret {
  readonly name: string;
  readonly value: string;
}

/**
 * Known shapes of credentials. A short list on purpose: what it does not know, only the values of the environment catch. A text of a candidate may
 * be megabytes of their beginnings: each pattern begins where a word does, or is bounded, so that the time stays in proportion to the length.
 */
const shapes = [
  {
    kind: 'private key',
    pattern: /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/,
  },
  { kind: 'JSON web token', pattern: /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/ },
  { kind: 'GitHub token', pattern: /\bgh[opusr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}/ },
  { kind: 'AWS access key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/ },
  {
    // A word with hyphens, as in a docstring, has no long run of letters and digits, and no capitals and digits over its whole length.
    kind: 'API key',
    pattern:
      /\bsk-(?:(?:[a-z0-9]{1,12}-){0,3}(?=[A-Za-z]{0,60}\d)(?=\d{0,60}[A-Za-z])[A-Za-z0-9]{20,}[\w-]*|(?:ant|proj|svcacct|admin)-(?=[\w-]{0,100}\d)(?=[\w-]{0,100}[A-Z])[\w-]{40,})/,
  },
  {
    kind: 'API key',
    pattern:
      /\bsk-(?!(?:\w{0,60}-){3})(?=[\w-]{0,60}\d)(?=[\w-]{0,60}[A-Z])(?=[\w-]{0,60}[a-z])[\w-]{20,}|\bsk-lf-[0-9a-f-]{32,}/,
  },
  { kind: 'Groq key', pattern: /\bgsk_[A-Za-z0-9]{40,}/ },
  { kind: 'xAI key', pattern: /\bxai-[A-Za-z0-9]{40,}/ },
  {
    // Nothing tells it from a hash but the name that it is given to.
    kind: 'AWS secret key',
    pattern:
      /(?<=[Ss](?:ecret|ECRET)_?(?:[Aa](?:ccess|CCESS)_?)?[Kk](?:ey|EY)["']?\s{0,5}[:=]\s{0,5}["']?)(?=[A-Za-z/+]{0,39}\d)(?=[a-z0-9/+]{0,39}[A-Z])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/,
  },
  { kind: 'Hugging Face token', pattern: /\bhf_[A-Za-z0-9]{30,}/ },
  { kind: 'Slack token', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/ },
  { kind: 'Google API key', pattern: /\bAIza[\w-]{35}/ },
  { kind: 'npm token', pattern: /\bnpm_[A-Za-z0-9]{36}/ },
  { kind: 'PyPI token', pattern: /\bpypi-AgE[\w-]{50,}/ },
  { kind: 'Stripe key', pattern: /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/ },
  { kind: 'GitLab token', pattern: /\bglpat-[\w-]{20,}(?:\.[0-9a-z]{2}\.[0-9a-z]{4,})?/ },
  {
    // The password alone, up to the last @ before the path. What begins like a template's place or like a mark is none.
    kind: 'password of an address',
    pattern: /(?<=\b[A-Za-z][A-Za-z0-9+.-]{0,30}:\/\/[^\s:/?#@"'`<>]{0,100}:)(?![{<$*%[])[^\s/"'`<>]{1,300}(?=@[\w[])/,
  },
] as const;
export type SecretKind = (typeof shapes)[number]['kind'];

/** The short ones are words of their own at the end, since PATH, AUTHOR, BYPASS, SSH_AUTH_SOCK and PWD itself hold them too. */
const secretName =
  /KEY(?!BOARD|MAP|RING)|TOKEN(?!IZ)|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|(?:^|_)(?:(?:PG)?PASS|DSN|PAT|AUTH)(?:_?\d+)?$|_PWD$/i;
/** Whether a variable's name says that nobody should read its value. */
export const isSecretName = (name: string): boolean => secretName.test(name);
/** Shorter values are words of everyday texts. */
const shortestValue = 8;

/** Variables of an environment whose names say that nobody should read their values. */
export const secretsIn = (environment: Readonly<Record<string, string | undefined>>): readonly Secret[] =>
  Object.entries(environment).flatMap(([name, value]) =>
    isSecretName(name) && value !== undefined && value.length >= shortestValue ? [{ name, value }] : [],
  );

/** What stands in the place of a secret: what it was, never how it looked. */
export const secretMark = (what: string): string => `[removed: ${what}]`;

/**
 * Puts marks in the place of these values and of every known shape of a credential. One pass, so that no mark is read again. A secret of which a
 * text holds a part only, as where a log was cut, is not found.
 */
export const redactor = (secrets: readonly Secret[]): ((text: string) => string) => {
  const { pattern, kindOf } = patternOf(secrets);
  return (text) => text.replace(pattern, (...found: readonly unknown[]) => secretMark(kindOf(found)));
};

/** The first of these values, or of the known shapes, in a text, and the line that it begins in, from 1; null where there is none. */
export const secretFinder = (
  secrets: readonly Secret[],
): ((text: string) => { readonly what: string; readonly line: number } | null) => {
  const { pattern, kindOf } = patternOf(secrets);
  return (text) => {
    const [found] = text.matchAll(pattern);
    return found === undefined ? null : { what: kindOf(found), line: text.slice(0, found.index).split('\n').length };
  };
};

/** One pattern for all, and what a match of it is, from its groups. */
const patternOf = (
  secrets: readonly Secret[],
): { readonly pattern: RegExp; readonly kindOf: (found: readonly unknown[]) => string } => {
  // The longer first, where one value begins another.
  const known = secrets.toSorted((a, b) => b.value.length - a.value.length);
  const words = known.map(({ value }) => `(${escaped(value)})`);
  const patterns = shapes.map(({ pattern }) => `(${pattern.source})`);
  const names = [...known.map(({ name }) => `value of ${name}`), ...shapes.map(({ kind }) => kind)];
  return {
    pattern: new RegExp([...words, ...patterns].join('|'), 'g'),
    kindOf: (found) => names[found.slice(1, 1 + names.length).findIndex((group) => group !== undefined)] ?? 'secret',
  };
};

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** A value of a closed set or a name: the record is read by these, and a secret that is such a word tells nobody anything there. */
const word = /^(?!sk-|xox[a-z]-|glpat-)[a-z][A-Za-z0-9.-]{0,39}$/;
/** An id of a campaign, an experiment, a trial or a job: records are found by it. */
const id = /^c-[a-z0-9-]{1,47}(?:\/e\d{4,6}(?:\/[a-z0-9-]{1,32}\/s\d+)?)?(?:#[\w-]+)*$/;
/** The whole path of a file or folder: it is opened by it. */
const path = /^(?:\/|[A-Za-z]:[\\/])[^\s"'`<>|:*?]{1,1000}$/;
const isRead = (text: string): boolean => word.test(text) || id.test(text) || path.test(text);
/** What stands for a whole text that is a value of the environment. */
const wholeValue = /^\[removed: value of [^\]]+\]$/;
/** A word that no record is read by: long, and with a digit in it. */
const isRandom = (text: string): boolean => word.test(text) && text.length >= 12 && /\d/.test(text);
const redactedText = (text: string, redact: (text: string) => string): string => {
  if (!isRead(text)) return redact(text);
  const redacted = isRandom(text) ? redact(text) : text;
  return wholeValue.test(redacted) ? redacted : text;
};

/** The same for every text in a value of JSON but names, ids and paths; keys stay. What holds no secret is given back as it is. */
export const redactAll = <T>(value: T, redact: (text: string) => string): T => {
  if (typeof value === 'string') return redactedText(value, redact) as T & string;
  if (Array.isArray(value)) {
    const parts: unknown[] = value.map((part) => redactAll(part, redact));
    return parts.every((part, index) => part === value[index]) ? value : (parts as T & unknown[]);
  }
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.entries(value).map(([key, part]) => [key, redactAll(part, redact), part] as const);
  if (parts.every(([, after, before]) => after === before)) return value;
  return Object.fromEntries(parts.map(([key, after]) => [key, after])) as T & object;
};
