import { createHash } from 'node:crypto';
import { addressKey } from '../identity/address-key.ts';
import type { Target } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { rolesCounted } from '../policy/limits.ts';
import type { CompiledLimit, LimitKey } from '../policy/model.ts';
import { own } from '../values/json.ts';

type Named = Pick<Target, 'kind' | 'name'>;

/** What one count of a limit is about. */
export interface LimitKeyText {
  readonly text: string;
  /** Whether the caller alone can have brought the count where it is: then what is left of it is no news of others. */
  readonly own: boolean;
}

/**
 * Under what a limit counts a frame: one key, or one for each role of the caller. What the caller does not have (a
 * certificate, a token, a session, a role) is null: all that lack it share one count, and cannot shed it by lacking it.
 *
 * @param method undefined where the method is not one of the protocol
 */
export function keysOf(
  limit: CompiledLimit,
  exchange: Exchange,
  target: Named,
  method: string | undefined,
): readonly LimitKeyText[] {
  let before: readonly string[] | undefined;
  let text = '';
  let own = false;
  for (const dimension of limit.per) {
    if (dimension === 'role') {
      // The only word that may stand for several, and it comes once.
      const roles = rolesCounted(exchange.policy, limit, exchange.principal);
      const soFar = text;
      before = roles.length === 0 ? [soFar + partText(null)] : roles.map((role) => soFar + partText(role));
      text = '';
      continue;
    }
    const value = keyValue(dimension, exchange, target, method);
    if (value !== null && callersOwn.has(dimension)) own = true;
    if (dimension === 'tool') text += partText(target.kind);
    text += partText(value);
  }
  if (before === undefined) return [{ text, own }];
  return before.map((role) => ({ text: role + text, own }));
}

const callersOwn: ReadonlySet<LimitKey> = new Set(['principal', 'certificate', 'token', 'session']);

function keyValue(
  dimension: Exclude<LimitKey, 'role'>,
  exchange: Exchange,
  target: Named,
  method: string | undefined,
): string | null {
  switch (dimension) {
    case 'principal':
      return exchange.principal.id;
    case 'certificate':
      return certificateOf(exchange);
    case 'token':
      return tokenOf(exchange);
    case 'session':
      return exchange.facts.session?.key ?? null;
    case 'upstream':
      return exchange.upstream;
    case 'method':
      return method ?? null;
    case 'address':
      return addressKey(exchange.peer.address);
    case 'tool':
      return knownName(exchange, target);
  }
}

function certificateOf({ principal, peer }: Exchange): string | null {
  for (const credential of principal.credentials) {
    if (credential.kind === 'certificate') return credential.fingerprint256;
  }
  return peer.tls?.certificate?.fingerprint256 ?? null;
}

/**
 * The token by what its issuer says of it, never by its bytes: a signature can be written in more than one way, and each
 * would count anew.
 */
function tokenOf({ principal }: Exchange): string | null {
  for (const credential of principal.credentials) {
    if (credential.kind !== 'token') continue;
    const { issuer, tokenId, subject, clientId, expiresAt, scopes, claims } = credential;
    if (tokenId !== undefined) return JSON.stringify([issuer, tokenId]);
    const issuedAt = own(claims as never, 'iat') as unknown;
    return JSON.stringify([
      issuer,
      subject,
      clientId ?? null,
      issuedAt ?? null,
      expiresAt,
      [...scopes].sort(),
    ]);
  }
  return null;
}

/**
 * The target's name where somebody vouches for it: the policy or the upstream's own list. All other names share one
 * key, or a caller could make up names, each with a burst of its own, until the store is full.
 */
export function knownName(exchange: Exchange, target: Named): string | null {
  const { catalog, policy } = exchange;
  const { kind, name } = target;
  if (kind === 'tool') {
    return policy.knownNames.tools.has(name) || catalog.tool(name) !== undefined ? name : null;
  }
  if (kind === 'prompt') return policy.knownNames.prompts.has(name) || catalog.hasPrompt(name) ? name : null;
  return kind === 'method' ? name : null;
}

/** Longer keys are kept as their hash: whoever may choose a long name must not fill the memory with it. */
const longestKey = 256;

/**
 * One part of a key. Its length stands before it, so that keys are injective: no principal, tool or upstream can be named
 * so that its key runs into another's.
 */
export function partText(part: string | null): string {
  return part === null ? '-' : `${part.length}:${part}`;
}

/** A whole key: how it begins, and whom or what it counts. */
export function wholeKey(prefix: string, text: string): string {
  const key = prefix + text;
  return key.length <= longestKey ? key : `sha256:${createHash('sha256').update(key).digest('hex')}`;
}
