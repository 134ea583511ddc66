import { createHmac } from 'node:crypto';
import { isExactNumber, isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';

/** A call that needs approval. */
export interface TicketedCall {
  readonly principal: string;
  readonly upstream: string;
  readonly method: string;
  readonly params: JsonObject | undefined;
  /** `Mcp-Name` and `Mcp-Param-*` that go with it, names and values in turn: a server may read them as well. */
  readonly headers: readonly string[];
}

/** 128 bits, lower-case hexadecimal. */
export const ticketPattern = /^[0-9a-f]{32}$/;

/**
 * The name under which one call may be approved: the same for the same call, and for no other. It says nothing of the
 * call, and nobody without the key can make one.
 *
 * Of `_meta` only what differs each time that a call is made is left out: progress token and trace. All else in it
 * reaches the server, and was approved as it stood.
 */
export function ticketOf(call: TicketedCall, key: Buffer): string {
  const params = { ...call.params };
  const meta = own(params, '_meta');
  if (isJsonObject(meta)) {
    const { progressToken: _, traceparent: __, tracestate: ___, ...lasting } = meta;
    if (Object.keys(lasting).length === 0) delete params._meta;
    else params._meta = lasting;
  }
  const about: JsonValue = [
    'sallyport approval v1',
    call.principal,
    call.upstream,
    call.method,
    params,
    ...call.headers,
  ];
  return createHmac('sha256', key).update(canonical(about), 'utf8').digest('hex').slice(0, 32);
}

/** JSON with its keys in order and without blanks: one text for one value. */
function canonical(value: JsonValue): string {
  if (isExactNumber(value)) return value.rawJSON;
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = own(value, key);
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonical(member)}`);
  }
  return `{${members.join(',')}}`;
}
