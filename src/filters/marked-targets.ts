import type { Frame, NotificationFrame, RequestFrame } from '../mcp/frame.ts';
import { methodRow, resourceName, type Target, targetsOf } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { marksOf, type ToolMark } from '../policy/content.ts';
import type { Asked, Outstanding } from './outstanding.ts';

/** Whether a frame of the client is about anything whose arguments leave the house. */
export function reachesOut(frame: RequestFrame | NotificationFrame, exchange: Exchange): boolean {
  return targetsOfFrame(frame, exchange).some((target) => markOf(target, exchange).egress);
}

/** Whether anything of what strangers wrote may stand in a frame for the client. */
export function bringsUntrusted(frame: Frame, exchange: Exchange, outstanding: Outstanding): boolean {
  if (frame.kind === 'stream-open' || frame.kind === 'session-end') return false;
  return answeredTargets(frame, exchange, outstanding).some((target) => markOf(target, exchange).untrusted);
}

/**
 * What a frame for the client answers or belongs to. Progress, log messages and questions carry content as results do,
 * and errors quote it.
 *
 * A resumed stream brings the answers of earlier exchanges. Tasks are read by ids that do not say which tool made them,
 * so where anything is marked they count as what is untrusted.
 */
function answeredTargets(
  frame: Frame,
  exchange: Exchange,
  outstanding: Outstanding,
): readonly MarkedTarget[] {
  const { request } = exchange;
  const own = request.kind === 'request' ? targetsOfFrame(request, exchange) : [];
  const id = frame.kind === 'result' || frame.kind === 'error' ? frame.id : undefined;
  const asked = id === undefined ? undefined : outstanding.find(id, exchange);
  return asked === undefined ? own : [...own, ...askedTargets(asked)];
}

function askedTargets({ row, target }: Asked): readonly MarkedTarget[] {
  if (row.task === 'names') return [anyTask];
  const kind = row.targets.find(isNamedKind);
  if (kind === undefined || target === undefined) return [];
  if (kind !== 'resource') return [{ kind, name: target }];
  const name = resourceName(target);
  return name.ok ? [{ kind, name: name.value }] : [];
}

type MarkedTarget = Pick<Target, 'kind' | 'name'>;

/** Stands for whatever tool began a task. */
const anyTask: MarkedTarget = { kind: 'method', name: 'tasks/get' };

function isNamedKind(source: string): source is 'tool' | 'prompt' | 'resource' {
  return source === 'tool' || source === 'prompt' || source === 'resource';
}

function targetsOfFrame(
  frame: RequestFrame | NotificationFrame,
  exchange: Exchange,
): readonly MarkedTarget[] {
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind);
  if (row?.task === 'names') return [anyTask];
  const targets = row === undefined ? undefined : targetsOf(row, frame.params);
  return targets?.ok === true ? targets.value : [];
}

function markOf(target: MarkedTarget, exchange: Exchange): ToolMark {
  if (target === anyTask) return untrustedTask;
  return marksOf(exchange.policy, {
    upstream: exchange.upstream,
    kind: target.kind,
    name: target.name,
    subject: exchange.principal,
  });
}

const untrustedTask: ToolMark = { untrusted: true, egress: false };
