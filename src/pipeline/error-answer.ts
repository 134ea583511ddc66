import { type ErrorRow, errorTable, type GatewayError } from '../errors.ts';
import { encodeError } from '../mcp/encode.ts';
import type { RequestId } from '../mcp/frame.ts';
import type { Era } from '../mcp/revision.ts';

/** The JSON-RPC error body for a failure. The id is omitted where it is unknown: `id: null` breaks real clients. */
export function errorBody(error: GatewayError, id: RequestId | undefined): Buffer {
  const row = errorTable[error.code];
  return encodeError(id, { code: row.rpc, message: row.text, data: { reason: error.code, ...error.data } });
}

/** The HTTP status for a failure: never 200 without an id, because official clients hang on that. */
export function errorStatus(error: GatewayError, id: RequestId | undefined, era: Era): number {
  const row: ErrorRow = errorTable[error.code];
  if (era === 'modern' && row.modernStatus !== undefined) return row.modernStatus;
  return id === undefined ? (row.bareStatus ?? row.status) : row.status;
}
