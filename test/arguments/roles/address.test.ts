import { BlockList, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readExactAddress } from '../../../src/addresses/address-block.ts';
import { classifyAddress } from '../../../src/arguments/roles/address.ts';
import { oddNotationsV4, specialV4, specialV6 } from './address-disguises.ts';

/** The registries once more, for another matcher. */
const special4 = new BlockList();
const special6 = new BlockList();
for (const [net, bits] of [
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
] as const) {
  special4.addSubnet(net, bits, 'ipv4');
}
for (const [net, bits] of [
  ['::', 3],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['4000::', 2],
  ['8000::', 1],
] as const) {
  special6.addSubnet(net, bits, 'ipv6');
}

/** Near the edges of ranges, where a wrong mask shows. */
const anyV4 = fc
  .tuple(
    fc.oneof(fc.nat(255), fc.constantFrom(0, 10, 100, 127, 168, 169, 172, 192, 198, 203, 223, 224, 255)),
    fc.oneof(
      fc.nat(255),
      fc.constantFrom(0, 15, 16, 17, 18, 19, 20, 31, 32, 51, 63, 64, 88, 127, 128, 168, 254),
    ),
    fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 99, 100, 113, 129)),
    fc.nat(255),
  )
  .map((bytes) => bytes.join('.'));

const word = fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0, 0, 1, 0xffff, 0x5efe));
const anyV6 = fc
  .tuple(
    fc.oneof(
      word,
      fc.constantFrom(0, 0x64, 0x100, 0x2000, 0x2001, 0x2002, 0x3fff, 0x3ffe, 0x5f00, 0xfc00, 0xfe80),
    ),
    fc.oneof(word, fc.constantFrom(0, 0xff9b, 0x1ff, 0x200, 0xdb8, 0xfff, 0x1000)),
    ...([word, word, word, word, word, word] as const),
  )
  .map((words) => new URL(`http://[${words.map((n) => n.toString(16)).join(':')}]`).hostname.slice(1, -1));

describe('classifyAddress', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['10.1.2.3', 'private'],
    ['100.64.0.1', 'shared-address-space'],
    ['100.100.100.200', 'metadata-service'],
    ['168.63.129.16', 'metadata-service'],
    ['169.254.169.254', 'metadata-service'],
    ['192.0.0.192', 'metadata-service'],
    ['169.254.1.1', 'link-local'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'this-network'],
    ['192.0.2.1', 'documentation'],
    ['198.18.0.1', 'benchmarking'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:8.8.8.8', 'ipv4-mapped'],
    ['::10.0.0.1', 'private'],
    ['64:ff9b::a9fe:a9fe', 'metadata-service'],
    ['64:ff9b:1::808:808', 'nat64-local'],
    ['2002:a00:1::', 'private'],
    ['2002:808:808::1', '6to4'],
    ['2001:0:4136:e378:8000:63bf:80ff:fffe', 'loopback'],
    ['2001:0:4136:e378:8000:63bf:f7f7:f7f7', 'teredo'],
    ['2a00:1450::5efe:7f00:1', 'isatap'],
    ['2001:db8::1', 'documentation'],
    ['3fff:fff::1', 'documentation'],
    ['5f00::1', 'segment-routing'],
    ['fd00:ec2::254', 'metadata-service'],
    ['fd12::1', 'unique-local'],
    ['fe80::1', 'link-local'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
    ['6000::1', 'unallocated'],
  ])('%s is %s', (text, name) => {
    expect(classifyAddress(text)).toEqual({ kind: 'special', name });
  });

  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '168.63.129.15',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2000::1',
    '2001:200::1',
    '2001:4860:4860::8888',
    '2606:4700:4700::1111',
    '2a00:1450:4001:81b::200e',
    '3ffe::1',
    '64:ff9b::808:808',
  ])('%s is public', (text) => {
    expect(classifyAddress(text)).toEqual({ kind: 'public' });
  });

  it('knows every address of the disguise tables as special', () => {
    for (const text of [...specialV4, ...specialV6]) {
      expect(classifyAddress(text), text).toMatchObject({ kind: 'special' });
    }
  });

  it('takes no odd notation of IPv4 for an address', () => {
    for (const { host } of specialV4.flatMap(oddNotationsV4)) {
      if (host.startsWith('[') || isIPv6(host)) continue;
      expect(classifyAddress(host), host).toBeUndefined();
    }
    for (const text of [
      '',
      '1',
      '::1%lo',
      'fe80::1%25eth0',
      '[::1]',
      'localhost',
      '1.2.3.4/32',
      ':',
      ':::',
      '1:2',
    ]) {
      expect(classifyAddress(text), text).toBeUndefined();
    }
  });

  it('agrees with a second matcher on IPv4', () => {
    fc.assert(
      fc.property(anyV4, (text) => {
        expect(classifyAddress(text)!.kind === 'special').toBe(special4.check(text, 'ipv4'));
      }),
      { numRuns: 3000 },
    );
  });

  it('agrees with a second matcher on IPv6, but for NAT64 of public addresses and for ISATAP', () => {
    fc.assert(
      fc.property(anyV6, (text) => {
        const found = classifyAddress(text)!;
        if (found.kind === 'special') {
          expect(special6.check(text, 'ipv6') || found.name === 'isatap').toBe(true);
        } else {
          expect(!special6.check(text, 'ipv6') || text.startsWith('64:ff9b::')).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('takes for exact what the platform writes', () => {
    fc.assert(
      fc.property(anyV6, (text) => {
        expect(readExactAddress(text)).toBeDefined();
      }),
      { numRuns: 2000 },
    );
    for (const text of [
      '0:0:0:0:0:0:0:1',
      '::0001',
      '1::2:0:0:0:0',
      '2001:db8:0:0:1:0:0:1',
      '::ffff:1.2.3.4',
    ]) {
      expect(readExactAddress(text), text).toBeUndefined();
    }
  });
});
