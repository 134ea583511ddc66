import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idRole } from '../../../src/arguments/roles/id.ts';
import { idOptions } from '../../../src/arguments/roles/id-options.ts';
import { type IdPreset, idPresets } from '../../../src/arguments/roles/id-presets.ts';
import { toExactNumber } from '../../../src/values/json.ts';

const compile = (options: unknown = {}) => idRole.compile(idOptions.parse(options));
const faultOf = (options: unknown, value: unknown) => compile(options).judge(value as string)?.fault;

const presets = Object.keys(idPresets) as IdPreset[];
const everyKind: object[] = [{}, ...presets.map((preset) => ({ preset })), { pattern: '(?s).*' }];

/** A value that fits each kind, to be spoiled in every place. */
const fitting: Readonly<Record<string, string>> = {
  hash: 'deadbeef',
  number: '12345678',
  repository: 'acme/widgets',
  branch: 'feature/abc',
  resource: 'projects/acme',
};

const metacharacters = [...';&|`$()<>\\"\'*?[]{}!#~^%'];
const controls = [
  0, 1, 7, 8, 9, 10, 11, 12, 13, 27, 0x7f, 0x80, 0x85, 0x9f, 0x2028, 0x2029, 0x202e, 0x2066,
].map((code) => String.fromCharCode(code));
const spaces = [' ', '\u00a0', '\u1680', '\u2003', '\u202f', '\u3000', '\ufeff'];
const encodings = ['%0a', '%0A', '%00', '%20', '%3b', '%2e%2e', '%250a', '\\n', '\\x0a', '&#10;'];
const disguises = [
  '\uff1b',
  '\uff5c',
  '\uff06',
  '\uff04',
  '\uff40',
  '\u037e',
  '\u200b',
  '\u200d',
  '\u00ad',
  '\u0430',
  '\u00e9',
];

describe('id: what must not get through, of any kind and in any place', () => {
  const spoils = [...metacharacters, ...controls, ...spaces, ...encodings, ...disguises];

  it.each(spoils.map((spoil) => [JSON.stringify(spoil), spoil]))('%s', (_, spoil) => {
    for (const options of everyKind) {
      const preset = 'preset' in options ? String(options.preset) : '';
      const value = fitting[preset] ?? 'abcdefgh';
      expect(faultOf(options, value), `${JSON.stringify(options)} takes ${value}`).toBeUndefined();
      for (let at = 0; at <= value.length; at++) {
        const text = value.slice(0, at) + spoil + value.slice(at);
        expect(faultOf(options, text), `${JSON.stringify(options)} ${JSON.stringify(text)}`).toBeDefined();
      }
      expect(faultOf(options, spoil)).toBeDefined();
    }
  });

  it.each([
    '-rf',
    '--output=x',
    '-',
    '--',
    '-o/etc/passwd',
    '\u2212rf',
    '\uff0drf',
    '--upload-pack=touch',
    '-oProxyCommand=x',
    '..',
    '../etc/passwd',
    'a/../b',
    'a/..',
    'a..b',
    '\ud800',
    'a\udc00',
    "1' OR '1'='1",
    '1; DROP TABLE users',
    'x && curl evil',
    'x | sh',
    '$(id)',
    '`id`',
    'a\nb',
    'a\r\nHost: b',
    '<script>',
    '$\u007b7}',
    '{{7*7}}',
    '%s%n',
  ])('%j', (text) => {
    for (const options of everyKind) expect(faultOf(options, text), JSON.stringify(options)).toBeDefined();
  });

  it('what is a URL, a drive, an absolute path or an empty part, by default', () => {
    for (const text of [
      'http://a/b',
      'file:/etc/passwd',
      'c:/windows',
      '/etc/passwd',
      'a//b',
      'a/',
      './a',
      '.',
      '.ssh/id',
      '@file',
      '+x',
      'a/./b',
      '=a',
      ':a',
    ]) {
      expect(faultOf({}, text), text).toBe('pattern');
    }
  });

  it('what the pattern of an operator would let through', () => {
    for (const pattern of ['.*', '(?s).*', '.+|-.+', '[^x]*', '\\PM*']) {
      for (const [text, fault] of [
        ['-a', 'leading-dash'],
        ['a;b', 'metacharacter'],
        ['a b', 'white-space'],
        ['a\nb', 'control'],
        ['a..b', 'dot-dot'],
        ['\u00e9', 'non-ascii'],
      ] as const) {
        expect(faultOf({ pattern }, text), `${pattern} ${text}`).toBe(fault);
      }
    }
  });

  it('what only begins or ends as the pattern says', () => {
    for (const text of ['TICKET-1x', 'xTICKET-1', 'TICKET-1-', 'TICKET-1TICKET-2', 'TICKET-1\n']) {
      expect(faultOf({ pattern: 'TICKET-[0-9]+' }, text), text).toBeDefined();
      expect(faultOf({ pattern: '^TICKET-[0-9]+$' }, text), text).toBeDefined();
      expect(faultOf({ pattern: '(?m)^TICKET-[0-9]+$' }, text), text).toBeDefined();
    }
    expect(faultOf({ pattern: 'TICKET-[0-9]+' }, 'TICKET-12')).toBeUndefined();
    expect(faultOf({ pattern: 'a|b' }, 'ab')).toBe('pattern');
  });

  it('never anything of these characters, whatever is around them', () => {
    const roles = everyKind.map(compile);
    fc.assert(
      fc.property(
        fc.string({ maxLength: 20 }),
        fc.constantFrom(...metacharacters, ...controls, ' '),
        fc.string({ maxLength: 20 }),
        (a, bad, b) => {
          for (const role of roles) expect(role.judge(a + bad + b)).toBeDefined();
        },
      ),
    );
  });

  it('takes a bounded time for what fits nearly', () => {
    for (const text of ['a', 'a.', 'a-', 'a/', 'a:', '@a', '1', 'a_', 'a@', '.lock', 'a.lock/'].map((part) =>
      part.repeat(4000),
    )) {
      for (const options of everyKind) {
        const role = compile({ ...options, maxLength: 65_536 });
        expect(role.judge(`${text}\u00e9`)).toBeDefined();
        role.judge(`${text}=`);
      }
    }
  });
});

const honest: Readonly<Record<string, readonly string[]>> = {
  default: [
    ...[
      'a',
      'A1',
      '0',
      'user_1',
      '_private',
      'main',
      'feature/x-1',
      'v1.2.3',
      'v1.2.3-rc.1+build.5',
      'release/2026.11',
    ],
    ...[
      'nginx:1.27',
      'library/nginx',
      'ghcr.io/owner/app:sha-abc',
      '550e8400-e29b-41d4-a716-446655440000',
      'sha256:0123abcd',
    ],
    ...[
      'jane.doe@acme.example',
      'jane+test@acme.example',
      'owner/repo',
      'owner/repo.js',
      'PROJ-123',
      'C024BE91L',
      'U0G9QFL8Q',
    ],
    ...[
      '1700000000.123456',
      'cus_NffrFeUfNV2Hib',
      'pi_3MtwBwLkdIwHu7ix28a3tqPa',
      'arn:aws:iam::123456789012:role/admin',
    ],
    ...[
      'arn:aws:sns:eu-west-1:123456789012:topic',
      'i-0abcd1234efgh5678',
      'vpc-0a1b2c',
      'us-east-1',
      'eu-west-1a',
      'projects/p/locations/l',
    ],
    ...[
      'my-namespace',
      'kube-system',
      'deployment/web',
      'pod/web-7d4b9c6f5-x2x9z',
      'cluster.local',
      'web-0',
      '12345',
      '2026-11-21',
      '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    ],
    ...[
      '0x1234abcd',
      '1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms',
      'group:admins',
      'urn:isbn:0451450523',
      'refs/heads/main',
      'HEAD',
      'origin/main',
    ],
    ...[
      'public.users',
      'schema.table.column',
      'index_name',
      'utf-8',
      'text-embedding-3-small',
      'gpt-x',
      'en_GB',
      'Europe/London',
      'America/Argentina/Buenos_Aires',
      'Etc/GMT+3',
    ],
  ],
  branch: [
    'main',
    'feature/x-1',
    'fix_2',
    'release/v1.2',
    'dependabot/npm_and_yarn/a-1.2.3',
    'renovate/node-24.x',
    'user@host/a',
    'JIRA-1/a=b',
    'v2,3',
    '2026.11',
  ],
  handle: ['jane', '@jane', '@jane_doe', 'jane-doe', '@jane@social.example', 'jane.doe', '_x'],
  hash: ['deadbeef', 'DEADBEEF', 'da39a3ee5e6b4b0d3255bfef95601890afd80709', 'sha256:abcdef', 'abcd'],
  host: [
    'localhost',
    'db',
    'db-1.internal.acme.example',
    'a.b',
    'xn--bcher-kva.example',
    'EXAMPLE.com',
    '10.0.0.1',
  ],
  image: [
    ...[
      'nginx',
      'nginx:1.27',
      'nginx:latest',
      'library/nginx',
      'ghcr.io/owner/app',
      'ghcr.io/owner/app:v1.2.3',
      'registry.acme.example:5000/a/b:1',
    ],
    ...[
      'localhost:5000/app',
      `nginx@sha256:${'a'.repeat(64)}`,
      `ghcr.io/a/b:1@sha256:${'0'.repeat(64)}`,
      'my_app',
      'a__b/c',
      'a-b.c',
    ],
  ],
  kubernetes: ['web', 'web-1', 'a', 'kube-system', 'web.acme.example', 'a1.b2', '0'],
  name: ['users', 'user_name', 'a.b', 'a-b', '_x', 'X', '1a', 'README.md'],
  number: ['0', '1', '007', '12345678901234567890'],
  opaque: [
    'YXJyYXljb25uZWN0aW9uOjA=',
    'a+b/c==',
    'eyJhbGciOiJIUzI1NiJ9',
    'abc:def',
    'a_b-c',
    'CAEQAA==',
    'Zm9v',
    '1',
  ],
  package: ['lodash', 'left-pad', '@types/node', '@scope/pkg-name', 'zope.interface', 'Django', '@a/b.c'],
  repository: ['acme/widgets', 'acme/.github', 'group/sub/project', 'a/b.js', 'owner/repo_name', 'a/b-c'],
  resource: [
    ...[
      'arn:aws:s3:::bucket/key',
      'arn:aws:iam::123456789012:role/admin',
      'projects/p/locations/l/keyRings/k',
      'urn:uuid:1',
      'a=b,c=d',
    ],
    ...[
      '/subscriptions/0000/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm',
      'organizations/123',
      'a@b',
    ],
  ],
  slug: ['hello-world', 'a', 'a_b', '2026-11-21', 'x1'],
  version: ['1.2.3', 'v1.2.3', '1.2.3-rc.1+build', '2026.11', 'latest', '24'],
};

describe('id: what must get through', () => {
  it('has a table worth the name', () => {
    expect(Object.values(honest).flat().length).toBeGreaterThanOrEqual(120);
    expect(Object.keys(honest).sort()).toEqual(['default', ...presets].sort());
  });

  it.each(Object.entries(honest))('%s', (preset, values) => {
    const role = compile(preset === 'default' ? {} : { preset });
    for (const value of values) expect(role.judge(value), value).toBeUndefined();
  });

  const wrong: [IdPreset, readonly string[]][] = [
    [
      'branch',
      ['.a', 'a/.b', 'a.lock', 'a.lock/b', 'a.', 'a/', '/a', 'a//b', 'a:b', 'a@{1', '@/etc/passwd', '@'],
    ],
    ['handle', ['@', '@@a', 'a@', 'a/b', 'a@b@c']],
    ['hash', ['abc', 'xyz1', 'deadBEEF', 'sha256:', 'crc32:abcd', 'a'.repeat(129)]],
    ['host', ['a_b', 'a.', '.a', 'a..b', 'a:80', 'a/b', '-a', 'a-', `${'a'.repeat(64)}.b`]],
    ['image', ['Nginx', 'a:', 'a@sha256:abc', 'a/', '/a', 'a//b', 'a:b:c', 'http://a/b', 'a:b/c d']],
    ['kubernetes', ['A', 'a_b', 'a-', 'a.', '.a', 'a/b', 'a'.repeat(64)]],
    ['name', ['a/b', 'a:b', 'a@b', '.a', '']],
    ['number', ['1.5', '1e3', '0x1', '+1', '1'.repeat(41)]],
    ['opaque', ['=a', '/a', 'a,b']],
    ['package', ['@a', '@/a', 'a/b', '@A/b', '@a/b/c', '@-a/b', '@a/-b']],
    ['repository', ['a', 'a/', '/a', './a', 'a/.', '.', 'a//b', 'a/b:c', 'a/b/c/d/e/f/g/h/i/j']],
    ['resource', ['//a', 'a//b', 'http://a', 'c:/a', '.a', 'a/./b', '=a']],
    ['slug', ['A', 'a--b', '-a', 'a-', 'a.b']],
    ['version', ['a/b', 'a:b', '.1', '+1']],
  ];
  it.each(wrong)('%s has limits', (preset, values) => {
    const role = compile({ preset });
    for (const value of values) expect(role.judge(value), value).toBeDefined();
  });
});

describe('id: options', () => {
  it('takes whole numbers only where told to', () => {
    for (const value of [1, 0, 123456789, toExactNumber('12345678901234567890')]) {
      expect(faultOf({}, value)).toBe('type');
      expect(faultOf({ numbers: true }, value)).toBeUndefined();
    }
    expect(faultOf({ numbers: true }, 1.5)).toBe('type');
    expect(faultOf({ numbers: true }, 1e21)).toBe('type');
    expect(faultOf({ numbers: true }, toExactNumber('1e400'))).toBe('type');
    expect(faultOf({ numbers: true }, -1)).toBe('leading-dash');
    expect(faultOf({ numbers: true, preset: 'kubernetes', maxLength: 3 }, 1234)).toBe('too-long');
    for (const value of [null, true, [], ['a'], {}, { rawJSON: '1' }]) {
      expect(faultOf({ numbers: true }, value)).toBe('type');
    }
  });

  it('bounds the length', () => {
    expect(faultOf({}, '')).toBe('too-short');
    expect(faultOf({}, 'a'.repeat(256))).toBeUndefined();
    expect(faultOf({}, 'a'.repeat(257))).toBe('too-long');
    expect(faultOf({ minLength: 3 }, 'ab')).toBe('too-short');
  });

  it('takes letters of other scripts only where told to, and only in their compatibility form', () => {
    for (const text of [
      'caf\u00e9',
      '\u6771\u4eac',
      '\u0440\u0443\u0441',
      '\u0939\u093f\u0928\u094d\u0926\u0940',
      '\ud55c\uad6d',
    ]) {
      expect(faultOf({}, text)).toBe('non-ascii');
      expect(faultOf({ unicode: true }, text), text).toBeUndefined();
      expect(faultOf({ unicode: true, preset: 'name' }, `x-${text}`), text).toBeUndefined();
    }
    for (const text of ['cafe\u0301', '\uff41', '\ufb01'])
      expect(faultOf({ unicode: true }, text), text).toBe('not-canonical');
    for (const text of ['a\uff1bb', 'a\u200bb', 'a\u2014b', 'a\ud83d\ude80', 'a\u00a5']) {
      expect(faultOf({ unicode: true }, text), text).toBe('non-ascii');
    }
    expect(faultOf({ unicode: true }, '\u0301a')).toBe('pattern');
  });

  it('says what a dangerous option lets in, and no more', () => {
    expect(faultOf({ leadingDash: 'allow', pattern: '[A-Za-z0-9_-]{11}' }, '-dQw4w9WgXc')).toBeUndefined();
    expect(faultOf({ dots: 'allow', preset: 'name' }, 'v1..v2')).toBeUndefined();
    const revision = { metacharacters: 'allow', pattern: '[A-Za-z0-9_/-]+(?:[~^][0-9]*)*' };
    expect(faultOf(revision, 'HEAD~1^2')).toBeUndefined();
    expect(faultOf(revision, 'HEAD;id')).toBe('pattern');
    expect(faultOf({ metacharacters: 'allow', pattern: '[A-Z a-z]+' }, 'New York')).toBeUndefined();
    const anything = { metacharacters: 'allow', leadingDash: 'allow', dots: 'allow', pattern: '(?s).*' };
    expect(faultOf(anything, '-;`..')).toBeUndefined();
    for (const char of [...controls, '\u00a0', '\u3000'])
      expect(faultOf(anything, `a${char}b`)).toBeDefined();
  });

  it.each([
    [{ preset: 'name', pattern: 'a' }, /pattern/],
    [{ preset: 'nothing' }, /preset/],
    [{ pattern: '(' }, /RE2/],
    [{ pattern: '(?=a)a' }, /RE2/],
    [{ pattern: '(a)\\1' }, /RE2/],
    [{ metacharacters: 'allow' }, /metacharacters/],
    [{ preset: 'hash', unicode: true }, /unicode/],
    [{ minLength: 10, maxLength: 5 }, /minLength/],
    [{ minLength: 300 }, /minLength/],
    [{ extra: 1 }, /extra/],
  ])('does not load %j', (options, at) => {
    const parsed = idOptions.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toMatch(at);
  });

  it('never repeats the value in what the caller reads', () => {
    for (const text of ['s3cret;', '-s3cret', 's3cret..', '/s3cret', 's3cret\u00e9', 's3cret\n']) {
      expect(JSON.stringify(compile().judge(text))).not.toContain('s3cret');
    }
  });
});
