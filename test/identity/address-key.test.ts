import { describe, expect, test } from 'vitest';
import { addressKey } from '../../src/identity/address-key.ts';

describe('the key of an address', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['2001:db8::192.0.2.1', '2001:db8:0:0::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
    ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
    ['1:2::4:5:6:192.0.2.1', '1:2:0:4::/64'],
    ['1::4:5:6:7:192.0.2.1', '1:0:4:5::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['1::', '1:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['ABCD::1', 'abcd:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '192.0.2.7'],
    ['64:ff9b::c000:207', '192.0.2.7'],
    ['64:ff9b:0:0:0:0:c000:207', '192.0.2.7'],
    ['0064:FF9B::c000:0207', '192.0.2.7'],
    ['64:ff9b::7', '0.0.0.7'],
    ['64:ff9b::1:c000:207', '64:ff9b:0:0::/64'],
    ['64:ff9b:1::c000:207', '64:ff9b:1:0::/64'],
    ['no address', 'no address'],
  ])('%s counts as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  test('is not one for all who come through a translator from IPv4', () => {
    expect(addressKey('64:ff9b::198.51.100.1')).not.toBe(addressKey('64:ff9b::198.51.100.2'));
  });

  test('is one for a whole IPv6 /64, and another for the next', () => {
    expect(addressKey('2001:db8:1:2::1')).toBe(addressKey('2001:db8:1:2:ffff:ffff:ffff:ffff'));
    expect(addressKey('2001:db8:1:2::1')).not.toBe(addressKey('2001:db8:1:3::1'));
    expect(addressKey('2001:db8::1')).toBe(addressKey('2001:db8:0:0:1::'));
  });
});
