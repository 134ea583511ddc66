import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor } from '../../src/observe/redact.ts';
import { canBeRead, encodings, secrets } from '../redaction/samples.ts';

const none = createRedactor();

describe('a key that names a secret hides its value, whatever it holds', () => {
  const names = [
    'password',
    'PASSWORD',
    'Pass-Word',
    'user_password',
    'db.passwd',
    'passphrase',
    'secret',
    'client_secret',
    'aws_secret_access_key',
    'SecretAccessKey',
    'token',
    'accessToken',
    'refresh-token',
    'Authorization',
    'proxy-authorization',
    'apiKey',
    'API_KEY',
    'X-Api-Key',
    'x api key',
    'cookie',
    'Set-Cookie',
    'privateKey',
    'private_key_pem',
    'credentials',
    'sessionId',
    'Mcp-Session-Id',
    'connection_string',
    'ＡＰＩ＿ＫＥＹ',
    'pin',
    'otp',
  ];
  test.each(names)('%s', (name) => {
    for (const value of ['hunter2', 4711, ['a', 'b'], { inner: 'hunter2' }, true]) {
      expect(none.value({ outer: [{ [name]: value }] })).toEqual({ outer: [{ [name]: '[redacted]' }] });
    }
  });

  test.each(['pinned', 'description', 'author', 'path', 'compass', 'keyboard', 'max_tokens', 'totalTokens'])(
    'but not %s',
    (name) => {
      expect(none.value({ [name]: 12 })).toEqual({ [name]: 12 });
    },
  );

  test('also where the name stands beside its value', () => {
    const headers = [
      { name: 'Authorization', value: 'Custom abc' },
      { name: 'Accept', value: 'text/html' },
    ];
    expect(none.value(headers)).toEqual([
      { name: 'Authorization', value: '[redacted]' },
      { name: 'Accept', value: 'text/html' },
    ]);
  });
});

describe('a known form of secret is hidden inside any text', () => {
  const pem = '-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\nabc\n-----END RSA PRIVATE KEY-----';
  const forms: readonly [string, string][] = [
    ['JWT', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'],
    ['private key', pem],
    ['private key on one line', pem.replaceAll('\n', '\\n')],
    ['encrypted private key', pem.replaceAll('RSA PRIVATE', 'ENCRYPTED PRIVATE')],
    ['AWS access key id', 'AKIAIOSFODNN7EXAMPLE'],
    ['GitHub token', 'ghp_0123456789abcdefghijABCDEFGHIJ012345'],
    ['GitHub fine-grained token', 'github_pat_11ABCDEFG0123456789_abcdefghijklmnop'],
    ['GitLab token', 'glpat-0123456789abcdefghij'],
    ['Slack token', 'xoxb-123456789012-abcdefABCDEF'],
    ['Stripe key', 'sk_live_0123456789abcdefghijABCD'],
    ['Google key', 'AIzaSyA0123456789abcdefghijABCDEFGHIJ01'],
    ['npm token', 'npm_0123456789abcdefghijABCDEFGHIJ012345'],
    ['own API key', 'spk_nightly_0123456789abcdef'],
    ['Bearer value', 'Bearer abcdef0123456789'],
    ['Basic value', `Basic ${Buffer.from('alice:hunter2').toString('base64')}`],
    ['assignment', 'password=hunter2hunter2'],
    ['member of JSON in a text', '{"client_secret": "hunter2 hunter2"}'],
    ['quoted member of JSON in a text', '{\\"api_key\\":\\"hunter2\\"}'],
  ];
  test.each(forms)('%s', (_name, secret) => {
    const core = secret.includes('hunter2') ? 'hunter2' : secret.slice(8, 24);
    for (const text of [secret, `before ${secret} after`, `(${secret})`, `x\n${secret}\ny`]) {
      const shown = none.text(text);
      expect(shown).toContain('[redacted]');
      expect(shown).not.toContain(core);
    }
    expect(none.text(`before ${secret}`)).toMatch(/^before /);
  });

  test.each([
    ['https://alice:hunter2@db.internal/x', 'https://[redacted]@db.internal/x'],
    ['amqp://u:p@ss:w0rd@host', 'amqp://[redacted]@host'],
    ['see https://example.com/a@b', 'see https://example.com/a@b'],
  ])('user info in %s', (text, shown) => {
    expect(none.text(text)).toBe(shown);
  });

  test('a private key without its end is hidden to the end of the text', () => {
    expect(none.text('a -----BEGIN PRIVATE KEY-----\nMIIE rest')).toBe('a [redacted]');
  });

  test.each([
    'select * from users where id = 1',
    'the basic question is',
    'eyJ',
    'mailto:alice@example.com',
    '100%',
  ])('plain text stays as it is: %s', (text) => {
    expect(none.text(text)).toBe(text);
  });
});

/** Every spelling of a text that a tool argument may carry it in. */
function spellings(secret: string, pad: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const everyByte = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(secret).toLowerCase() === encodeURIComponent(secret) ? secret : everyByte,
    everyByte,
    everyByte.toUpperCase(),
    ...[0, 1, 2, 3].flatMap((count) => {
      const around = Buffer.from(`${pad.repeat(count)}${secret}${pad.repeat(count)}`);
      return [around.toString('base64'), around.toString('base64url')];
    }),
    JSON.stringify({ x: secret }),
  ];
}

describe('secrets that the gateway holds', () => {
  const held = fc
    .string({ unit: 'grapheme-ascii', minLength: 12, maxLength: 60 })
    .filter((text) => text.trim() === text && new Set(text).size > 4 && !'[redacted]'.includes(text));

  test('never survive, in any spelling, at any place of any value', () => {
    fc.assert(
      fc.property(
        held,
        fc.constantFrom('a', 'Z', '7', '-'),
        fc.jsonValue({ maxDepth: 3 }),
        fc.string({ maxLength: 12 }),
        fc.string({ maxLength: 12 }),
        fc.nat(),
        fc.boolean(),
        (secret, pad, noise, before, after, place, asKey) => {
          const redactor = createRedactor([secret]);
          const all = spellings(secret, pad);
          const spelling = all[place % all.length] as string;
          const planted = `${before}${spelling}${after}`;
          const value = asKey
            ? { noise, deep: [{ [planted]: noise }] }
            : { noise, deep: [noise, { x: [planted] }] };
          const seen: string[] = [];
          collect(redactor.value(value), seen);
          for (const text of seen) {
            expect(text).not.toContain(spelling);
            expect(text).not.toContain(secret);
            expect(unescaped(text)).not.toContain(secret);
            for (const part of text.split(/[^A-Za-z0-9+/_=-]+/)) {
              for (const shift of [0, 1, 2, 3]) {
                expect(Buffer.from(part.slice(shift), 'base64').toString('latin1')).not.toContain(secret);
              }
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('are found where one holds the beginning of another', () => {
    const redactor = createRedactor(['abcdefgh', 'efghijklmnop']);
    expect(redactor.text('x abcdefghijklmnop y')).toBe('x [redacted] y');
  });

  test('are found as numbers too', () => {
    expect(createRedactor(['12345678']).value({ n: 12345678, m: 1234567 })).toEqual({
      n: '[redacted]',
      m: 1234567,
    });
  });

  test('do not show their beginning where a text is cut', () => {
    const secret = 'correct-horse-battery-staple';
    for (let at = 80; at <= 100; at += 1) {
      const shown = createRedactor([secret]).text(`${'x'.repeat(at)}${secret}`, 100);
      expect(shown).not.toContain('corr');
    }
  });

  test('do not come into view because something before them was hidden', () => {
    const token = `ghp_${'a'.repeat(50_000)}`;
    const secret = 'correct-horse-battery-staple';
    expect(createRedactor([secret]).text(`${token} ${'y'.repeat(40_000)} ${secret}`, 60_000)).not.toContain(
      'horse',
    );
  });

  test('change with hold', () => {
    const redactor = createRedactor(['old-secret-1']);
    redactor.hold(['new-secret-2']);
    expect(redactor.text('old-secret-1 new-secret-2')).toBe('old-secret-1 [redacted]');
  });
});

function collect(value: unknown, into: string[]): void {
  if (typeof value === 'string') into.push(value);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      into.push(key);
      collect(member, into);
    }
  }
}

function unescaped(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

describe('bounds', () => {
  test('depth', () => {
    let deep: unknown = 'x';
    for (let i = 0; i < 100_000; i += 1) deep = [deep];
    expect(JSON.stringify(none.value(deep))).toBe(`${'['.repeat(32)}"[truncated]"${']'.repeat(32)}`);
  });

  test('number of values', () => {
    const shown = none.value(Array.from({ length: 1_000_000 }, () => 1)) as unknown[];
    expect(shown.length).toBeLessThanOrEqual(5001);
    expect(shown.at(-1)).toBe('[truncated]');
  });

  test('text', () => {
    const shown = none.value({ a: 'x'.repeat(1_000_000), b: 'y' }) as Record<string, unknown>;
    expect(String(shown['a']).length).toBeLessThan(40_000);
    expect(shown['a']).toMatch(/\[truncated\]$/);
    expect(shown).toHaveProperty('[truncated]');
  });

  const hostile: readonly [string, string][] = [
    ['token beginnings', 'eyJ'.repeat(20_000)],
    ['dotted token beginnings', 'eyJ.'.repeat(16_000)],
    ['key beginnings', '-----BEGIN PRIVATE KEY-----'.repeat(2500)],
    ['URL beginnings', '://a:'.repeat(13_000)],
    ['percent signs', '%'.repeat(65_000)],
    ['assignments', 'password='.repeat(7000)],
    ['spaces', `bearer${' '.repeat(65_000)}`],
    ['basic', 'basic '.repeat(11_000)],
    ['quotes', 'token:"'.repeat(9000)],
    ['prefixes', 'ghp_AKIAxoxb-sk_live_'.repeat(3000)],
  ];
  test.each(hostile)('an answer for a text made of %s', (_name, text) => {
    expect(typeof none.text(text, 65_536)).toBe('string');
  });
});

describe('any JSON', () => {
  test('without secrets keeps its shape', () => {
    const value = { a: [1, 'two', null, true, { b: {} }], c: 'three' };
    expect(none.value(value)).toEqual(value);
  });

  test('keeps the digits of a number beyond 2^53', () => {
    const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
    expect(JSON.stringify(none.value({ n: rawJSON('12345678901234567890') }))).toBe(
      '{"n":12345678901234567890}',
    );
  });

  test('with a __proto__ key does not reach a prototype', () => {
    const shown = none.value(JSON.parse('{"__proto__":{"polluted":1}}'));
    expect(JSON.stringify(shown)).toBe('{"__proto__":{"polluted":1}}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('keeps both of two keys that were hidden alike', () => {
    const redactor = createRedactor(['first-held', 'other-held']);
    expect(redactor.value({ 'first-held': 1, 'other-held': 2 })).toEqual({
      '[redacted]': 1,
      '[redacted]~2': 2,
    });
  });
});

describe('secrets of a known form and held ones are hidden in every encoding', () => {
  const held = 'correct-horse/battery+staple';
  const redactor = createRedactor([held]);
  const samples = Object.entries({ ...secrets, held });
  test.each(samples)('%s', (_name, secret) => {
    for (const [encoding, encode] of Object.entries(encodings)) {
      expect(canBeRead(redactor.text(encode(secret)), secret), encoding).toBe(false);
      const value = JSON.stringify(redactor.value({ [encode(secret)]: [encode(secret)] }));
      expect(canBeRead(value, secret), encoding).toBe(false);
    }
  });
});
