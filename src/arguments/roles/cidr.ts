import type { z } from 'zod';
import {
  type Block,
  hasHostBits,
  readBlock,
  readExactAddress,
  within,
} from '../../addresses/address-block.ts';
import { isPrivateBlock, specialRange } from '../../addresses/address-ranges.ts';
import type { JsonValue } from '../../values/json.ts';
import type { Role, RoleKind } from '../role.ts';
import { cidrOptions } from './cidr-options.ts';
import { toFaults } from './faults.ts';

type CidrOptions = z.output<typeof cidrOptions>;

/** How each fault can be allowed. */
const allowances = {
  'not-text': 'no option allows it: send text',
  'not-a-block':
    'no option allows it: send dotted decimal or RFC 5952 form, with a prefix in plain digits, such as 10.0.0.0/8',
  'single-address': 'set `single: allow`',
  'host-bits': 'set `hostBits: allow`, or send the first address of the block',
  family: 'change `family`',
  'prefix-too-short': 'lower `minPrefix`',
  'prefix-too-long': 'raise `maxPrefix`',
  'outside-blocks': 'name the block, or one around it, in `within`',
  'not-public': 'change `addresses`',
  'not-private': 'change `addresses`',
} as const;

type CidrFault = keyof typeof allowances;

const faults = toFaults(allowances);

/** `cidr`: a block of addresses, or one address, in its exact spelling. */
export const cidrRole = {
  name: 'cidr',
  options: cidrOptions,
  compile(options): Role {
    const blocks = options.within?.map((text) => readBlock(text)!);
    return {
      name: 'cidr',
      secret: false,
      judge(value) {
        const fault = faultOf(value, options, blocks);
        return fault === undefined ? undefined : faults[fault];
      },
    };
  },
} satisfies RoleKind<typeof cidrOptions>;

function faultOf(
  value: JsonValue,
  options: CidrOptions,
  blocks: readonly Block[] | undefined,
): CidrFault | undefined {
  if (typeof value !== 'string') return 'not-text';
  const single = readExactAddress(value);
  const block = single ?? readBlock(value);
  if (block === undefined) return 'not-a-block';
  if (single !== undefined && options.single === 'refuse') return 'single-address';
  if (options.hostBits === 'refuse' && hasHostBits(block)) return 'host-bits';
  if (options.family !== 'any' && options.family !== `ipv${block.family}`) return 'family';
  if (options.minPrefix !== undefined && block.prefix < options.minPrefix) return 'prefix-too-short';
  if (options.maxPrefix !== undefined && block.prefix > options.maxPrefix) return 'prefix-too-long';
  if (blocks !== undefined && !blocks.some((outer) => within(block, outer))) return 'outside-blocks';
  if (options.addresses === 'public' && specialRange(block) !== undefined) return 'not-public';
  return options.addresses === 'private' && !isPrivateBlock(block) ? 'not-private' : undefined;
}
