// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are texts, not templates.
import type { Random } from './random.ts';

export interface HeldOutAttack {
  readonly source: string;
  readonly class: string;
  readonly label: 'attack';
  readonly payload: string;
}

/** How one character may be written so that some server reads it as itself. */
type Spell = (character: string, random: Random) => string;

const code = (character: string): number => character.charCodeAt(0);
const hex = (value: number, random: Random): string => {
  const digits = value.toString(16).padStart(2, '0');
  return random.chance(0.5) ? digits : digits.toUpperCase();
};
const percent: Spell = (c, r) => `%${hex(code(c), r)}`;
const overlong2: Spell = (c, r) => `%${hex(0xc0 | (code(c) >> 6), r)}%${hex(0x80 | (code(c) & 63), r)}`;
const overlong3: Spell = (c, r) => `%e0%${hex(0x80 | (code(c) >> 6), r)}%${hex(0x80 | (code(c) & 63), r)}`;
const overlong4: Spell = (c, r) => `%f0%80%${hex(0x80 | (code(c) >> 6), r)}%${hex(0x80 | (code(c) & 63), r)}`;

/** Every one is applied to the characters of a climb, each character by itself. */
const spellings: readonly (readonly [name: string, spell: Spell])[] = [
  ['literal', (c) => c],
  ['percent', percent],
  ['some-percent', (c, r) => (r.chance(0.5) ? percent(c, r) : c)],
  ['percent-twice', (c, r) => percent(c, r).replace('%', '%25')],
  ['percent-thrice', (c, r) => percent(c, r).replace('%', '%2525')],
  ['digits-twice', (c, r) => `%${[...percent(c, r).slice(1)].map((digit) => percent(digit, r)).join('')}`],
  ['overlong-2', overlong2],
  ['overlong-3', overlong3],
  ['overlong-4', overlong4],
  ['overlong-twice', (c, r) => overlong2(c, r).replaceAll('%', '%25')],
  ['percent-u', (c, r) => `%u00${hex(code(c), r)}`],
  ['percent-u-wide', (c, r) => `%u${(code(c) + 0xfee0).toString(16)}${r.chance(0) ? '' : ''}`],
  ['wide', (c) => String.fromCharCode(code(c) + 0xfee0)],
  ['wide-percent', (c) => encodeURIComponent(String.fromCharCode(code(c) + 0xfee0))],
  ['small-dots', (c) => (c === '.' ? '\ufe52' : c)],
  ['leader-dots', (c) => (c === '.' ? '\u2024' : c)],
  [
    'look-alike-slashes',
    (c, r) => (c === '.' ? c : r.pick(['\u2044', '\u2215', '\u29f8', '\uff0f', '\uff3c', '\ufe68'])),
  ],
  ['html-decimal', (c) => `&#${code(c)};`],
  ['html-hex', (c) => `&#x${code(c).toString(16)};`],
  ['hidden', (c, r) => `${c}${r.pick(['\u200b', '\u00ad', '\u2060', '\ufeff'])}`],
  ['controls', (c, r) => `${c}${r.pick(['\u0000', '\r', '\n', '\t', '\u007f', '\u0085'])}`],
];

const aims = [
  'etc/passwd',
  'etc/ssh/sshd_config',
  'root/.bash_history',
  'app/.env',
  'Windows/System32/config/SAM',
  'home/u/.kube/config',
  'outside.txt',
  'var/log/auth.log',
  'inetpub/wwwroot/web.config',
  'opt/secret',
];

function climb(random: Random): string {
  const [name, spell] = random.pick(spellings);
  const slash = random.pick(['/', '/', '/', '\\']);
  const down = random.int(0, 2);
  const start = random.pick(['', './', '/workspace/'].map((root) => root + 'x/'.repeat(down)));
  const steps = `..${slash}`.repeat(down + random.int(1, 5));
  // What hides a step must not make it another character's step: only dots and slashes are spelt anew.
  const spelt = [...steps].map((c) => spell(c, random)).join('');
  const aim = random.pick(aims);
  const rest = name === 'literal' || random.chance(0.7) ? aim : aim.replaceAll('/', spell('/', random));
  return `${start}${spelt}${rest}${random.pick(['', '', '', '\u0000.png', '%00.html', '::$DATA', ' ', '.', '/', '%20'])}`;
}

function absolute(random: Random): string {
  const aim = random.pick(aims);
  const back = aim.replaceAll('/', '\\');
  const [, spell] = random.pick(
    spellings.filter(([name]) => name !== 'small-dots' && name !== 'leader-dots'),
  );
  return random.pick([
    () => `/${aim}`,
    () => `${spell('/', random)}${aim}`,
    () => `/${'/'.repeat(random.int(1, 3))}${aim}`,
    () => `/./${aim}`,
    () => `\\${back}`,
    () => `${random.pick(['c', 'E'])}:${random.pick(['/', '\\', ''])}${back}`,
    () => `${random.pick(['c', 'E'])}${spell(':', random)}${spell('\\', random)}${back}`,
    () =>
      `\\\\${random.pick(['evil.example', '127.0.0.1', 'localhost'])}\\${random.pick(['c$', 'share', 'admin$'])}\\${back}`,
    () =>
      `\\\\${random.pick(['?', '.'])}\\${random.pick(['C:', 'GLOBALROOT\\Device\\HarddiskVolume1', 'UNC\\h\\s'])}\\${back}`,
    () => `//${random.pick(['?', '.', 'evil.example'])}/C:/${aim}`,
    () => `${random.pick(['file', 'FILE', 'file'])}:${random.pick(['//', '///', '/', '//localhost/'])}${aim}`,
    () => `${random.pick(['~', '~root', '~u', '~+', '~-'])}/${aim}`,
    () => `${random.pick(['$HOME', '${HOME}', '%USERPROFILE%', '%SystemRoot%', '$(pwd)', '`pwd`'])}/${aim}`,
    () => `/workspace${random.pick(['2', '-old', '.bak', ' ', '\u200b', '%20'])}/${aim}`,
    () => `/Workspace/${aim}`,
    () => `/proc/${random.pick(['self', '1', 'thread-self'])}/${random.pick(['root', 'cwd'])}/${aim}`,
    () => `/dev/fd/${random.int(0, 9)}`,
    () => `"/${aim}"`,
    () => ` /${aim}`,
    () =>
      `${random.pick(['php://filter/resource=', 'zip://a.zip#', 'jar:file:', 'view-source:file:///', 'netdoc:///', 'expect://'])}/${aim}`,
    () => `x/..;/${'..;/'.repeat(random.int(1, 4))}${aim}`,
    () => `${'..././'.repeat(random.int(1, 4))}${aim}`,
    () => `${'....//'.repeat(random.int(1, 4))}${aim}`,
  ])();
}

const stems = [
  'web-1',
  'v1.2.3',
  'origin/main',
  'a@b.c',
  'sha256:0f',
  'PROJ-9',
  'img.png',
  'x_y',
  'user:7',
  'n',
];
const metacharacters = [
  ';',
  '&',
  '&&',
  '|',
  '||',
  '`',
  '$(',
  ')',
  '(',
  '<',
  '>',
  '>>',
  '<<<',
  '\n',
  '\r',
  '\\',
  '"',
  "'",
  '*',
  '?',
  '[',
  ']',
  '{',
  '}',
  '!',
  '#',
  '~',
  '^',
  '%',
  '$',
  '\u0000',
  '\t',
  '\v',
  '\f',
  '\u0085',
  '\u2028',
  '\u00a0',
  '\uff1b',
  '\uff5c',
  '\uff04',
  '\uff06',
  '\u037e',
  '\u1680',
  '\u3000',
  '\ufe54',
  '\ufe60',
  '\u202e',
  '%0a',
  '%3b',
  '%7C',
  '%26',
];
const words = [
  'id',
  'reboot',
  'wget${IFS}h',
  'cat</etc/passwd',
  'x',
  'calc.exe',
  'nslookup$IFS$9h',
  'a=b',
  '',
];

function shell(random: Random): string {
  const stem = random.pick(stems);
  const at = random.int(0, stem.length);
  const mark = random.pick(metacharacters);
  const inserted = random.pick([
    mark,
    `${mark}${random.pick(words)}`,
    `${mark} ${random.pick(words)} ${mark}`,
  ]);
  return stem.slice(0, at) + inserted + stem.slice(at);
}

function option(random: Random): string {
  const dash = random.pick(['-', '--', '-', '--', '\u2013', '\u2212', '\uff0d']);
  return `${dash}${random.pick(['o', 'e', 'exec', 'output', 'config', 'upload-pack', 'to-command', 'checkpoint-action', 'I', 'use-askpass', 'post-file', 'c', 'f'])}${random.pick(['', '=x', `=${random.pick(words)}`, '/etc/passwd', `x${random.int(1, 99)}`])}`;
}

/** IANA's special-purpose registries: what is not globally reachable. */
const v4: readonly (readonly [base: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['255.255.255.255', 32],
];
const v6 = [
  '::',
  '::1',
  '64:ff9b:1::',
  '100::',
  '2001:2::',
  '2001:10::',
  '2001:db8::',
  '3fff::',
  '5f00::',
  'fc00::',
  'fd12:3456:789a::',
  'fe80::',
  'fec0::',
  'ff02::',
  'ff05::',
];

function address(random: Random): number {
  const [base, bits] = random.pick(v4);
  const start = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return start + Math.floor(random.next() * 2 ** (32 - bits));
}

/** inet_aton: one to four parts, each in its own radix, with zeros in front. */
function aton(value: number, random: Random): string {
  const parts = random.int(1, 4);
  const numbers: number[] = [];
  let left = value;
  for (let at = 0; at < parts - 1; at += 1) {
    const size = 256 ** (3 - at);
    numbers.push(Math.floor(left / size));
    left %= size;
  }
  numbers.push(left);
  const spell = (n: number): string =>
    random.pick([
      () => String(n),
      () => `0x${'0'.repeat(random.int(0, 4))}${n.toString(16)}`,
      () => `0X${n.toString(16).toUpperCase()}`,
      () => `${'0'.repeat(random.int(1, 6))}${n.toString(8)}`,
    ])();
  return numbers.map(spell).join('.');
}

function groups(value: number): string {
  return `${Math.floor(value / 65_536).toString(16)}:${(value % 65_536).toString(16)}`;
}

function host(random: Random): string {
  const value = address(random);
  const dotted = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
  const tail = random.hex(4);
  return random.pick([
    () => dotted,
    () => aton(value, random),
    () => aton(value, random),
    () => aton(value, random),
    () => `[::ffff:${random.chance(0.5) ? dotted : groups(value)}]`,
    () => `[::FFFF:0:${groups(value)}]`,
    () => `[0000:0000:0000:0000:0000:ffff:${groups(value)}]`,
    () => `[64:ff9b::${random.chance(0.5) ? dotted : groups(value)}]`,
    () => `[64:ff9b:1::${groups(value)}]`,
    () => `[2002:${groups(value)}::1]`,
    () => `[2001:0:4136:e378:8000:63bf:${groups(2 ** 32 - 1 - value)}]`,
    () => `[::${dotted}]`,
    () => `[fe80::5efe:${dotted}]`,
    () => `[${random.pick(v6)}${random.chance(0.5) ? '' : tail}]`.replace('::1', '::1'),
    () => `[${random.pick(['fe80::1', 'ff02::1', 'fd00::2'])}%${random.pick(['25eth0', 'lo', '1'])}]`,
    () => `${dotted}.`,
    () =>
      [...dotted]
        .map((c) => (/\d/.test(c) && random.chance(0.5) ? String.fromCodePoint(0x1d7ce + Number(c)) : c))
        .join(''),
    () => dotted.replaceAll('.', random.pick(['\uff0e', '\uff61', '\u3002'])),
    () => encodeURIComponent(dotted).replaceAll('.', '%2E'),
    () => `${dotted}.${random.pick(['nip.io', 'sslip.io', 'xip.io'])}`,
    () => `${dotted.replaceAll('.', '-')}.${random.pick(['nip.io', 'sslip.io'])}`,
    () =>
      random.pick([
        'localhost',
        'LocalHost',
        'localhost.',
        'a.localhost',
        'localtest.me',
        'lvh.me',
        'x.internal',
        'db.svc.cluster.local',
        'consul',
        'wpad',
        'vault.service.consul',
        'metadata.google.internal',
        'instance-data',
        'kubernetes',
        'gateway.docker.internal',
        'nas.home.arpa',
        'printer.lan',
        '\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3',
        'loc\u00adalhost',
        '\uff4cocalhost',
        '127.1',
        '0',
        '127.0.1',
        '0x7f.1',
        '[::]',
        '[0::1]',
        '[::1%250]',
      ]),
  ])();
}

function url(random: Random): string {
  const place = host(random);
  const port = random.pick(['', '', '', ':80', ':22', ':6379', ':65535', ':0', ':080']);
  const rest = random.pick([
    '',
    '/',
    '/admin',
    '?a=b',
    '#@example.com/',
    '/latest/meta-data/',
    '/%2e%2e/x',
    '\\x',
  ]);
  const before = random.pick([
    '',
    '',
    '',
    '',
    'a@',
    'example.com@',
    'example.com:443@',
    'example.com%2f@',
    'example.com\\@',
    'example.com#@',
    'example.com?@',
  ]);
  // In front of these two a reader may find another host than behind: they lead inside for some, not for all.
  const user = /[#?]@$/.test(before) ? '' : before;
  return random.pick([
    () => `http://${user}${place}${port}${rest}`,
    () => `http://${user}${place}${port}${rest}`,
    () => `https://${user}${place}${port}${rest}`,
    () => `hTTp://${place}${port}/`,
    () => `http:${place}/`,
    () => `http:/\\${place}/`,
    () => `\\\\${place}\\x`,
    () => `//${place}/`,
    () => `///${place}/`,
    () => ` http://${place}/`,
    () => `ht\ttp://${place}/`,
    () =>
      `${random.pick(['gopher', 'dict', 'file', 'ldap', 'tftp', 'sftp', 'ftp', 'jar', 'netdoc', 'ws'])}://${place}${port}/`,
    () => place,
    () => `${place}${port}/x`,
  ])();
}

const makers: readonly (readonly [name: string, make: (random: Random) => string])[] = [
  ['path_traversal', (random) => (random.chance(0.65) ? climb(random) : absolute(random))],
  ['command_injection', (random) => (random.chance(0.85) ? shell(random) : option(random))],
  ['ssrf', url],
];

/** Attacks made otherwise than those of `attacks.ts`, so many of each class; no two alike. */
export function makeHeldOutAttacks(random: Random, each: number): readonly HeldOutAttack[] {
  return makers.flatMap(([of, make]) => {
    const payloads = new Set<string>();
    for (let tries = 0; payloads.size < each && tries < each * 200; tries += 1) payloads.add(make(random));
    return [...payloads].map(
      (payload) => ({ source: 'held-out', class: of, label: 'attack', payload }) as const,
    );
  });
}
