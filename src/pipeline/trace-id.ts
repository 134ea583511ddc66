import type { Frame } from '../mcp/frame.ts';
import { type JsonValue, own } from '../values/json.ts';

const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const nothing = '0'.repeat(32);

/**
 * The trace id that the client put into `params._meta.traceparent` (W3C Trace Context, SEP-414), for records only:
 * nothing is ever decided on it.
 *
 * @returns undefined where there is none or it does not have the syntax
 */
export function traceIdOf(frame: Frame): string | undefined {
  if (frame.kind !== 'request' && frame.kind !== 'notification') return undefined;
  if (frame.params === undefined) return undefined;
  const meta = own(frame.params, '_meta');
  if (!isPlainObject(meta)) return undefined;
  const header = own(meta, 'traceparent');
  if (typeof header !== 'string' || header.length !== 55) return undefined;
  const id = traceparent.exec(header)?.[1];
  return id === nothing ? undefined : id;
}

function isPlainObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}
