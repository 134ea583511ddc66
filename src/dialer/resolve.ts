import { lookup } from 'node:dns/promises';
import type { Block } from '../addresses/address-block.ts';
import { DialError } from './dial-error.ts';
import { judgeAddress } from './judge-address.ts';
import type { Target } from './target.ts';

/** All addresses of a name, as the machine resolves it. Rejects where there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/**
 * The machine's own resolver, so that `/etc/hosts` and search domains count as they do for every program here. Hosts
 * come from configuration and from the metadata of configured issuers, not from callers.
 */
export const systemResolve: Resolve = async (host) => {
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

/** A name with more addresses than this is not one service. */
const maxAddresses = 64;

/**
 * The addresses at which a target may be dialled: every one that its host has, each judged.
 *
 * One that may not be dialled refuses all: a name that mixes public and private addresses is an attempt to be let in by
 * one of them.
 *
 * @throws DialError `dial-name`, `dial-address`, or `dial-url` for http to anything but a configured address
 */
export async function resolveTarget(
  target: Target,
  allowed: readonly Block[],
  resolve: Resolve,
): Promise<readonly string[]> {
  if (!target.secure && !target.literal && target.host !== 'localhost') {
    throw new DialError('dial-url', `${target.shown}: http to a name is not dialled`);
  }
  const addresses = target.literal ? [target.host] : await ask(target, resolve);
  for (const address of addresses) {
    const verdict = judgeAddress(address, allowed);
    if (!verdict.ok) throw new DialError('dial-address', `${target.shown}: not dialled (${verdict.reason})`);
    if (!target.secure && !verdict.isPrivate) {
      throw new DialError('dial-url', `${target.shown}: http is dialled only in outbound.private`);
    }
  }
  return addresses;
}

async function ask(target: Target, resolve: Resolve): Promise<readonly string[]> {
  let addresses: readonly string[];
  try {
    addresses = await resolve(target.host);
  } catch (error) {
    throw new DialError('dial-name', `${target.shown}: the name does not resolve${codeOf(error)}`);
  }
  if (addresses.length === 0) throw new DialError('dial-name', `${target.shown}: the name has no address`);
  if (addresses.length > maxAddresses) {
    throw new DialError('dial-name', `${target.shown}: the name has more than ${maxAddresses} addresses`);
  }
  return addresses;
}

/** A system error's code for messages, where it has one: the rest of such an error may quote what was sent. */
export function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? ` (${code})` : '';
}
