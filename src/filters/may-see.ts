import type { Frame } from '../mcp/frame.ts';
import { methodRow, type Target, targetsOf } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { isVisible } from '../policy/decide.ts';

/**
 * Whether the caller may know that a target exists. Where it may not, every check must answer as `authorize` does of
 * what does not exist: a difference would tell that it does.
 */
export function maySee(target: Pick<Target, 'kind' | 'name' | 'action'>, exchange: Exchange): boolean {
  return isVisible(
    {
      subject: exchange.principal,
      action: target.action,
      resource: { upstream: exchange.upstream, kind: target.kind, name: target.name },
      context: { arguments: undefined, address: exchange.peer.address, time: exchange.time },
    },
    exchange.policy,
  );
}

/** Whether a client's frame names something that the caller may not see. Methods are no secret. */
export function namesHidden(frame: Frame, exchange: Exchange): boolean {
  if (frame.kind !== 'request' && frame.kind !== 'notification') return false;
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind);
  const targets = row === undefined ? undefined : targetsOf(row, frame.params);
  if (targets?.ok !== true) return false;
  return targets.value.some((target) => target.kind !== 'method' && !maySee(target, exchange));
}
