/** Every way of writing an address into a URL that some reader understands. Hosts as they stand in the authority. */

export interface Disguise {
  readonly notation: string;
  readonly host: string;
}

/** One or more addresses of every special range of IPv4: first, last and in between. */
export const specialV4 = [
  '0.0.0.0',
  '0.0.0.1',
  '0.255.255.255',
  '10.0.0.0',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.0',
  '100.100.100.200',
  '100.127.255.255',
  '127.0.0.0',
  '127.0.0.1',
  '127.1.2.3',
  '127.255.255.255',
  '168.63.129.16',
  '169.254.0.1',
  '169.254.169.254',
  '169.254.170.2',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.0.9',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.168.255.255',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.255',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.254',
  '255.255.255.255',
];

export const specialV6 = [
  '::',
  '::1',
  '::2',
  '::ffff:7f00:1',
  '64:ff9b::a00:1',
  '64:ff9b:1::1',
  '100::1',
  '100:0:0:1::1',
  '200::1',
  '2001::1',
  '2001:1::1',
  '2001:2::1',
  '2001:3::1',
  '2001:10::1',
  '2001:20::1',
  '2001:1ff:ffff::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:808:808::1',
  '3fff::1',
  '4000::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fd12:3456:789a::1',
  'fe80::1',
  'febf::1',
  'fec0::1',
  'ff02::1',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
];

const octal = (n: number, width = 0) => `0${n.toString(8).padStart(width, '0')}`;
const hex = (n: number) => `0x${n.toString(16)}`;
const decimal = String;

/** All the ways of writing an IPv4 address that are not plain dotted decimal. */
export function oddNotationsV4(address: string): readonly Disguise[] {
  const bytes = address.split('.').map(Number) as [number, number, number, number];
  const [a, b, c, d] = bytes;
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  const high = (a * 256 + b).toString(16);
  const low = (c * 256 + d).toString(16);
  const turned = [a * 256 + b, c * 256 + d].map((word) => (word ^ 0xffff).toString(16)).join(':');
  const list: Disguise[] = [];
  const add = (notation: string, ...hosts: string[]) => {
    for (const host of hosts) if (host !== address) list.push({ notation, host });
  };
  for (const [name, write] of [
    ['octal', octal],
    ['hexadecimal', hex],
  ] as const) {
    add(name, bytes.map((n) => write(n)).join('.'));
    for (const i of [0, 1, 2, 3]) {
      add(`${name} in one part`, bytes.map((n, j) => (i === j ? write(n) : String(n))).join('.'));
    }
    add(`${name} short`, [a, b, c * 256 + d].map((n) => write(n)).join('.'));
    add(`${name} short`, [a, (b * 256 + c) * 256 + d].map((n) => write(n)).join('.'));
    add(`${name} whole`, write(whole));
  }
  add('padded octal', bytes.map((n) => octal(n, 6)).join('.'), octal(whole, 16));
  add('padded decimal', bytes.map((n) => String(n).padStart(3, '0')).join('.'));
  add('upper-case hexadecimal', bytes.map((n) => hex(n).toUpperCase()).join('.'), hex(whole).toUpperCase());
  add('mixed', `${hex(a)}.${octal(b)}.${decimal(c)}.${hex(d)}`, `${a}.${hex(b)}.${octal(c * 256 + d)}`);
  add('short', `${a}.${b}.${c * 256 + d}`, `${a}.${(b * 256 + c) * 256 + d}`);
  if (b === 0 && c === 0) add('short', `${a}.${d}`);
  add('decimal', String(whole));
  add(
    'decimal that overflows',
    String(whole + 2 ** 32),
    `${a}.${b}.${c}.${d + 256}`,
    `${a + 256}.${b}.${c}.${d}`,
  );
  add('empty hexadecimal', `0x.${b}.${c}.${d}`, `${a}.${b}.${c}.0x`);
  add('trailing dot', `${address}.`, `${address}..`, `${whole}.`);
  add('five parts', `${address}.0`, `0.${address}`);
  add('IPv4-mapped', `[::ffff:${address}]`, `[::ffff:${high}:${low}]`, `[::FFFF:${high}:${low}]`);
  add('IPv4-mapped in full', `[0:0:0:0:0:ffff:${address}]`, `[0000:0000:0000:0000:0000:ffff:${high}:${low}]`);
  add('IPv4-compatible', `[::${address}]`, `[::${high}:${low}]`, `[0:0:0:0:0:0:${address}]`);
  add('IPv4-translated', `[::ffff:0:${address}]`, `[::ffff:0:${high}:${low}]`);
  add('NAT64', `[64:ff9b::${address}]`, `[64:ff9b::${high}:${low}]`, `[64:ff9b:1::${high}:${low}]`);
  add('6to4', `[2002:${high}:${low}::]`, `[2002:${high}:${low}::1]`);
  add('Teredo', `[2001::${turned}]`, `[2001:0:4136:e378:8000:63bf:${turned}]`);
  add(
    'ISATAP',
    `[fe80::5efe:${high}:${low}]`,
    `[2a00:1450::5efe:${high}:${low}]`,
    `[2a00::200:5efe:${high}:${low}]`,
  );
  add('zone id', `[::ffff:${address}%25lo]`, `[::ffff:${address}%lo]`, `[fe80::${high}:${low}%25eth0]`);
  add('brackets', `[${address}]`, `[v4.${address}]`, `[${address}`, `${address}]`);
  add('brackets left out', `::ffff:${address}`, `::ffff:${high}:${low}`);
  add(
    'percent-encoded',
    percentEncoded(address),
    address.replaceAll('.', '%2e'),
    address.replaceAll('.', '%2E'),
  );
  add('percent-encoded twice', address.replaceAll('.', '%252e'));
  add('percent-encoded full width', encodeURIComponent(fullWidth(address)));
  add(
    'full-width digits',
    fullWidth(address),
    fullWidth(address).replaceAll('\uff0e', '.'),
    fullWidth(String(whole)),
  );
  for (const stop of ['\u3002', '\uff0e', '\uff61', '\u2024']) {
    add('other full stops', address.replaceAll('.', stop), `${a}${stop}${b}.${c}${stop}${d}`);
  }
  add(
    'circled digits',
    address.replace(/[1-9]/g, (n) => String.fromCodePoint(0x245f + Number(n))),
  );
  add(
    'mathematical digits',
    address.replace(/[0-9]/g, (n) => String.fromCodePoint(0x1d7d8 + Number(n))),
  );
  add(
    'superscript digits',
    address.replace(/[4-9]/g, (n) => String.fromCodePoint(0x2070 + Number(n))),
  );
  add(
    'Arabic digits',
    address.replace(/[0-9]/g, (n) => String.fromCodePoint(0x0660 + Number(n))),
  );
  for (const invisible of [
    '\u00ad',
    '\u200b',
    '\u200d',
    '\u2060',
    '\ufeff',
    '\u180e',
    '\ufe0f',
    '\u{e0031}',
  ]) {
    add('invisible characters', `${address.slice(0, 3)}${invisible}${address.slice(3)}`);
  }
  add('bidirectional marks', `\u202e${address}`, `${address}\u202c`, `\u2066${address}\u2069`);
  for (const space of ['\t', '\n', '\r', ' ', '\u0000', '\u00a0', '\u2028']) {
    add(
      'white space and controls',
      `${address.slice(0, 2)}${space}${address.slice(2)}`,
      `${address}${space}`,
    );
  }
  return list;
}

/** Text that stands around a host so that one reader sees this host, and another one a good one. */
export function surroundings(host: string): readonly Disguise[] {
  return [
    ['plain', `https://${host}/`],
    ['no path', `https://${host}`],
    ['with path', `https://${host}/latest/meta-data/?a=b#c`],
    ['own port', `https://${host}:443/`],
    ['upper-case scheme', `HTTPS://${host}/`],
    ['credentials', `https://good.example@${host}/`],
    ['credentials', `https://good.example:443@${host}/`],
    ['credentials', `https://good.example%2f@${host}/`],
    ['credentials', `https://a@good.example@${host}/`],
    ['empty credentials', `https://@${host}/`],
    ['backslash', `https://good.example\\@${host}/`],
    ['backslash', `https://${host}\\@good.example/`],
    ['backslash', `https://${host}\\.good.example/`],
    ['backslash', `https:\\\\${host}\\`],
    ['hash and at', `https://good.example#@${host}/`],
    ['hash and at', `https://${host}#@good.example/`],
    ['question mark and at', `https://good.example?@${host}/`],
    ['question mark and at', `https://${host}?@good.example/`],
    ['one slash', `https:/${host}/`],
    ['no slash', `https:${host}/`],
    ['three slashes', `https:///${host}/`],
    ['no scheme', `//${host}/`],
    ['no scheme', `${host}/`],
    ['leading space', ` https://${host}/`],
    ['leading control', `\u0001https://${host}/`],
    ['trailing line feed', `https://${host}/\n`],
    ['tab in the scheme', `ht\ttps://${host}/`],
    ['tab behind the scheme', `https:\t//${host}/`],
    ['other scheme', `gopher://${host}/`],
    ['other scheme', `file://${host}/etc/passwd`],
    ['scheme in scheme', `url:https://${host}/`],
    ['scheme in scheme', `view-source:https://${host}/`],
    ['semicolon', `https://good.example;@${host}/`],
    ['comma', `https://${host},good.example/`],
    ['empty port', `https://${host}:/`],
    ['padded port', `https://${host}:0443/`],
    ['port and at', `https://${host}:443@good.example/`],
  ].map(([notation, text]) => ({ notation: notation!, host: text! }));
}

function percentEncoded(text: string): string {
  return Buffer.from(text).toString('hex').replace(/../g, '%$&');
}

function fullWidth(text: string): string {
  return text.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0));
}
