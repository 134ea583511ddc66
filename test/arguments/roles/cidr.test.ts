import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidrRole } from '../../../src/arguments/roles/cidr.ts';
import { cidrOptions } from '../../../src/arguments/roles/cidr-options.ts';
import type { JsonValue } from '../../../src/values/json.ts';
import { oddNotationsV4, specialV4, specialV6 } from './address-disguises.ts';

function faultOf(value: JsonValue, options: object = {}): string | undefined {
  return cidrRole.compile(cidrOptions.parse(options)).judge(value)?.fault;
}

describe('cidr', () => {
  it.each([
    ['10.0.0.0/8', {}],
    ['0.0.0.0/0', {}],
    ['::/0', {}],
    ['192.168.1.0/24', {}],
    ['192.168.1.1/32', {}],
    ['192.168.1.1', {}],
    ['2001:db8::/32', {}],
    ['2001:DB8::/32', {}],
    ['fe80::1', {}],
    ['fe80::1/128', {}],
    ['10.1.2.3/8', { hostBits: 'allow' }],
    ['10.1.0.0/16', { within: ['10.0.0.0/8'] }],
    ['10.0.0.0/8', { within: ['10.0.0.0/8'] }],
    ['10.1.2.3', { within: ['192.168.0.0/16', '10.0.0.0/8'] }],
    ['2001:db8:1::/48', { within: ['10.0.0.0/8', '2001:db8::/32'] }],
    ['10.0.0.0/24', { family: 'ipv4', minPrefix: 24, maxPrefix: 28 }],
    ['10.0.0.16/28', { family: 'ipv4', minPrefix: 24, maxPrefix: 28 }],
    ['2001:db8::/48', { within: ['2001:db8::/32'], minPrefix: 40 }],
    ['8.8.8.0/24', { addresses: 'public' }],
    ['2606:4700::/32', { addresses: 'public' }],
    ['172.16.0.0/12', { addresses: 'private' }],
    ['fd00::/8', { addresses: 'private' }],
  ])('passes %s with %j', (value, options) => {
    expect(faultOf(value, options)).toBeUndefined();
  });

  it.each([
    [10, {}, 'not-text'],
    ['', {}, 'not-a-block'],
    ['10.0.0.0/', {}, 'not-a-block'],
    ['/8', {}, 'not-a-block'],
    ['10/8', {}, 'not-a-block'],
    ['10.0/8', {}, 'not-a-block'],
    ['10.0.0.0/08', {}, 'not-a-block'],
    ['10.0.0.0/+8', {}, 'not-a-block'],
    ['10.0.0.0/33', {}, 'not-a-block'],
    ['10.0.0.0/-1', {}, 'not-a-block'],
    ['10.0.0.0/8.0', {}, 'not-a-block'],
    ['10.0.0.0/255.0.0.0', {}, 'not-a-block'],
    ['10.0.0.0/8/8', {}, 'not-a-block'],
    ['10.0.0.0/8 ', {}, 'not-a-block'],
    [' 10.0.0.0/8', {}, 'not-a-block'],
    ['10.0.0.0/8\n', {}, 'not-a-block'],
    ['10.0.0.0\u20448', {}, 'not-a-block'],
    ['10.0.0.0/\uff18', {}, 'not-a-block'],
    ['10.0.0.0/8,0.0.0.0/0', {}, 'not-a-block'],
    ['::/129', {}, 'not-a-block'],
    ['[::1]/128', {}, 'not-a-block'],
    ['fe80::1%eth0', {}, 'not-a-block'],
    ['0:0:0:0:0:0:0:0/0', {}, 'not-a-block'],
    ['2001:db8:0::/32', {}, 'not-a-block'],
    ['localhost', {}, 'not-a-block'],
    ['10.0.0.1/8', {}, 'host-bits'],
    ['10.0.0.0/4', {}, 'host-bits'],
    ['2001:db8::1/32', {}, 'host-bits'],
    ['192.168.1.128/24', {}, 'host-bits'],
    ['10.0.0.1', { single: 'refuse' }, 'single-address'],
    ['::/0', { family: 'ipv4' }, 'family'],
    ['0.0.0.0/0', { family: 'ipv6' }, 'family'],
    ['10.0.0.0/8', { family: 'ipv4', minPrefix: 16 }, 'prefix-too-short'],
    ['10.0.0.0/24', { family: 'ipv4', maxPrefix: 16 }, 'prefix-too-long'],
    ['10.0.0.1', { family: 'ipv4', maxPrefix: 31 }, 'prefix-too-long'],
    ['10.0.0.0/7', { within: ['10.0.0.0/8'] }, 'outside-blocks'],
    ['0.0.0.0/0', { within: ['10.0.0.0/8'] }, 'outside-blocks'],
    ['11.0.0.0/16', { within: ['10.0.0.0/8'] }, 'outside-blocks'],
    ['::ffff:a00:1', { within: ['10.0.0.0/8'] }, 'outside-blocks'],
    ['::/0', { within: ['10.0.0.0/8'] }, 'outside-blocks'],
    ['0.0.0.0/0', { addresses: 'public' }, 'not-public'],
    ['8.0.0.0/5', { addresses: 'public' }, 'not-public'],
    ['::/0', { addresses: 'public' }, 'not-public'],
    ['2000::/3', { addresses: 'public' }, 'not-public'],
    ['172.0.0.0/8', { addresses: 'private' }, 'not-private'],
    ['127.0.0.1', { addresses: 'private' }, 'not-private'],
    ['8.8.8.8', { addresses: 'private' }, 'not-private'],
  ])('refuses %j with %j: %s', (value, options, fault) => {
    expect(faultOf(value, options)).toBe(fault);
  });

  it('refuses every odd notation, alone and with a prefix', () => {
    for (const address of specialV4) {
      for (const { host } of oddNotationsV4(address)) {
        // Without brackets a mapped address is exact notation of an IPv6 address.
        if (host.startsWith('::ffff:') && !host.includes('.')) continue;
        expect(faultOf(host), host).toBe('not-a-block');
        expect(faultOf(`${host}/32`, { hostBits: 'allow' }), host).toBe('not-a-block');
      }
    }
  });

  it('calls no special address public', () => {
    for (const text of [...specialV4, ...specialV6]) {
      expect(faultOf(text, { addresses: 'public' }), text).toBe('not-public');
    }
  });

  it('agrees with a second matcher about `within`', () => {
    const v4 = fc
      .tuple(fc.constantFrom(10, 11, 172), fc.nat(40), fc.nat(255), fc.nat(255))
      .map((n) => n.join('.'));
    fc.assert(
      fc.property(v4, fc.integer({ min: 0, max: 32 }), v4, (outer, bits, inner) => {
        const list = new BlockList();
        list.addSubnet(outer, bits, 'ipv4');
        const net = maskedV4(outer, bits);
        expect(faultOf(inner, { within: [`${net}/${bits}`] }) === undefined).toBe(list.check(inner, 'ipv4'));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [{ within: ['10.0.0.1/8'] }, 'exact spelling'],
    [{ within: ['10.0.0.0'] }, 'exact spelling'],
    [{ minPrefix: 24 }, 'need `family'],
    [{ minPrefix: 24, family: 'ipv4', maxPrefix: 8 }, 'nothing can match'],
    [{ family: 'ipv4', maxPrefix: 64 }, '32 bits'],
    [{ inside: [] }, 'inside'],
  ])('does not accept %j', (options, message) => {
    const parsed = cidrOptions.safeParse(options);
    expect(parsed.success ? '' : parsed.error.message).toContain(message);
  });
});

function maskedV4(address: string, bits: number): string {
  const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
  const whole = (BigInt(((a * 256 + b) * 256 + c) * 256 + d) >> BigInt(32 - bits)) << BigInt(32 - bits);
  return [24n, 16n, 8n, 0n].map((shift) => String((whole >> shift) & 255n)).join('.');
}
