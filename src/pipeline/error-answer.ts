import { errorTable, type GatewayError } from '../errors.ts';
import { encodeError } from '../mcp/encode.ts';
import type { RequestId } from '../mcp/frame.ts';
import type { Era } from '../mcp/revision.ts';

/** The JSON-RPC error body for a failure. The id is omitted where it is unknown: `id: null` breaks real clients. */
export function errorBody(error: GatewayError, id: RequestId | undefined): Buffer {
  const row = errorTable[error.code];
  return encodeError(id, { code: row.rpc, message: row.text, data: { reason: error.code, ...error.data } });
}

/**
 * The HTTP status for a failure.
 *
 * Official clients read a JSON-RPC error only from 200 with the matching id, and hang on a 200 without one, so a
 * failure that has no id to carry never travels as 200.
 */
export function errorStatus(error: GatewayError, id: RequestId | undefined, era: Era): number {
  const row = errorTable[error.code];
  const status =
    era === 'modern' ? ((row as { modernStatus?: number }).modernStatus ?? row.status) : row.status;
  if (status !== 200 || id !== undefined) return status;
  switch (row.rpc) {
    case 4290:
      return 429;
    case 4030:
      return 403;
    case 4130:
      return 413;
    case -32601:
      return 404;
    default:
      return 400;
  }
}
