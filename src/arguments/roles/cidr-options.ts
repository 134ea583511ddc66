import { z } from 'zod';
import { hasHostBits, readBlock } from '../../addresses/address-block.ts';

const prefix = z.number().int().min(0).max(128).optional();

/** `cidr:` of an argument. */
export const cidrOptions = z
  .strictObject({
    within: z
      .array(
        z
          .string()
          .refine(
            isExactBlock,
            'expected a block in its exact spelling without host bits, such as 10.0.0.0/8',
          ),
      )
      .min(1)
      .max(10_000)
      .optional()
      .describe('Blocks that it must lie in, wholly in one of them. Default: anywhere.'),
    minPrefix: prefix.describe(
      'Shortest prefix: 24 allows 256 IPv4 addresses at most. Default: any. Needs `family` where both are possible.',
    ),
    maxPrefix: prefix.describe(
      'Longest prefix. Default: any. A single address has the longest of its family.',
    ),
    family: z.enum(['any', 'ipv4', 'ipv6']).prefault('any').describe('Default any.'),
    addresses: z
      .enum(['any', 'public', 'private'])
      .prefault('any')
      .describe(
        'Default `any`, because firewalls and routes speak of all networks. `public`: no address of the block may be ' +
          'special. `private`: all of it is RFC 1918 or RFC 4193.',
      ),
    single: z
      .enum(['allow', 'refuse'])
      .prefault('allow')
      .describe('An address without prefix. Default allow, because it says the same as /32 or /128.'),
    hostBits: z
      .enum(['refuse', 'allow'])
      .prefault('refuse')
      .describe(
        'Bits behind the prefix: 10.0.0.1/8. Default refuse, because readers disagree whether that is one address or ' +
          'sixteen million.',
      ),
  })
  .superRefine(({ minPrefix, maxPrefix, family, within }, context) => {
    const report = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (minPrefix !== undefined && maxPrefix !== undefined && minPrefix > maxPrefix) {
      report('minPrefix', 'longer than `maxPrefix`: nothing can match');
    }
    const families = new Set((within ?? []).map((text) => readBlock(text)?.family));
    const both = family === 'any' && families.size !== 1;
    // 24 is small in IPv4 and a quarter of a continent in IPv6.
    if (both && (minPrefix ?? maxPrefix) !== undefined) {
      report(
        'family',
        '`minPrefix` and `maxPrefix` need `family: ipv4` or `ipv6`, or `within` of one family',
      );
    }
    if (family === 'ipv4' && Math.max(minPrefix ?? 0, maxPrefix ?? 0) > 32) {
      report(maxPrefix !== undefined && maxPrefix > 32 ? 'maxPrefix' : 'minPrefix', 'IPv4 has 32 bits');
    }
  });

function isExactBlock(text: string): boolean {
  const block = readBlock(text);
  return block !== undefined && !hasHostBits(block);
}
