import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactAll, redactor, secretFinder, secretMark, secretsIn } from '../../../workflows/rules/secrets.ts';

const letters = (from: string, options: { minLength: number; maxLength: number }) =>
  fc.string({ unit: fc.constantFrom(...from), ...options });
const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const credential = fc.oneof(
  letters(alphanumeric, { minLength: 30, maxLength: 60 })
    .filter((text) => /\d/.test(text) && /[a-z]/i.test(text))
    .map((text) => ({ kind: 'API key', text: `sk-${text}` })),
  letters(`${alphanumeric}-_`, { minLength: 90, maxLength: 95 })
    .filter((text) => /\d/.test(text) && /[A-Z]/.test(text))
    .map((text) => ({ kind: 'API key', text: `sk-proj-${text}` })),
  letters('0123456789abcdef', { minLength: 64, maxLength: 64 })
    .filter((text) => /[a-f]/.test(text) && /\d/.test(text))
    .map((text) => ({ kind: 'API key', text: `sk-or-v1-${text}` })),
  letters(alphanumeric, { minLength: 52, maxLength: 52 }).map((text) => ({ kind: 'Groq key', text: `gsk_${text}` })),
  letters(alphanumeric, { minLength: 80, maxLength: 80 }).map((text) => ({ kind: 'xAI key', text: `xai-${text}` })),
  letters(alphanumeric, { minLength: 36, maxLength: 36 }).map((text) => ({ kind: 'GitHub token', text: `ghp_${text}` })),
  letters('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', { minLength: 16, maxLength: 16 }).map((text) => ({
    kind: 'AWS access key',
    text: `AKIA${text}`,
  })),
  letters(alphanumeric, { minLength: 30, maxLength: 40 }).map((text) => ({ kind: 'Hugging Face token', text: `hf_${text}` })),
  letters(`${alphanumeric}-`, { minLength: 10, maxLength: 60 }).map((text) => ({ kind: 'Slack token', text: `xoxb-${text}` })),
  letters(`${alphanumeric}-_`, { minLength: 35, maxLength: 35 }).map((text) => ({ kind: 'Google API key', text: `AIza${text}` })),
  letters(`${alphanumeric}-_`, { minLength: 20, maxLength: 30 }).map((text) => ({ kind: 'GitLab token', text: `glpat-${text}` })),
  letters(alphanumeric, { minLength: 36, maxLength: 36 }).map((text) => ({ kind: 'npm token', text: `npm_${text}` })),
  letters(`${alphanumeric}-_`, { minLength: 50, maxLength: 90 }).map((text) => ({ kind: 'PyPI token', text: `pypi-AgE${text}` })),
  letters(alphanumeric, { minLength: 16, maxLength: 40 }).map((text) => ({ kind: 'Stripe key', text: `sk_live_${text}` })),
  letters(`${alphanumeric}-_`, { minLength: 20, maxLength: 80 }).map((text) => ({
    kind: 'JSON web token',
    text: `eyJ${text}.${text}.${text}`,
  })),
  letters(`${alphanumeric}+/\n`, { minLength: 20, maxLength: 200 }).map((text) => ({
    kind: 'private key',
    text: `-----BEGIN RSA PRIVATE KEY-----\n${text}\n-----END RSA PRIVATE KEY-----`,
  })),
);
/** Words around a secret: none of their characters can be a part of one. */
const around = fc.string({ unit: fc.constantFrom(' ', '\n', '"', ':', 'é', '(', ')'), maxLength: 20 });
const value = fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme' });

describe('a text that is to be stored', () => {
  it('keeps nothing of a known credential, says its kind, and is otherwise what it was', () => {
    fc.assert(
      fc.property(credential, around, around, ({ kind, text }, before, after) => {
        expect(redactor([])(`${before} ${text} ${after}`)).toBe(`${before} ${secretMark(kind)} ${after}`);
      }),
    );
  });

  it('keeps no value of the environment, whatever characters it has, wherever it stands', () => {
    fc.assert(
      fc.property(value, fc.string(), fc.string(), (secret, before, after) => {
        const redacted = redactor([{ name: 'MY_TOKEN', value: secret }])(`${before}${secret}${after}`);
        expect(redacted.replaceAll(secretMark('value of MY_TOKEN'), '')).not.toContain(secret);
        expect(redacted).toContain(secretMark('value of MY_TOKEN'));
      }),
    );
  });

  it('is not touched a second time', () => {
    fc.assert(
      fc.property(credential, fc.string(), ({ text }, words) => {
        const redact = redactor([{ name: 'API_KEY', value: 'correct horse' }]);
        const once = redact(`${words} ${text} correct horse`);
        expect(redact(once)).toBe(once);
      }),
    );
  });

  it('loses a private key to its end where the text breaks off in it', () => {
    expect(redactor([])('a\n-----BEGIN PRIVATE KEY-----\nMIIEv')).toBe(`a\n${secretMark('private key')}`);
  });

  it('takes the longer of two values of which one begins the other', () => {
    const redact = redactor([
      { name: 'A_KEY', value: 'abcdefgh' },
      { name: 'B_KEY', value: 'abcdefghijk' },
    ]);
    expect(redact('abcdefghijk abcdefgh')).toBe(`${secretMark('value of B_KEY')} ${secretMark('value of A_KEY')}`);
  });

  it.each([
    ['postgres://me:correct-horse@db.example:5432/asi', 'postgres://me:', '@db.example:5432/asi'],
    ['redis://:p@ss:word@localhost', 'redis://:', '@localhost'],
    ['"git+https://bot:x0@[::1]/a.git"', '"git+https://bot:', '@[::1]/a.git"'],
  ])('loses the password of an address, and that alone: %s', (text, before, after) => {
    const redacted = redactor([])(text);
    expect(redacted).toBe(`${before}${secretMark('password of an address')}${after}`);
    expect(redactor([])(redacted)).toBe(redacted);
  });

  it.each(['aws_secret_access_key = "KEY"', 'AWS_SECRET_ACCESS_KEY=KEY', '{"SecretAccessKey": "KEY"}', "secret_key: 'KEY'"])(
    'loses the secret half of an AWS key by the name it is given to: %s',
    (text) => {
      const key = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
      expect(redactor([])(text.replace(/KEY(?="|'|$)/, key))).toBe(text.replace(/KEY(?="|'|$)/, secretMark('AWS secret key')));
    },
  );

  it('loses a key of Anthropic, whose parts are of capitals, digits and hyphens', () => {
    const key = 'sk-ant-api03-Zr4-Qw_7tYbN2-kLx9_Vc8Mf-3JhGd6Sa_0PoUi5-EyRt1Wn_Bq4Xz-7CvKj2Hg_5Lf8Md-6Sp3AQAA';
    expect(redactor([])(`key="${key}"`)).toBe(`key="${secretMark('API key')}"`);
  });

  it.each(['sk-7Abc-defGhi_9kLmNopQrStUvWx', 'sk-lf-0f1e2d3c-aaaa-bbbb-cccc-0123456789ab'])(
    'loses a key with a hyphen or two in it: %s',
    (key) => {
      expect(redactor([])(`key="${key}"`)).toBe(`key="${secretMark('API key')}"`);
    },
  );

  it.each([
    'a sk-learn-style-2-stage estimator',
    'sk-learn-style-two-stage-pipeline-with-16-heads-and-a-long-name-2026',
    'sk-proj-ection-of-the-input-by-a-matrix-of-rank-16-or-less',
    'sk-1234567890-1234567890-1234567890',
    'sk-models-DeltaNet-with-16-heads-and-a-longer-name-2026',
    'gsk_rate = self.gsk_linear_attention_weight_of_the_layer_number_2',
    'xai-for-linear-attention-2026',
    'aws_secret_access_key = os.environ["AWS_SECRET_ACCESS_KEY"]',
    `secret_key = "${'a'.repeat(40)}"`,
    'self.key = nn.Linear(hidden_size, hidden_size)  # 1234567890abcdefABCDEF1234567890abcdefAB12',
    'https://huggingface.co/docs/hf_hub:8080/a@b',
    'ssh://git@github.com:22/asi/arch.git',
    'http://127.0.0.1:8233/namespaces/default',
    'url = "postgres://{user}:{password}@{host}"',
    'url = f"postgres://$USER:$PASSWORD@db"',
    'postgres://user:<password>@host',
    'import torch  # a@b.example: see https://x.example/a:b@c',
    'self.hf_linear_attention_weight = nn.Parameter(torch.zeros(hf_dim))',
    'xoxo-kisses, xoxb-short and glpat-short, glpatina-of-a-long-word-or-two',
    'AIzawa is a name',
    'npm_config_cache, npm_lifecycle_event, pypi-server and sk_live_short',
    '/usr/lib/python3.13/site-packages/torch/_C/_distributed_c10d.pyi',
    'sha256:5d41402abc4b2a76b9719d911017c592aa55bb7e9b1c1d1ea1a0f6b1d7f0c1e2',
    'decorated = @torch.compile: x @ w.T',
    'risk-averse-and-long-enough-words',
    'sk-ip-connection-of-the-input',
    'step 10: loss 3.2500',
    'a'.repeat(64),
    'layers.0.mixer.out.weight',
    'task-sk-short',
    'line 3: attribute __dict__; a mixer has no use for it',
  ])('is left as it is where there is none: %s', (text) => {
    expect(redactor([{ name: 'MY_TOKEN', value: 'something else' }])(text)).toBe(text);
  });
});

describe('secretFinder', () => {
  it('names kind and line of the first, and nothing where there is none', () => {
    const find = secretFinder([{ name: 'MY_TOKEN', value: 'correct horse' }]);
    expect(find('import torch\nx = 1\n')).toBeNull();
    expect(find(`import torch\nkey = "ghp_${'a1'.repeat(18)}"\n# correct horse\n`)).toEqual({ what: 'GitHub token', line: 2 });
    expect(find('# correct horse')).toEqual({ what: 'value of MY_TOKEN', line: 1 });
  });
});

describe('the environment', () => {
  it('has secrets where a name says so and the value is no everyday word', () => {
    const environment = {
      OPENAI_API_KEY: '12345678',
      my_password: 'longer than eight',
      DB_CREDENTIALS: 'user:password',
      GITHUB_TOKEN: 'short',
      PATH: '/usr/bin:/bin',
      EMPTY_KEY: undefined,
    };
    expect(secretsIn(environment).map(({ name }) => name)).toEqual(['OPENAI_API_KEY', 'my_password', 'DB_CREDENTIALS']);
  });

  it.each([
    'SMTP_PASS',
    'PASS',
    'DB_PASS_2',
    'SENTRY_DSN',
    'GH_PAT',
    'npm_config__auth',
    'REDIS_AUTH',
    'GPG_PASSPHRASE',
    'DB_PASSWD',
    'MYSQL_PWD',
    'PGPASS',
  ])('has a secret in %s', (name) => {
    expect(secretsIn({ [name]: 'correct horse' })).toEqual([{ name, value: 'correct horse' }]);
  });

  it.each([
    'PATH',
    'PYTHONPATH',
    'GIT_AUTHOR_NAME',
    'XAUTHORITY',
    'SSH_AUTH_SOCK',
    'SSH_ASKPASS',
    'BYPASS',
    'COMPASS',
    'PATTERN',
    'KEYBOARD_LAYOUT',
    'TOKENIZERS_PARALLELISM',
    'PWD',
  ])('has none in %s', (name) => {
    expect(secretsIn({ [name]: '/some/value' })).toEqual([]);
  });

  it('has none in what every shell sets', () => {
    const environment = { HOME: '/home/me', PWD: '/home/me/asi-arch', LANG: 'C.UTF-8', TERM: 'xterm-256color', SHLVL: '1' };
    expect(secretsIn(environment)).toEqual([]);
  });
});

describe('a record', () => {
  it('loses the secrets of every text in it, and nothing else', () => {
    const redact = redactor([{ name: 'A_KEY', value: 'abcdefgh' }]);
    const record = { a: [1, null, { text: 'x abcdefgh' }], b: true, c: 'plain' };
    expect(redactAll(record, redact)).toEqual({
      a: [1, null, { text: `x ${secretMark('value of A_KEY')}` }],
      b: true,
      c: 'plain',
    });
    // A variable whose value is a word of the record must not make the record unreadable.
    const word = redactor([{ name: 'KIND_KEY', value: 'baseline' }]);
    expect(redactAll({ kind: 'baseline', text: 'of the baseline' }, word)).toEqual({
      kind: 'baseline',
      text: `of the ${secretMark('value of KIND_KEY')}`,
    });
    expect(redactAll('sk-abcdefghijklmnopqrstuv7', word)).toBe(secretMark('API key'));
    expect(redactAll('glpat-abcdefghijklmnopqrst', word)).toBe(secretMark('GitLab token'));
    const whole = redactor([{ name: 'API_KEY', value: 'd41d8cd98f00b204e9800998ecf8427e' }]);
    expect(redactAll(['d41d8cd98f00b204e9800998ecf8427e'], whole)).toEqual([secretMark('value of API_KEY')]);
    expect(redactAll('xoxb-1234567890-abcdef', word)).toBe(secretMark('Slack token'));
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(redactAll(value, (text) => text)).toBe(value);
      }),
    );
  });

  it('keeps ids and paths, by which records and files are found', () => {
    const redact = redactor([{ name: 'DB_PASS', value: 'research1' }]);
    const record = {
      id: 'c-sk-linear-attention-run7/e0001/tiny/s10001',
      campaign: 'c-research1-run',
      job: 'c-research1-run/e0002/tiny/s10001#train',
      start: '/home/research1/sk-attention-mixers-2026/mixer.py',
    };
    expect(redactAll(record, redact)).toEqual(record);
    expect(redactAll('the run c-research1-run/e0002 failed', redact)).toBe(
      `the run c-${secretMark('value of DB_PASS')}-run/e0002 failed`,
    );
    expect(redactAll('/home/x?token=sk-abcdefghijklmnopqrstuv7', redact)).toBe(`/home/x?token=${secretMark('API key')}`);
  });

  it.each([
    '-eyJa',
    'eyJabcdefgh.',
    'x://y:',
    'sk-',
    'sk-a-',
    'sk-aaaaaaaaaaaa-',
    'secret_key = ',
    'xai-',
    'glpat-',
    '-----BEGIN PRIVATE KEY',
    'https://a:b',
  ])('is read once: megabytes of "%s" do not hold anybody up', (beginning) => {
    // By a pattern that begins anew at each of them this takes hours; the test's time limit ends that.
    expect(redactor([])(beginning.repeat(2_000_000 / beginning.length)).length).toBeGreaterThan(0);
  });
});
