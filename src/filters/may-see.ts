import type { Frame } from '../mcp/frame.ts';
import { methodRow, type Target, targetsOf } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { isVisible } from '../policy/decide.ts';

/**
 * Whether the caller may know that a target exists. Where it may not, every check must answer as `authorize` does of
 * what does not exist: a difference would tell that it does.
 */
export function maySee(target: Pick<Target, 'kind' | 'name' | 'action'>, exchange: Exchange): boolean {
  const { facts } = exchange;
  const { kind, name, action } = target;
  const last = facts.sight;
  if (last !== undefined && last.name === name && last.kind === kind && last.action === action) {
    return last.visible;
  }
  const visible = isVisible(
    {
      subject: exchange.principal,
      action,
      resource: { upstream: exchange.upstream, kind, name },
      context: { arguments: undefined, address: exchange.peer.address, time: exchange.time },
    },
    exchange.policy,
  );
  // All that it rests on is fixed for the exchange, and several checks ask about one target.
  facts.sight = { kind, name, action, visible };
  return visible;
}

/** Whether a client's frame names something that the caller may not see. Methods are no secret. */
export function namesHidden(frame: Frame, exchange: Exchange): boolean {
  if (frame.kind !== 'request' && frame.kind !== 'notification') return false;
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind);
  const targets = row === undefined ? undefined : targetsOf(row, frame.params);
  if (targets?.ok !== true) return false;
  return targets.value.some((target) => target.kind !== 'method' && !maySee(target, exchange));
}
