import { type ErrorCode, errorTable } from '../errors.ts';
import { replaceFrame } from '../mcp/encode.ts';
import type { ErrorFrame } from '../mcp/frame.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { pass, replace, type Verdict } from '../pipeline/filter.ts';
import { errorDataOf, errorTextOf } from '../results/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';

/** UTF-16 units of a server's error that are kept for the record. */
const longestKept = 2048;

/**
 * Puts the gateway's own text in place of the server's, and keeps that for the record. Of `data` stays what the
 * protocol needs.
 *
 * @param asked what the client's request named
 * @param relays whether a rule lets the server's own words through
 * @param clean takes out of the server's words what rules say
 */
export function judgeError(
  frame: ErrorFrame,
  exchange: Exchange,
  asked: string | undefined,
  relays: boolean,
  clean: (error: JsonObject) => JsonObject,
): Verdict {
  const { code, message, data } = frame.error;
  if (isGatewayError(frame)) return pass;
  let error: JsonObject;
  if (relays) {
    const whole = data === undefined ? { message } : { message, data };
    const cleaned = clean(whole);
    if (cleaned === whole) return pass;
    error = { code, ...cleaned };
  } else {
    const text = errorTextOf(code);
    const kept = errorDataOf(code, data, asked);
    if (message === text && data === undefined) return pass;
    exchange.facts.upstreamError ??= wordsOf(message, data);
    error = { code, message: text, ...(kept === undefined ? {} : { data: clean(kept) }) };
  }
  return replace(replaceFrame(frame, { ...frame.value, error }));
}

function wordsOf(message: string, data: JsonValue | undefined): string {
  const text = data === undefined ? message : `${message} ${JSON.stringify(data)}`;
  return text.length > longestKept ? text.slice(0, longestKept) : text;
}

/**
 * Whether this is an error of the gateway's own, which took the place of an answer on a resumed stream. A server can
 * write the same: then it says what the gateway could have said, and nothing more.
 */
function isGatewayError({ error: { code, message, data } }: ErrorFrame): boolean {
  if (!isJsonObject(data)) return false;
  const reason = own(data, 'reason');
  if (typeof reason !== 'string' || !Object.hasOwn(errorTable, reason)) return false;
  const row = errorTable[reason as ErrorCode];
  return row.rpc === code && row.text === message && Object.entries(data).every(([, value]) => isWord(value));
}

function isWord(value: JsonValue | undefined): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^[\w.:/[\]*-]{1,256}$/.test(value));
}
