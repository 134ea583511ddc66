import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createContentRedactor, type Hits, type TextTail } from '../../src/redaction/redact-text.ts';
import { type RedactionClass, redactionClasses } from '../../src/redaction/span.ts';
import { canBeRead, encodings, secrets } from './samples.ts';

const held = 'correct-horse/battery+staple';
const redactor = createContentRedactor({
  key: Buffer.alloc(32, 7),
  secrets: [held],
  phoneRegion: 'DE',
});
const all: ReadonlySet<RedactionClass> = new Set(redactionClasses);

function redact(text: string, ...classes: RedactionClass[]): string {
  return redactor.text(text, classes.length === 0 ? all : new Set(classes), new Map());
}

describe('secrets of a known form are hidden in every encoding', () => {
  const samples = Object.entries({ ...secrets, held });
  test.each(samples)('%s', (_name, secret) => {
    for (const [encoding, encode] of Object.entries(encodings)) {
      const shown = redact(encode(secret), 'secrets');
      expect(canBeRead(shown, secret.slice(-20)), `${encoding}: ${shown}`).toBe(false);
      expect(redact(encode(secret), 'keys', 'cards')).toBe(encode(secret));
    }
  });

  test.each([
    ['postgres://reader:hunter2!@db.internal/sales', 'postgres://reader:[redacted:secrets:'],
    ['Authorization: Bearer 0123456789abcdefABCDEF', 'Authorization: Bearer [redacted:secrets:'],
    [`Basic ${Buffer.from('alice:hunter2').toString('base64')}`, 'Basic [redacted:secrets:'],
    [
      'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      'aws_secret_access_key = [redacted:secrets:',
    ],
  ])('%s', (text, beginning) => {
    expect(redact(text, 'secrets').startsWith(beginning)).toBe(true);
  });

  test('a token whose checksum is wrong is no token', () => {
    for (const name of ['github', 'github app', 'npm']) {
      const wrong = secrets[name]!.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));
      expect(redact(`see ${wrong} there`, 'secrets')).toBe(`see ${wrong} there`);
    }
  });

  test('base64 of a text stays base64 of a text', () => {
    const shown = redact(
      Buffer.from(`user alice, key ${secrets['github']}, end`).toString('base64'),
      'secrets',
    );
    expect(Buffer.from(shown, 'base64').toString()).toMatch(
      /^user alice, key \[redacted:secrets:[0-9a-f]{8}\], end$/,
    );
  });
});

describe('values whose name tells are hidden', () => {
  test.each([
    ['{"password": "hunter2 hunter2"}', '{"password": "', '"}'],
    ['{\\"client_secret\\":\\"hunter2\\"}', '{\\"client_secret\\":\\"', '\\"}'],
    ['DB_PASSWORD=hunter2', 'DB_PASSWORD=', ''],
    ['Server=db;User=sa;Password=hunterhunter;Timeout=3', 'Server=db;User=sa;Password=', ';Timeout=3'],
    ['https://x.example/?api_key=abcd1234&page=2', 'https://x.example/?api_key=', '&page=2'],
    ["spring.datasource.password: 'hunter2'", "spring.datasource.password: '", "'"],
    ['export API_TOKEN=abcdefghij', 'export API_TOKEN=', ''],
  ])('%s', (text, before, after) => {
    const shown = redact(text, 'keys');
    expect(shown.startsWith(`${before}[redacted:keys:`), shown).toBe(true);
    expect(shown.endsWith(`]${after}`), shown).toBe(true);
  });
});

describe('numbers of persons and their money are hidden', () => {
  test.each<[RedactionClass, string]>([
    ['cards', '4111111111111111'],
    ['cards', '4111 1111 1111 1111'],
    ['cards', '5555-5555-5555-4444'],
    ['cards', '3782 822463 10005'],
    ['cards', '6011111111111117'],
    ['cards', '2223003122003222'],
    ['ibans', 'DE89370400440532013000'],
    ['ibans', 'GB29 NWBK 6016 1331 9268 19'],
    ['ibans', 'FR14 2004 1010 0505 0001 3M02 606'],
    ['ibans', 'NO93 8601 1117 947'],
    ['emails', 'alice@example.com'],
    ['emails', 'alice.o-neill+tag@mail.example.co.uk'],
    ['emails', 'j\u00f6rg@m\u00fcller.example'],
    ['phones', '+49 30 901820'],
    ['phones', '+1 (555) 123-4567'],
    ['phones', '+442079460958'],
    ['phones', '030 901820'],
    ['nationalNumbers', '123-45-6789'],
    ['nationalNumbers', 'AB 12 34 56 C'],
    ['nationalNumbers', '86095742719'],
    ['nationalNumbers', '2 55 08 14 168 025 38'],
    ['nationalNumbers', '12345678Z'],
    ['nationalNumbers', 'RSSMRA85T10A562S'],
    ['nationalNumbers', '811228-9874'],
    ['nationalNumbers', '131052-308T'],
    ['nationalNumbers', '756.9217.0769.85'],
    ['nationalNumbers', '529.982.247-25'],
    ['nationalNumbers', '85.07.30-033.28'],
    ['nationalNumbers', '046-454-286'],
    ['nationalNumbers', '10000000146'],
    ['nationalNumbers', '11010519491231002X'],
  ])('%s: %s', (which, text) => {
    for (const around of [(x: string) => x, (x: string) => `it is ${x}, yes.`, (x: string) => `"${x}"`]) {
      const shown = redact(around(text), which);
      expect(shown.replace(/\[redacted:([A-Za-z]+):[0-9a-f]{8}\]/, '<$1>')).toBe(around(`<${which}>`));
    }
    expect(canBeRead(redact(encodeURIComponent(`x=${text}`), which), text)).toBe(false);
    expect(canBeRead(redact(Buffer.from(`it is ${text}`).toString('base64'), which), text)).toBe(false);
  });

  test.each([
    ['17,4111111111111111,12/27', '17,<cards>,12/27'],
    ['alice,4111111111111111', 'alice,<cards>'],
    ['17,123-45-6789,alice', '17,<nationalNumbers>,alice'],
    ['alice,123-45-6789,55', 'alice,<nationalNumbers>,55'],
    ['17,+49 30 901820,5', '17,<phones>,5'],
    ['tel:+4930901820', 'tel:<phones>'],
    ['{\\"to\\":\\"\\nalice@example.com\\"}', '{\\"to\\":\\"\\n<emails>\\"}'],
    ['0,4111111111111111', '0,4111111111111111'],
    ['3,86095742719', '3,86095742719'],
    ['1,234,567,890', '1,234,567,890'],
    ['48.137154,11.576124', '48.137154,11.576124'],
  ])('in columns, URIs and escaped texts: %s', (text, expected) => {
    expect(redact(text).replace(/\[redacted:([A-Za-z]+):[0-9a-f]{8}\]/g, '<$1>')).toBe(expected);
  });

  test.each([
    ['nationalNumbers', 'Social Security number 123456789'],
    ['nationalNumbers', 'BSN: 111222333'],
    ['nationalNumbers', 'NIF 123456789'],
    ['phones', 'call 030901820'],
  ] as const)('%s only where a word announces it: %s', (which, text) => {
    expect(redact(text, which)).toContain(`[redacted:${which}:`);
    const bare = text.replace(/^.*?(?=\d)/, 'order ');
    expect(redact(bare, which)).toBe(bare);
  });
});

describe('honest text stays as it is', () => {
  test.each([
    'commit 9fceb02d0ae598e95dc970b74767f19372d61af8 by build',
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'id 550e8400-e29b-41d4-a716-446655440000, next 6ba7b810-9dad-11d1-80b4-00c04fd430c8',
    'sha512-zsO0rbdGcFXbOB2E0fWTcSkN9R0fbNR2R7gQKbRvUOvZMKwVJqUFzXHNHw+2VtHNpoOEhFLQHYGzMgJGXkRSdw==',
    'order 4000123412341235, invoice 20241121-000123, tracking 1Z999AA10123456784',
    'ISBN 978-3-16-148410-0 and 9780306406157, EAN 4006381333931',
    '2026-11-21T08:30:15.007Z, 1732178415007, 1732178415, 2026/11/21, 21.11.2026 08:30',
    'color: #ff8800; background: #a1b2c3d4',
    'const token = await getToken(); const password = input("password: "); f(token=token, secret=secret)',
    'if (user.password === null) throw new Error("password required"); // Password: must have 8 characters',
    'import { a } from "@types/node"; git clone git@github.com:acme/app.git; npm i react@18.2.0 icon@2x.png',
    'docker pull registry.example.org/team/app@sha256:0123456789abcdef0123456789abcdef',
    '192.168.10.20:8080, 10.0.0.0/8, fe80::1ff:fe23:4567:890a, 00:1B:44:11:3A:B7',
    '{"next_page_token": "CAoQAA", "max_tokens": 4096, "token_type": "bearer", "password_policy": "strong"}',
    '{"nextCursor":"eyJwYWdlIjoyfQ","total":120,"secretName":"db-credentials","tokens":[1,2]}',
    'See https://example.org/a/very/long/path/to/some/article-about-tokens-and-secrets?page=2#bearer-tokens',
    'The bearer token authentication scheme is basic knowledge; a basic authentication header follows.',
    'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, sk_live_xxxxxxxxxxxxxxxxxxxxxxxx, postgres://user:password@localhost/db',
    'password=$'.concat('{DB_PASSWORD} token=<your-token> secret={{ .Values.secret }} api_key=$API_KEY'),
    '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUX\n-----END CERTIFICATE-----',
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 alice',
    '3.14159265358979323846 1,234,567,890.12 0xdeadbeefcafebabe 1e10 12345678901234567890',
    'lat 48.137154, lon 11.576124; 48.1371540000, 11.5761240000; +0200; v1.2.3-beta.4+567',
    'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.',
    'R2D2 C3PO SKU-12345-ABC A1B2C3D4E5F6 ABC-123-DEF-456 part no. 7700-1234-5678',
    'diff --git a/x b/x\nindex 83db48f..bf2a1c3 100644\n--- a/x\n+++ b/x\n@@ -1,7 +1,9 @@\n+12345678 lines',
  ])('%s', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('base64 of bytes without secrets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 200, maxLength: 2000 }), (bytes) => {
        const text = `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`;
        expect(redact(text, 'secrets', 'keys', 'cards', 'ibans')).toBe(text);
      }),
      { numRuns: 100 },
    );
  });
});

describe('marks', () => {
  test('of equal values are equal, whatever they were written in, and differ under another key', () => {
    const token = secrets['github']!;
    const tags = [token, encodings['URL, every character']!(token), encodings['JSON']!(token)].map(
      (text) => /\[redacted:secrets:([0-9a-f]{8})\]/.exec(redact(text, 'secrets'))?.[1],
    );
    expect(new Set(tags).size).toBe(1);
    expect(tags[0]).toBeDefined();
    const other = createContentRedactor({ key: Buffer.alloc(32, 8) });
    expect(other.text(token, all, new Map())).not.toContain(tags[0]);
    expect(redact(secrets['npm']!, 'secrets')).not.toContain(tags[0]);
  });

  test('are counted by class', () => {
    const hits: Hits = new Map();
    redactor.text(`${secrets['github']} a@b.example c@d.example`, all, hits);
    expect([...hits]).toEqual([
      ['secrets', 1],
      ['emails', 2],
    ]);
  });

  const piece = fc.oneof(
    fc.constantFrom(
      ...Object.values(secrets),
      held,
      'alice@example.com',
      '4111 1111 1111 1111',
      'DE89370400440532013000',
      '+49 30 901820',
      '123-45-6789',
      'password=hunter22',
      '"api_key": "abcd1234"',
      '[redacted:secrets:12345678]',
      'redacted.cards.87654321',
    ),
    fc.string({ maxLength: 20 }),
    fc.constantFrom(' ', '\n', '"', '=', ':', '%20', '\\n', '@', '-', '.', '+', '/'),
  );
  const text = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(''));

  test('stay as they are when they are read again, and no text grows without bound', () => {
    fc.assert(
      fc.property(text, (given) => {
        const once = redact(given);
        expect(redact(once)).toBe(once);
        expect(once.length).toBeLessThanOrEqual(given.length * 12 + 64);
        expect(once).not.toContain(held);
      }),
      { numRuns: 500 },
    );
  });

  test('leave JSON in a text readable', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const shown = redact(JSON.stringify({ a, password: b, c: [a, b] }));
        expect(() => JSON.parse(shown) as unknown).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });
});

describe('a secret that is split over two texts', () => {
  const classes: ReadonlySet<RedactionClass> = new Set(['secrets', 'emails']);

  function read(parts: readonly string[]): string[] {
    let tail: TextTail | undefined;
    return parts.map((part) => {
      const next = redactor.next(part, classes, new Map(), tail);
      tail = next.tail;
      return next.text;
    });
  }

  test.each(Object.entries({ held, ...secrets }))(
    '%s: its second part is hidden, and its first where it can be told',
    (name, secret) => {
      for (let at = 1; at < secret.length; at += 1) {
        const [first, second] = read([`see ${secret.slice(0, at)}`, `${secret.slice(at)} there`]);
        expect(`${first}${second}`, `${name} at ${at}`).not.toContain(secret);
        expect(second!.endsWith(' there')).toBe(true);
        const rest = secret.slice(at);
        if (rest.length > 3) expect(second, `${name} at ${at}`).not.toContain(rest);
        if (name === 'held' && at >= 8) expect(first).not.toContain(secret.slice(0, at));
      }
    },
  );

  test('over three texts too', () => {
    const token = secrets['github']!;
    const shown = read([`a ${token.slice(0, 12)}`, token.slice(12, 25), `${token.slice(25)} b`]).join('');
    for (const part of [token.slice(4, 12), token.slice(12, 25), token.slice(25)])
      expect(shown).not.toContain(part);
  });

  test('a private key over many', () => {
    const lines = [
      '-----BEGIN RSA PRIVATE KEY-----',
      'MIIEowIBAAKCAQEA7',
      'abcdefghijklmnop',
      'qrstuvwxyz==',
      '-----END RSA PRIVATE KEY----- after',
    ];
    const shown = read(lines.map((line) => `${line}\n`)).join('');
    expect(shown).not.toMatch(/MIIE|abcdef|qrstu/);
    expect(shown).toContain(' after');
  });

  test('honest texts in a row stay as they are', () => {
    const parts = [
      'Reading 12 files',
      'step 3 of 4',
      'done: ghp is a prefix',
      'token',
      'ized text',
      '4111',
      ' 1111',
    ];
    expect(read(parts)).toEqual(parts);
  });
});

describe('work grows with the text, and not faster', () => {
  const hostile: readonly [string, string][] = [
    ['token beginnings', 'eyJ'],
    ['dotted token beginnings', 'eyJhbGciOiJ.'],
    ['prefixes', 'ghp_AKIAxoxb-sk_live_github_pat_'],
    ['keys', '-----BEGIN PRIVATE KEY-----'],
    ['URLs', '://a:b'],
    ['at signs', 'a@b.'],
    ['percent signs', '%41%'],
    ['escapes', '\\u0041\\/'],
    ['assignments', 'password='],
    ['quotes', '"token":"'],
    ['digits', '4111 1111 '],
    ['phones', '+49 30 9'],
    ['IBANs', 'DE89 3704 '],
    ['base64', 'QUFB'],
    ['base64 lines', 'QUFBQUFBQUFBQUFBQUFBQUFB\n'],
    ['held', held.slice(0, -1)],
  ];
  /** Counts calls of `exec` and of the string searches, as a stand-in for steps. */
  test.each(hostile)('%s', (_name, piece) => {
    const steps = (count: number): number => {
      const text = piece.repeat(count);
      let read = 0;
      const execute = RegExp.prototype.exec;
      RegExp.prototype.exec = function (this: RegExp, input: string) {
        read += 1;
        const match = execute.call(this, input);
        read += match?.[0].length ?? 0;
        return match;
      };
      try {
        redact(text);
      } finally {
        RegExp.prototype.exec = execute;
      }
      return read + text.length;
    };
    const small = steps(200);
    expect(steps(1600)).toBeLessThan(small * 8 * 2.5 + 10_000);
  });
});
