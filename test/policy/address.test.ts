import { describe, expect, it } from 'vitest';
import { contains, networkFault, parseAddress, parseNetwork } from '../../src/policy/conditions/address.ts';

describe('an address', () => {
  it.each([
    ['10.1.2.3', [0, 0, 0, 0, 0, 0xffff, 0x0a01, 0x0203]],
    ['255.255.255.255', [0, 0, 0, 0, 0, 0xffff, 0xffff, 0xffff]],
    ['0.0.0.0', [0, 0, 0, 0, 0, 0xffff, 0, 0]],
    ['::', [0, 0, 0, 0, 0, 0, 0, 0]],
    ['::1', [0, 0, 0, 0, 0, 0, 0, 1]],
    ['1::', [1, 0, 0, 0, 0, 0, 0, 0]],
    ['1:2:3:4:5:6:7:8', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['1:2:3:4:5:6:7::', [1, 2, 3, 4, 5, 6, 7, 0]],
    ['::2:3:4:5:6:7:8', [0, 2, 3, 4, 5, 6, 7, 8]],
    ['1::8', [1, 0, 0, 0, 0, 0, 0, 8]],
    ['::ffff:10.1.2.3', [0, 0, 0, 0, 0, 0xffff, 0x0a01, 0x0203]],
    ['1:2:3:4:5:6:10.1.2.3', [1, 2, 3, 4, 5, 6, 0x0a01, 0x0203]],
    ['FE80::AbCd', [0xfe80, 0, 0, 0, 0, 0, 0, 0xabcd]],
    ['fe80::1%eth0', [0xfe80, 0, 0, 0, 0, 0, 0, 1]],
    ['fe80::1%en-0.1_x', [0xfe80, 0, 0, 0, 0, 0, 0, 1]],
    [`::1%${'z'.repeat(60)}`, [0, 0, 0, 0, 0, 0, 0, 1]],
  ])('%s is read', (text, groups) => {
    expect(parseAddress(text)).toEqual(groups);
  });

  it.each([
    '',
    '10',
    '10.0.0',
    '10.0.0.0.1',
    '10.0.0.1a',
    'a10.0.0.1',
    '10.0.0.1\n',
    ' 10.0.0.1',
    '10.0.0.00',
    '10.0.0.1000',
    '10.0.0.256',
    '256.0.0.1',
    '10.0.0.1%eth0',
    '%eth0',
    '::1%',
    '::1%eth0%eth1',
    '::1%eth 0',
    '::1%eth0/64',
    'x::1%eth0',
    ':',
    ':::',
    '1:',
    ':1',
    '1::2::3',
    '::1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '1:2:3:4::5:6:7:8',
    '12345::',
    'g::',
    '10.0.0.1::',
    '10.0.0.1::1',
    '::10.0.0.1:1',
    '1:2:3:4:5:6:7:10.0.0.1',
    '::256.0.0.1',
    `::1%${'z'.repeat(61)}`,
    5 as unknown as string,
    undefined as unknown as string,
    ['::1'] as unknown as string,
  ])('%j is none', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe('a network', () => {
  it.each([
    ['10.0.0.0/8', 104],
    ['10.0.0.0/08', undefined],
    ['10.0.0.1', 128],
    ['10.0.0.0/32', 128],
    ['10.0.0.0/33', undefined],
    ['0.0.0.0/0', 96],
    ['::/0', 0],
    ['::1', 128],
    ['::1/128', 128],
    ['::1/129', undefined],
    ['2001:db8::/32', 32],
    ['2001:db8::/1000', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/-1', undefined],
    ['10.0.0.0/8 ', undefined],
    ['x10.0.0.0/8', undefined],
    ['10.0.0.0/8/8', undefined],
    ['10.0.0/8', undefined],
    ['fe80::%eth0/10', undefined],
    ['', undefined],
  ])('%s has so many bits: %s', (text, bits) => {
    expect(parseNetwork(text)?.bits).toBe(bits);
  });

  it('holds what begins as it does, and nothing else', () => {
    const holds = (network: string, address: string) =>
      contains(parseNetwork(network)!, parseAddress(address)!);
    for (const [network, inside, outside] of [
      ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0', '::10.0.0.0']],
      ['10.128.0.0/9', ['10.128.0.0', '10.255.255.255'], ['10.127.255.255']],
      ['10.0.0.4/31', ['10.0.0.4', '10.0.0.5'], ['10.0.0.3', '10.0.0.6']],
      ['10.0.0.4', ['10.0.0.4', '::ffff:a00:4'], ['10.0.0.5']],
      ['2001:db8::/48', ['2001:db8::', '2001:db8:0:ffff::'], ['2001:db8:1::']],
      ['::/1', ['7fff::'], ['8000::']],
      ['::/0', ['ffff::', '10.0.0.1'], []],
      ['::1', ['::1'], ['::', '::2', '1::1']],
    ] as const) {
      for (const one of inside) expect(holds(network, one), `${one} in ${network}`).toBe(true);
      for (const one of outside) expect(holds(network, one), `${one} in ${network}`).toBe(false);
    }
  });

  it('is written by its first address', () => {
    expect(networkFault('10.0.0.0/8')).toBeUndefined();
    expect(networkFault('10.0.0.1')).toBeUndefined();
    expect(networkFault('::/0')).toBeUndefined();
    for (const text of ['10.0.0.1/8', '10.128.0.0/8', '2001:db8::1/32', '2001:db8:8000::/32', '1::/0']) {
      expect(networkFault(text), text).toBe(
        `the address has bits set beyond its /${text.split('/')[1]}: write the network's first address`,
      );
    }
    for (const text of ['', 'nonsense', '10.0.0.0/33', '10.0.0']) {
      expect(networkFault(text), text).toBe(
        'expected an address or a network such as 10.0.0.0/8 or 2001:db8::/32',
      );
    }
  });
});
