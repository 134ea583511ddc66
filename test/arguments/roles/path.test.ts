import { describe, expect, it } from 'vitest';
import { pathRole } from '../../../src/arguments/roles/path.ts';
import { pathOptions } from '../../../src/arguments/roles/path-options.ts';

const compile = (options: unknown) => pathRole.compile(pathOptions.parse(options));
const faultOf = (options: unknown, value: unknown) => compile(options).judge(value as string)?.fault;

const workspace = { within: '/workspace', relative: 'allow' };

/** Every way of writing a parent folder, each with the separators it may be written with. */
const parents = [
  ...['..', '...', '....', '. .', '.. ', ' ..', '..;', '..;x=1', '..:x', '..%', '..%bg'],
  ...['%2e%2e', '%2E%2E', '.%2e', '%2e.', '%252e%252e', '%25252e%25252e', '%%32e%%32e', '%%32%65%%32%65'],
  ...['%u002e%u002e', '%U002E%u002e', '%c0%ae%c0%ae', '%c0%2e%c0%2e', '%C0%AE.', '%25c0%25ae%25c0%25ae'],
  ...['%e0%80%ae%e0%80%ae', '%f0%80%80%ae%f0%80%80%ae', '%f8%80%80%80%ae%f8%80%80%80%ae'],
  ...['%fc%80%80%80%80%ae%fc%80%80%80%80%ae', '%e0%40%ae%e0%40%ae', '%uff0e%uff0e', '%ef%bc%8e%ef%bc%8e'],
  ...[
    '\uff0e\uff0e',
    '\uff0e.',
    '\u2024\u2024',
    '.\u2024',
    '\u2025',
    '\u2026',
    '\ufe52\ufe52',
    '\ufe30',
    '\ufe19',
  ],
  ...[
    '\u3002\u3002',
    '\uff61\uff61',
    '.\u200b.',
    '\u200d..',
    '..\u00ad',
    '.\ufeff.',
    '\u012e\u012e',
    '\u4e2e\u4e2e',
  ],
  ...['\uff05\uff12e\uff052e', '%\u200b2e%2e', '&#46;&#46;', '&#x2e;&#x2E;', '&period;&period;'],
  ...['..\u0000', '..%00', '..%2500', '..\n', '..%0a', '..\t', '.\\.', '..\\'],
];

const separators = [
  ...[
    '/',
    '//',
    '/./',
    '\\',
    '%2f',
    '%2F',
    '%252f',
    '%5c',
    '%255c',
    '%c0%af',
    '%c1%9c',
    '%e0%80%af',
    '%u002f',
  ],
  ...['%u2215', '%u2216', '%c1%1c', '%25c0%25af', '\uff0f', '\u2215', '\u2044', '\u29f8', '\uff3c', '\u2216'],
  ...[
    '\ufe68',
    '%ef%bc%8f',
    '%e2%88%95',
    '\u00a5',
    '\u20a9',
    '\u2571',
    '&sol;',
    '&#47;',
    '&#x2f;',
    '%2f%2f',
    '/%2e/',
  ],
];

describe('path: what must not get out of the tree', () => {
  it.each(parents)('the parent folder written as %j', (parent) => {
    for (const separator of separators) {
      for (const depth of [1, 2, 5]) {
        const climb = `${parent}${separator}`.repeat(depth);
        for (const text of [
          `/workspace/${climb}etc/passwd`,
          `/workspace/a/b${separator}${climb}etc/passwd`,
          `/workspace/a${separator}${climb.slice(0, -separator.length)}`,
          `${climb}etc/passwd`,
          `a/${climb}etc/passwd`,
        ]) {
          expect(faultOf(workspace, text), text).toBeDefined();
        }
      }
    }
  });

  it.each(separators.filter((separator) => separator !== '/'))('names joined by %j', (separator) => {
    for (const text of [
      `/workspace${separator}a`,
      `/workspace/a${separator}b`,
      `${separator}etc${separator}passwd`,
      `a${separator}b`,
    ]) {
      expect(faultOf(workspace, text), text).toBeDefined();
    }
  });

  const absolute = [
    ...[
      '/etc/passwd',
      '/',
      '//etc/passwd',
      '///etc/passwd',
      '/workspace2/a',
      '/workspac',
      '/workspace.bak/a',
    ],
    ...[
      '/Workspace/a',
      '/WORKSPACE/a',
      '/workspace /a',
      '/work\u0000space/a',
      '/\u212aorkspace',
      '/workspaces',
    ],
    ...[
      ' /etc/passwd',
      '\t/etc/passwd',
      '/etc/passwd ',
      '\u00a0/etc/passwd',
      '\u3000/etc',
      '\ufeff/etc/passwd',
    ],
    ...[
      '\u200b/etc/passwd',
      '\u00ad/etc/passwd',
      '"/etc/passwd"',
      "'/etc/passwd'",
      '%2fetc%2fpasswd',
      '%2Fetc',
    ],
    ...[
      '%20/etc/passwd',
      '%09/etc/passwd',
      '%00/etc/passwd',
      '%22/etc/passwd%22\u0000',
      '%252fetc%252fpasswd',
    ],
    ...['\uff0fetc\uff0fpasswd', '\u2215etc', 'file:/etc/passwd', 'file:///etc/passwd', 'FILE:///etc/passwd'],
    ...[
      'file://localhost/etc/passwd',
      'file:///workspace/a',
      'url:file:///etc/passwd',
      'jar:file:/a!/b',
      'http://a/b',
    ],
    ...[
      'php://filter/x',
      'data:text/plain,x',
      'C:\\Windows\\win.ini',
      'C:/Windows/win.ini',
      'c:',
      'C:a',
      'c%3a/windows',
    ],
    ...[
      '\\\\host\\share\\a',
      '//host/share/a',
      '\\\\?\\C:\\a',
      '//?/C:/a',
      '\\\\.\\PhysicalDrive0',
      '//./COM1',
    ],
    ...['\\??\\C:\\a', '/??/C:/a', '\\etc\\passwd', '\\\\?\\UNC\\host\\share', '\\\\localhost\\c$\\a'],
    ...['~', '~/a', '~root/.ssh/id_rsa', '~+/a', '~-/a', '%7e/a', '%7Eroot/a', '\uff5e/a', '%257e/a'],
    ...[
      '$HOME/a',
      '$\u007bHOME}/a',
      '$(pwd)/a',
      '`pwd`/a',
      '%APPDATA%/a',
      '%USERPROFILE%\\a',
      '%24HOME/a',
      '%24{HOME}/a',
    ],
    ...[
      '/workspace/$\u007bX:-..}/etc',
      '/workspace/$(printf ..)/etc',
      '/workspace/`printf ..`/etc',
      '/workspace/%24{X}',
    ],
    ...['/proc/self/root/etc/passwd', '/proc/self/cwd/../a', '/dev/fd/3', '/workspace/../proc/self/root'],
  ];
  it.each(absolute)('%j', (text) => {
    expect(faultOf(workspace, text)).toBeDefined();
  });

  const windowsReaders: [string, string][] = [
    ...[
      'CON',
      'con',
      'Nul',
      'nul.txt',
      'AUX.c',
      'prn',
      'COM1',
      'com9.log',
      'LPT1',
      'lpt3.a.b',
      'COM\u00b9',
      'CONIN$',
      'conout$',
      'clock$',
      'com0',
      'nul .txt',
    ].map((name): [string, string] => [name, 'device-name']),
    ...['a.', 'a..', 'a. .', 'a...'].map((name): [string, string] => [name, 'trailing-dot']),
    ...['a:b', 'a.txt::$DATA', 'a:$DATA', ':a', '.git::$INDEX_ALLOCATION'].map((name): [string, string] => [
      name,
      'stream',
    ]),
  ];
  it.each(windowsReaders)('%j, which Windows reads as something else: %s', (name, fault) => {
    expect(faultOf(workspace, `/workspace/${name}`)).toBe(fault);
    expect(faultOf(workspace, `/workspace/${name}/b`)).toBe(fault);
    expect(faultOf(workspace, `src/${name}`)).toBe(fault);
    expect(faultOf({ ...workspace, style: 'posix' }, `src/${name}`)).toBeUndefined();
  });

  it('names in which decoding brings such a thing to light', () => {
    for (const name of [
      'c%6fn',
      'nul%2etxt',
      'a%2e',
      'a%20',
      'a%3ab',
      '%63on.txt',
      'a%253ab',
      '\uff23\uff2f\uff2e',
    ]) {
      expect(faultOf(workspace, `/workspace/${name}/b`), name).toBeDefined();
    }
  });

  it('says in one word what is wrong', () => {
    const words: [string, string][] = [
      ['/etc/passwd', 'outside-tree'],
      ['/workspace/../etc', 'parent'],
      ['/workspace/%2e%2e/etc', 'encoded'],
      ['/workspace/\uff0e\uff0e/etc', 'look-alike'],
      ['/workspace/a\\b', 'backslash'],
      ['C:\\a', 'drive'],
      ['\\\\host\\a', 'unc'],
      ['//host/a', 'unc'],
      ['~/a', 'home'],
      ['$HOME/a', 'variable'],
      ['file:///workspace/a', 'uri'],
      ['"/workspace/a"', 'quoted'],
      [' /workspace/a', 'white-space'],
      ['/workspace/a\u0000', 'control'],
      ['-rf', 'leading-dash'],
    ];
    for (const [text, fault] of words) expect(faultOf(workspace, text), text).toBe(fault);
  });

  it('control characters and what turns the text round, anywhere, written or encoded', () => {
    const codes = [
      0, 1, 7, 8, 9, 10, 13, 27, 31, 127, 0x80, 0x85, 0x9f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069,
    ];
    for (const code of codes) {
      const char = String.fromCharCode(code);
      for (const written of [char, encodeURIComponent(char), encodeURIComponent(encodeURIComponent(char))]) {
        for (const text of [`/workspace/a${written}b`, `/workspace/${written}/b`, `a${written}b`]) {
          expect(faultOf(workspace, text), JSON.stringify(text)).toBeDefined();
        }
      }
    }
    expect(faultOf(workspace, '/workspace/a\ud800b')).toBe('control');
  });

  it('what is text of another type, empty, or too long', () => {
    for (const value of [null, true, 1, [], ['/workspace/a'], {}, { path: '/workspace/a' }]) {
      expect(faultOf(workspace, value)).toBe('type');
    }
    expect(faultOf(workspace, '')).toBe('empty');
    expect(faultOf(workspace, `/workspace/${'a'.repeat(4096)}`)).toBe('too-long');
    expect(faultOf(workspace, `/workspace/${'\u00e9'.repeat(2045)}`)).toBe('too-long');
    expect(faultOf({ ...workspace, maxLength: 12 }, '/workspace/a')).toBeUndefined();
    expect(faultOf({ ...workspace, maxLength: 12 }, '/workspace/ab')).toBe('too-long');
  });

  it('an option that stands where a path should', () => {
    for (const text of ['-rf', '--output=/etc/x', '-', '%2drf', '\uff0drf', '\u2212rf', '\u00adrf']) {
      expect(faultOf(workspace, text), text).toBeDefined();
    }
    expect(faultOf(workspace, './-rf')).toBeUndefined();
  });

  it('percent-encoding without end', () => {
    let text = '..';
    for (let round = 0; round < 40; round++) text = encodeURIComponent(text).replaceAll('.', '%2e');
    expect(faultOf(workspace, `/workspace/${text}/etc`)).toBe('encoded');
  });
});

const honestNames = [
  ...[
    'a',
    'README.md',
    'src/index.ts',
    'src/lib/',
    'package-lock.json',
    '.gitignore',
    '.github/workflows/ci.yml',
  ],
  ...[
    '.env.example',
    'a.b.c.d',
    'a..b',
    'v1..v2.diff',
    '..a',
    '..hidden',
    'file...txt',
    'Makefile',
    'CMakeLists.txt',
  ],
  ...[
    '100%.txt',
    '50% off.txt',
    '100%',
    '%',
    '%%',
    '5%_growth.csv',
    '50%de_desconto.txt',
    'rate%zz',
    'a%20b.txt',
  ],
  ...[
    'a%2Bb.txt',
    'R%26D.md',
    'caf%C3%A9.txt',
    'my file.txt',
    'My Documents/Annual Report (final).docx',
    'a & b.md',
  ],
  ...[
    "it's.txt",
    "'quoted.txt",
    'a"b.txt',
    '[slug].tsx',
    'app/[...slug]/page.tsx',
    'app/(group)/page.tsx',
    '@types/a.d.ts',
  ],
  ...[
    'node_modules/@scope/pkg/index.js',
    '$types.d.ts',
    'routes/$postId.tsx',
    '$id.tsx',
    'Outer$Inner.class',
    '#notes.md',
  ],
  ...[
    'a#b',
    'a,b',
    'a;b.txt',
    'a=b',
    'a+b',
    'c++/main.cpp',
    'file~',
    'backup~1/a',
    'a~b',
    '#emacs#',
    'a!b',
    'a^b',
    '{a,b}',
  ],
  ...[
    'console.log',
    'context',
    'nullable.ts',
    'aux1.txt',
    'auxiliary',
    'com10',
    'company',
    'lpt',
    'connect.ts',
    'prng.c',
  ],
  ...[
    '2026-11-21T10-00-00Z.log',
    'data_2026_11_21.csv',
    'IMG_0001.JPG',
    'a_very-long.name.with.many.parts.tar.gz',
  ],
  ...[
    'caf\u00e9.txt',
    'cafe\u0301.txt',
    'Z\u00fcrich/\u00fcbersicht.pdf',
    'Zu\u0308rich',
    '\u0439.txt',
    '\u0438\u0306.txt',
  ],
  ...[
    '\u6771\u4eac/\u6599\u91d1\u8868.xlsx',
    '\u7b2c1\u7ae0\uff1a\u306f\u3058\u3081\u306b.md',
    '\u306f\u3058\u3081\u306b\uff08\u65b0\uff09.md',
  ],
  ...[
    '\ud55c\uad6d\uc5b4.txt',
    '\u1112\u1161\u11ab.txt',
    '\u0627\u0644\u0639\u0631\u0628\u064a\u0629.txt',
    '\u05e9\u05dc\u05d5\u05dd.txt',
  ],
  ...[
    '\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22',
    '\u0939\u093f\u0928\u094d\u0926\u0940.txt',
    '\u0440\u0443\u0441\u0441\u043a\u0438\u0439.txt',
  ],
  ...[
    '\u012f\u0161akymas.txt',
    '\u012erankis/a',
    '\u00bd cup.md',
    'x\u00b2.txt',
    '\u2167.txt',
    '\u2122.txt',
    'N\u00ba 5.txt',
    '\ufb01le.txt',
  ],
  ...[
    '\ud83d\ude80.md',
    '\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67.png',
    '\u2764\ufe0f.txt',
    'Loading\u2026',
    'a\u2026b.txt',
    'a \u2013 b',
  ],
  ...[
    'Screenshot 2026-11-21 at 1.23.45\u202fPM.png',
    'a\u00a0b.txt',
    '\u300c\u898b\u51fa\u3057\u300d.txt',
    '\uff21\uff22\uff23.txt',
  ],
  ...[
    '\u4e2e.txt',
    '\u4e2f.txt',
    '\u30ce\u30fc\u30c8.txt',
    '\u4e3f.txt',
    'm\u0131s\u0131r',
    '\u0130stanbul',
    'stra\u00dfe',
    '\u00e6\u00f8\u00e5',
  ],
];

describe('path: what must get through', () => {
  it('has a table worth the name', () => {
    expect(new Set(honestNames).size).toBeGreaterThanOrEqual(100);
  });

  it.each(honestNames)('%j', (name) => {
    for (const style of ['any', 'posix']) {
      for (const text of [
        `/workspace/${name}`,
        `/workspace/deep/er/${name}`,
        name,
        `./${name}`,
        `src/${name}`,
      ]) {
        expect(faultOf({ ...workspace, style }, text), text).toBeUndefined();
      }
    }
  });

  it('the tree itself', () => {
    for (const text of ['/workspace', '/workspace/', '.', './']) {
      expect(faultOf(workspace, text), text).toBeUndefined();
    }
  });
});

describe('path: options', () => {
  it('takes several folders, the whole file system, and folders inside one another', () => {
    const options = { within: ['/a/b', '/c', '/a/b/c'] };
    for (const text of ['/a/b/x', '/c/x', '/a/b/c/x', '/a/b']) expect(faultOf(options, text)).toBeUndefined();
    for (const text of ['/a/x', '/d', '/a', '/a/bc', '/cc'])
      expect(faultOf(options, text)).toBe('outside-tree');
    for (const text of ['/', '/etc/passwd', '/a']) expect(faultOf({ within: '/' }, text)).toBeUndefined();
  });

  it('keeps to itself the trees of the kernel unless they are named', () => {
    for (const text of ['/proc/self/root/a', '/proc', '/dev/fd/0', '/sys/kernel']) {
      expect(faultOf({ within: '/' }, text)).toBe('kernel-tree');
    }
    expect(faultOf({ within: ['/', '/proc/net'] }, '/proc/net/tcp')).toBeUndefined();
    expect(faultOf({ within: '/' }, '/process/a')).toBeUndefined();
  });

  it('refuses relative paths unless told what they are relative to', () => {
    expect(faultOf({ within: '/workspace' }, 'a')).toBe('relative');
    expect(faultOf({ within: '/workspace' }, '.')).toBe('relative');
    expect(faultOf({ within: '/workspace', base: '/workspace/src' }, 'a')).toBeUndefined();
    expect(faultOf({ within: '/workspace', base: '/workspace' }, './a')).toBeUndefined();
    expect(faultOf({ within: ['/a', '/b'], relative: 'allow' }, 'x/y')).toBeUndefined();
  });

  it('refuses what is not spelt canonically, and says how it can be rewritten', () => {
    for (const text of [
      '/workspace//a',
      '/workspace/./a',
      '/workspace/a/.',
      'a//b',
      'a/./b',
      './/a',
      '././a',
      'a//',
    ]) {
      expect(compile(workspace).judge(text)).toEqual({
        fault: 'not-canonical',
        allow:
          'send the path as the server spells it; a rewrite `normalize: path` can do it where it is harmless',
      });
    }
  });

  it('refuses hidden names where told to, in every reading, but not those above the tree', () => {
    const options = { within: '/home/.app/data', hidden: 'refuse', base: '/home/.app/data' };
    for (const text of [
      '.git/config',
      'a/.env',
      '%2egit/config',
      '\u2024git/a',
      '\uff0egit',
      '\u200b.git',
      'GIT~1/config',
    ]) {
      expect(faultOf(options, text), text).toBe('hidden');
      expect(faultOf(options, `/home/.app/data/${text}`), text).toBe('hidden');
    }
    for (const text of ['a.git', './a', '/home/.app/data/a', '.'])
      expect(faultOf(options, text), text).toBeUndefined();
  });

  it('takes only the endings that are named, in every reading', () => {
    const options = { within: '/w', extensions: ['.txt', 'tar.gz'] };
    for (const name of ['a.txt', 'a.TXT', 'b.tar.gz', 'a.b.txt']) {
      expect(faultOf(options, `/w/${name}`), name).toBeUndefined();
    }
    for (const name of [
      'a',
      'a.gz',
      '.txt',
      'a.txt/b',
      'a.exe',
      'a.txt.exe',
      'atxt',
      'a.%74xt',
      'a\uff0etxt',
      'EVIL~1.TXT',
    ]) {
      expect(faultOf(options, `/w/${name}`), name).toBe('extension');
    }
    expect(faultOf(options, '/w')).toBe('extension');
  });

  it('reads file URIs only where told to, and decodes them once', () => {
    const options = { within: '/workspace', uri: true };
    for (const text of [
      'file:///workspace/a',
      'file:///workspace/a%20b',
      'file:///workspace/caf%C3%A9',
      'file:///workspace',
    ]) {
      expect(faultOf(options, text), text).toBeUndefined();
      expect(faultOf(workspace, text), text).toBe('uri');
    }
    for (const text of [
      ...[
        'file:///etc/passwd',
        'file:///workspace/../etc',
        'file:///workspace/%2e%2e/etc',
        'file:///workspace%2fa',
      ],
      ...[
        'file:///workspace/%252e%252e/etc',
        'file:///workspace/%25252e%25252e/a',
        'file:///workspace/a?b',
        'file:///workspace/a#b',
      ],
      ...[
        'file://host/workspace/a',
        'file://localhost/workspace/a',
        'file:/workspace/a',
        'FILE:///workspace/a',
        'file:workspace',
      ],
      ...[
        'file:////host/share',
        'file:///C:/a',
        'file:///workspace/%00',
        'file:///workspace/%5c..%5ca',
        'file:///workspace\\a',
      ],
    ]) {
      expect(faultOf(options, text), text).toBeDefined();
    }
    expect(faultOf(options, '/workspace/a')).toBeUndefined();
  });

  it('knows Windows trees by their drive', () => {
    const options = { within: ['C:\\Work', 'D:\\'], relative: 'allow' };
    for (const text of [
      ...[
        'C:\\Work\\a.txt',
        'c:\\work\\A.txt',
        'C:/Work/a.txt',
        'D:\\a',
        'D:\\',
        'C:\\Work',
        'C:\\Work\\',
        'a\\b',
        'a/b',
        '.\\a',
      ],
      ...['C:\\Work\\caf\u00e9', 'C:\\Work\\100%.txt', 'C:\\Work\\a b'],
    ]) {
      expect(faultOf(options, text), text).toBeUndefined();
    }
    for (const text of [
      ...[
        'C:\\Windows\\win.ini',
        'C:\\Work2\\a',
        'C:\\',
        'C:Work\\a',
        'C:',
        '\\Work\\a',
        '/Work/a',
        '\\\\host\\share',
        '//host/share',
      ],
      ...[
        '\\\\?\\C:\\Work\\a',
        '\\\\.\\C:\\Work',
        'C:\\Work\\..\\a',
        'C:/Work/../a',
        'C:\\Work/a',
        'C:\\Work\\a\\..\\..\\b',
      ],
      ...[
        'C:\\Work\\con',
        'C:\\Work\\a.',
        'C:\\Work\\a ',
        'C:\\Work\\a:b',
        'C:\\Work\\*.txt',
        'C:\\Work\\a?',
        'C:\\Work\\..%5ca',
      ],
      ...[
        'C:\\Work\\%2e%2e\\a',
        'C:\\Wor\u212a\\a',
        'E:\\a',
        'C:\\\\Work\\a',
        'C:\\Work\\\\a',
        '..\\a',
        'a\\..\\..\\b',
        'C:%5cWork',
      ],
      ...[
        'C:\\Work\\a\uff0f..\uff0fb',
        'C:\\Work\\a\u00a5b',
        '%SystemRoot%\\a',
        'C:\\Work\\nul.txt',
        'C:\\WORK~1',
      ],
    ]) {
      expect(faultOf(options, text), text).toBeDefined();
    }
  });

  const wrong: [unknown, RegExp][] = [
    [{}, /within/],
    [{ within: [] }, /within/],
    [{ within: 'workspace' }, /within/],
    [{ within: '/workspace/../a' }, /within/],
    [{ within: '/workspace/' }, /within/],
    [{ within: '/a//b' }, /within/],
    [{ within: ['/a', 'C:\\a'] }, /within/],
    [{ within: 'C:\\a', style: 'posix' }, /within/],
    [{ within: '/a', style: 'windows' }, /within/],
    [{ within: '/srv/Acme Inc.' }, /posix/],
    [{ within: '/srv/aux/a' }, /posix/],
    [{ within: '/a', base: '/b' }, /base/],
    [{ within: '/a', base: '/a', relative: 'refuse' }, /base/],
    [{ within: 'C:\\a', mounted: true }, /mounted/],
    [{ within: ['/a', '/b'], mounted: '/c' }, /mounted/],
    [{ within: ['/a', '/b'], mounted: true, relative: 'allow' }, /base/],
    [{ within: '/a', extensions: ['../x'] }, /extensions/],
    [{ within: '/a', extra: 1 }, /extra/],
  ];
  it.each(wrong)('does not load %j', (options, at) => {
    const parsed = pathOptions.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toMatch(at);
  });

  it('never repeats the value in what the caller reads', () => {
    for (const text of [
      '/etc/s3cret',
      '../s3cret',
      '%2e%2e/s3cret',
      's3cret',
      '~s3cret',
      's3cret:x',
      'con.s3cret',
    ]) {
      expect(JSON.stringify(compile({ within: '/workspace' }).judge(text))).not.toContain('s3cret');
    }
  });
});
