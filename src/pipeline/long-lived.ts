import { methodRow } from '../mcp/methods.ts';
import type { Exchange } from './exchange.ts';

/** Whether this exchange may outlive the total timeout: the standalone stream, and methods that the table says so of. */
export function isLongLived(exchange: Exchange): boolean {
  const { request } = exchange;
  if (request.kind === 'stream-open') return true;
  return (
    request.kind === 'request' &&
    methodRow(request.method, exchange.revision, 'toUpstream', 'request')?.longLived === true
  );
}
