import { addressKey } from '../identity/address-key.ts';
import type { Frame } from '../mcp/frame.ts';
import { methodRow, type Target, targetsOf } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { methodWord } from '../pipeline/method-word.ts';
import { limitsFor } from '../policy/limits.ts';
import type { CompiledLimit } from '../policy/model.ts';

/** One limit together with the key under which it counts this frame. */
export interface CountedLimit {
  readonly limit: CompiledLimit;
  readonly key: string;
}

/**
 * Every limit that counts a client's frame, each key once. A frame with many targets (a batch of subscriptions) counts
 * under each of them.
 *
 * @param wants picks the limits that a filter enforces
 */
export function limitsOf(
  frame: Frame,
  exchange: Exchange,
  wants: (limit: CompiledLimit) => boolean,
): readonly CountedLimit[] {
  const { policy, upstream, principal: subject, time } = exchange;
  // Most gateways limit a few things only: nothing is worked out where no limit of this sort exists.
  if (!policy.limits.some(wants)) return none;
  const method = methodWord(frame);
  const counted = new Map<string, CountedLimit>();
  for (const target of targetsFor(frame, exchange, method)) {
    const about = { upstream, kind: target.kind, name: target.name, method, subject, time };
    for (const limit of limitsFor(policy, about)) {
      if (!wants(limit)) continue;
      const key = limitKey(limit, exchange, target, method);
      counted.set(key, { limit, key });
    }
  }
  return [...counted.values()];
}

const none: readonly CountedLimit[] = Object.freeze([]);

function targetsFor(
  frame: Frame,
  exchange: Exchange,
  method: string,
): readonly Pick<Target, 'kind' | 'name'>[] {
  if (frame.kind === 'request' || frame.kind === 'notification') {
    const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind);
    const targets = row === undefined ? undefined : targetsOf(row, frame.params);
    if (targets?.ok && targets.value.length > 0) return targets.value;
  }
  return [{ kind: 'method', name: method }];
}

/**
 * The key of one limit. JSON of an array is injective: no principal, tool or upstream can be named so that its key
 * runs into another's.
 */
function limitKey(
  limit: CompiledLimit,
  exchange: Exchange,
  target: Pick<Target, 'kind' | 'name'>,
  method: string,
): string {
  const parts: (string | null)[] = [limit.name];
  for (const dimension of limit.per) {
    switch (dimension) {
      case 'principal':
        parts.push(exchange.principal.id);
        break;
      case 'upstream':
        parts.push(exchange.upstream);
        break;
      case 'method':
        parts.push(method);
        break;
      case 'address':
        parts.push(addressKey(exchange.peer.address));
        break;
      case 'tool':
        parts.push(target.kind, knownName(exchange, target));
        break;
    }
  }
  return JSON.stringify(parts);
}

/**
 * The target's name where somebody vouches for it: the policy or the upstream's own list. All other names share one
 * key, or a caller could make up names, each with a burst of its own, until the store is full.
 */
function knownName(exchange: Exchange, target: Pick<Target, 'kind' | 'name'>): string | null {
  const { catalog, policy } = exchange;
  const { kind, name } = target;
  if (kind === 'tool') {
    return policy.knownNames.tools.has(name) || catalog.tool(name) !== undefined ? name : null;
  }
  if (kind === 'prompt') return policy.knownNames.prompts.has(name) || catalog.hasPrompt(name) ? name : null;
  return kind === 'method' ? name : null;
}
