import { methods } from '../mcp/methods.ts';
import type { AccessRequest } from '../policy/access-request.ts';

/** The MCP method that carries a request: limits may name it, whatever the target. */
export function methodOf({ action, resource }: Pick<AccessRequest, 'action' | 'resource'>): string {
  const { kind, name } = resource;
  if (kind === 'method') return name;
  const row = methods.find(
    (one) =>
      one.kind === 'request' &&
      one.direction !== 'toClient' &&
      one.action === action &&
      one.targets.some((target) => target === kind || target === 'reference'),
  );
  return row?.method ?? '';
}
