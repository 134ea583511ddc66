import { isIPv6 } from 'node:net';

/**
 * What counts as one address: an IPv6 host picks freely among the 2^64 addresses of its network and would otherwise
 * pass for as many callers as it likes, so its /64 stands for it. An IPv4 address stands for itself, also within the
 * well-known prefix of translators (RFC 6052, 64:ff9b::/96): all of the IPv4 internet may come from that one /64.
 */
export function addressKey(address: string): string {
  const bare = address.split('%', 1)[0]!;
  if (!isIPv6(bare)) return address;
  const [head = '', tail] = bare.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    // A dotted quad at the end stands for two groups.
    const width = after.length + (after.at(-1)?.includes('.') ? 1 : 0);
    while (groups.length + width < 8) groups.push('0');
    groups.push(...after);
  }
  const numbers = groups.flatMap((group) =>
    group.includes('.') ? pairOf(group) : Number.parseInt(group, 16),
  );
  if (translated.every((number, index) => numbers[index] === number)) {
    return numbers
      .slice(6)
      .flatMap((number) => [number >> 8, number & 255])
      .join('.');
  }
  const network = numbers.slice(0, 4).map((number) => number.toString(16));
  return `${network.join(':')}::/64`;
}

/** The 96 bits that stand before an IPv4 address. */
const translated = [0x64, 0xff9b, 0, 0, 0, 0];

function pairOf(quad: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = quad.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}
