import { BlockList } from 'node:net';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { judgeAddress, readPrivateBlocks } from '../../src/dialer/judge-address.ts';
import { outboundOptions } from '../../src/dialer/options.ts';
import { makeTestCa } from '../support/certificates.ts';
import { codeOf, dialerOf, serve } from './support.ts';

const server = await serve((_, response) => response.end('reached'));
const { port } = server;
afterAll(() => server.close());

/** Every spelling of one IPv4 address that some reader of URLs takes for it. */
function spellingsOf(a: number, b: number, c: number, d: number): readonly string[] {
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  const hex = (n: number) => `0x${n.toString(16)}`;
  const octal = (n: number) => `0${n.toString(8)}`;
  const high = (a * 256 + b).toString(16);
  const low = (c * 256 + d).toString(16);
  const plain = `${a}.${b}.${c}.${d}`;
  return [
    plain,
    String(whole),
    hex(whole),
    hex(whole).toUpperCase().replace('X', 'x'),
    octal(whole),
    [a, b, c, d].map(hex).join('.'),
    [a, b, c, d].map(octal).join('.'),
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `${hex(a)}.${octal(b)}.${c}.${d}`,
    `000${octal(a)}.${b}.${c}.${d}`,
    `${plain}.`,
    [...plain].map((character) => `%${character.charCodeAt(0).toString(16)}`).join(''),
    plain.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
    plain.replaceAll('.', '。'),
    plain.replaceAll('.', '．'),
    `[::ffff:${plain}]`,
    `[::ffff:${high}:${low}]`,
    `[0:0:0:0:0:ffff:${high}:${low}]`,
    `[::FFFF:${high}:${low}]`,
    `[::ffff:0:${high}:${low}]`,
    `[::${plain}]`,
    `[64:ff9b::${plain}]`,
    `[64:ff9b:1::${plain}]`,
    `[2002:${high}:${low}::]`,
    `[2002:${high}:${low}::1]`,
    `[2001:0:${high}:${low}::]`,
    `[2001::${(0xffff - Number.parseInt(high, 16)).toString(16)}:${(0xffff - Number.parseInt(low, 16)).toString(16)}]`,
  ];
}

const forbidden: readonly (readonly [number, number, number, number])[] = [
  [127, 0, 0, 1],
  [127, 1, 2, 3],
  [169, 254, 169, 254],
  [169, 254, 170, 2],
  [168, 63, 129, 16],
  [100, 100, 100, 200],
  [10, 0, 0, 1],
  [172, 31, 255, 255],
  [192, 168, 1, 1],
  [0, 0, 0, 0],
  [0, 0, 0, 1],
  [100, 64, 0, 1],
  [224, 0, 0, 1],
  [255, 255, 255, 255],
];

describe('an address that is set apart is not dialled, however it is written', () => {
  const dialer = dialerOf({ private: [] });
  test.each(forbidden)('%i.%i.%i.%i', async (...address) => {
    const before = server.connections();
    for (const host of spellingsOf(...address)) {
      for (const scheme of ['https', 'http']) {
        expect(await codeOf(dialer.dial(`${scheme}://${host}:${port}/`)), host).toMatch(
          /^dial-(?:address|url)$/,
        );
      }
    }
    expect(server.connections()).toBe(before);
  });

  test.each([
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[fe80::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[fec0::1]',
    '[ff02::1]',
    '[100::1]',
    '[2001:db8::1]',
    '[4000::1]',
    '[e000::1]',
  ])('%s', async (host) => {
    expect(await codeOf(dialer.dial(`https://${host}:${port}/`))).toBe('dial-address');
  });

  test('nor by a port, a path or a query', async () => {
    for (const end of [
      ':80',
      ':443',
      ':22',
      ':6379',
      ':0',
      '/x',
      '/?url=https://idp.example',
      ':443/@idp.example',
    ]) {
      expect(await codeOf(dialer.dial(`https://127.0.0.1${end}`)), end).toBe('dial-address');
    }
  });
});

describe('a name is not dialled when one of its addresses may not be', () => {
  const publicOnes = ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'];
  const bad = [
    '127.0.0.1',
    '169.254.169.254',
    '10.1.2.3',
    '0.0.0.0',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    '::1%lo',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    'localhost',
    '',
    'not an address',
  ];
  test.each(bad)('%j', async (address) => {
    const answers = [[address], [...publicOnes, address], [address, ...publicOnes]];
    for (const addresses of answers) {
      const dialer = dialerOf({ private: [] }, { resolve: async () => addresses });
      expect(await codeOf(dialer.dial(`https://idp.example:${port}/`)), addresses.join()).toBe(
        'dial-address',
      );
    }
  });

  test('nor when it has none, too many, or cannot be resolved', async () => {
    const answers = [
      async () => [],
      async () => Array.from({ length: 65 }, () => '93.184.216.34'),
      () =>
        Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND idp.example'), { code: 'ENOTFOUND' })),
    ];
    for (const resolve of answers) {
      expect(await codeOf(dialerOf({}, { resolve }).dial('https://idp.example/'))).toBe('dial-name');
    }
  });
});

describe('a name service that changes its answer between look and use', async () => {
  const ca = await makeTestCa();
  const { certPem: cert, keyPem: key } = await ca.issue({ san: ['idp.example'], eku: ['serverAuth'] });
  const meant = await serve((_, response) => response.end('meant'), {
    tls: { cert, key },
    host: '127.0.0.2',
  });
  const inside = await serve((_, response) => response.end('inside'), {
    tls: { cert, key },
    host: '127.0.0.1',
    port: meant.port,
  });
  afterAll(async () => {
    await meant.close();
    await inside.close();
  });

  test('is asked once for each dial, and what it said then is what is dialled', async () => {
    let asked = 0;
    const resolve = async () => (asked++ % 2 === 0 ? ['127.0.0.2'] : ['127.0.0.1']);
    const dialer = dialerOf({ private: ['127.0.0.2/32'], ca: ['ca'] }, { resolve, readFile: () => ca.caPem });
    const url = `https://idp.example:${meant.port}/`;
    for (const round of [1, 2, 3]) {
      expect(await (await dialer.dial(url)).text()).toBe('meant');
      expect(await codeOf(dialer.dial(url))).toBe('dial-address');
      expect(asked).toBe(2 * round);
    }
    expect(inside.connections()).toBe(0);
  });
});

describe('what is configured as private', () => {
  const judge = (text: string, ...blocks: string[]) => judgeAddress(text, readPrivateBlocks(blocks));

  test.each([
    ['10.1.2.3', '10.0.0.0/8'],
    ['127.0.0.1', '127.0.0.0/8'],
    ['::1', '::1/128'],
    ['fd00::1', 'fd00::/8'],
    ['64:ff9b::5db8:d822', '64:ff9b::/96'],
    ['100.64.0.1', '100.64.0.0/10'],
  ])('%s is dialled with %s, and not without', (address, block) => {
    expect(judge(address, block)).toEqual({ ok: true, isPrivate: true });
    expect(judge(address)).toMatchObject({ ok: false });
  });

  test.each([
    ['11.0.0.1', '10.0.0.0/8', { ok: true, isPrivate: false }],
    ['192.168.1.1', '10.0.0.0/8', { ok: false, reason: 'private' }],
    // The credentials of the machine, also inside a block that is allowed.
    ['169.254.169.254', '169.254.0.0/16', { ok: false, reason: 'metadata-service' }],
    ['100.100.100.200', '100.64.0.0/10', { ok: false, reason: 'metadata-service' }],
    ['fd00:ec2::254', 'fd00::/8', { ok: false, reason: 'metadata-service' }],
    ['0.0.0.0', '0.0.0.0/8', { ok: false, reason: 'unspecified' }],
    // Other spellings of an address that is allowed.
    ['::ffff:10.0.0.1', '10.0.0.0/8', { ok: false, reason: 'ipv4-mapped' }],
    ['::ffff:10.0.0.1', '::ffff:0:0/96', { ok: false, reason: 'ipv4-mapped' }],
    ['2002:a00:1::', '2002::/16', { ok: false, reason: '6to4' }],
    // What stands behind a translator must be allowed too.
    ['64:ff9b::a00:1', '64:ff9b::/96', { ok: false, reason: 'private' }],
    ['64:ff9b::a9fe:a9fe', '64:ff9b::/96', { ok: false, reason: 'metadata-service' }],
  ])('%s with %s', (address, block, verdict) => {
    expect(judge(address, block)).toEqual(verdict);
  });

  test('may be behind a translator where both are configured', () => {
    expect(judge('64:ff9b::a00:1', '64:ff9b::/96', '10.0.0.0/8')).toEqual({ ok: true, isPrivate: true });
  });

  test.each([
    '0.0.0.0/0',
    '::/0',
    '8.8.8.8/32',
    '192.0.0.0/8',
    '2000::/3',
    'fc00::/6',
    '10.0.0.1/8',
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10/8',
    '010.0.0.0/8',
    '::ffff:10.0.0.0/104',
    '::ffff:a00:0/104',
    '2002::/16',
    '169.254.169.254/32',
    'localhost',
    '',
  ])('cannot be %j', (block) => {
    expect(outboundOptions.safeParse({ private: [block] }).success).toBe(false);
  });
});

describe('against the address lists of Node', () => {
  const v4: readonly (readonly [string, number])[] = [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['168.63.129.16', 32],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 3],
  ];
  const setApart = new BlockList();
  for (const [address, prefix] of v4) setApart.addSubnet(address, prefix, 'ipv4');
  const global = new BlockList();
  global.addSubnet('2000::', 3, 'ipv6');
  const notPublic = new BlockList();
  for (const [address, prefix] of [
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
  ] as const) {
    notPublic.addSubnet(address, prefix, 'ipv6');
  }
  const none = readPrivateBlocks([]);

  const edges = v4.map(([address]) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0));
  const address4 = fc
    .oneof(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc
        .tuple(fc.constantFrom(...edges), fc.integer({ min: -2, max: 70_000 }))
        .map(([at, by]) => (at + by + 2 ** 32) % 2 ** 32),
    )
    .map((n) => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join('.'));

  test('every IPv4 address is judged as its block is', () => {
    fc.assert(
      fc.property(address4, (address) => {
        expect(judgeAddress(address, none).ok).toBe(!setApart.check(address, 'ipv4'));
      }),
      { numRuns: 2000 },
    );
  });

  test('every IPv6 address outside the public space, and in its exceptions, is refused', () => {
    const word = fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.constantFrom(0, 0x2001, 0x2002, 0xdb8, 0x3fff, 0x64, 0xff9b),
    );
    const address6 = fc
      .array(word, { minLength: 8, maxLength: 8 })
      .map((words) => words.map((w) => w.toString(16)).join(':'));
    fc.assert(
      fc.property(address6, (address) => {
        const isPublic = global.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
        expect(judgeAddress(address, none).ok).toBe(isPublic);
      }),
      { numRuns: 2000 },
    );
  });

  test('an allowed block lets in what it holds, but for what is never dialled, and no more', () => {
    fc.assert(
      fc.property(
        address4,
        fc.constantFrom('10.0.0.0/8', '192.168.0.0/16', '127.0.0.0/8', '172.16.0.0/12'),
        (address, block) => {
          const [base, prefix] = block.split('/') as [string, string];
          const allowed = new BlockList();
          allowed.addSubnet(base, Number(prefix), 'ipv4');
          const verdict = judgeAddress(address, readPrivateBlocks([block]));
          expect(verdict.ok).toBe(allowed.check(address, 'ipv4') || !setApart.check(address, 'ipv4'));
          expect(verdict.ok && verdict.isPrivate).toBe(allowed.check(address, 'ipv4'));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
