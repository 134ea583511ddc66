import { GatewayError } from '../errors.ts';
import type { UpstreamMessage } from '../pipeline/upstream-port.ts';
import type { Credential } from './credential.ts';

/** Header arrays (names and values in turn) that are the same for every call with a verb. */
export type StaticHeaders = Readonly<Record<UpstreamMessage['verb'], string[]>>;

/**
 * The transport's own headers: what the gateway asks for, and its credential.
 *
 * `accept-encoding: identity`, because a compressed answer is refused: inflating is how small answers become
 * large ones.
 */
export function staticHeaders(credential: Credential | undefined): StaticHeaders {
  const shared = ['accept-encoding', 'identity'];
  if (credential !== undefined) {
    shared.push(credential.header, credential.value);
  }
  const both = ['accept', 'application/json, text/event-stream', ...shared];
  return {
    POST: [...both, 'content-type', 'application/json'],
    GET: ['accept', 'text/event-stream', ...shared],
    DELETE: both,
  };
}

/**
 * Headers of one call: the static ones and the protocol headers of the message.
 *
 * The names are an allow list: a header that reached this point by mistake (`Authorization`, `Cookie`, `Host`) must
 * not reach the upstream. The values are checked again although they were checked before, because a line break
 * here would be a second request.
 *
 * @throws GatewayError `internal` for a name that is not a protocol header, `header-invalid` for a value that
 *   cannot be sent
 */
export function outgoingHeaders(own: readonly string[], protocol: readonly string[]): string[] {
  if (protocol.length === 0) {
    // undici copies what it is given.
    return own as string[];
  }
  for (let index = 0; index < protocol.length; index += 2) {
    const name = protocol[index];
    const value = protocol[index + 1];
    if (name === undefined || value === undefined || !isProtocolHeader(name)) {
      throw new GatewayError('internal', { cause: new TypeError(`not a protocol header: ${String(name)}`) });
    }
    if (!isValidHeaderValue(value)) {
      throw new GatewayError('header-invalid', { cause: new Error(`the value of ${name} cannot be sent`) });
    }
  }
  return own.concat(protocol);
}

/** What a 2xx or error answer says about itself. Nothing else of its headers is ever looked at. */
export interface IncomingHeaders {
  /** `other` is any type, spelling, charset or repetition that is not exactly one of the two known ones. */
  readonly type: 'json' | 'stream' | 'other' | 'none';
  readonly encoded: boolean;
  /** Bytes that the body claims to have; undefined where it does not say. */
  readonly length: number | undefined;
  readonly sessionId: string | undefined;
  /** True for an `Mcp-Session-Id` that is repeated, too long or not visible ASCII. */
  readonly sessionIdInvalid: boolean;
}

type RawIncoming = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Longer ids do not occur, and each one is sealed into the id that the client carries. */
const maxSessionIdLength = 1024;

export function readIncoming(headers: RawIncoming): IncomingHeaders {
  const sessionId = headers['mcp-session-id'];
  const encoding = headers['content-encoding'];
  const length = headers['content-length'];
  const sessionIdValid = sessionId === undefined || isSessionId(sessionId);
  return {
    type: mediaType(headers['content-type']),
    encoded: encoding !== undefined && encoding !== 'identity',
    length: typeof length === 'string' ? Number(length) : undefined,
    sessionId: sessionIdValid ? (sessionId as string | undefined) : undefined,
    sessionIdInvalid: !sessionIdValid,
  };
}

const utf8 = /^(application\/json|text\/event-stream)[ \t]*(?:;[ \t]*charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?$/;

function mediaType(value: string | readonly string[] | undefined): IncomingHeaders['type'] {
  // The two spellings that nearly every answer has.
  if (value === 'application/json') {
    return 'json';
  }
  if (value === 'text/event-stream') {
    return 'stream';
  }
  if (value === undefined) {
    return 'none';
  }
  // Longer ones are never honest, and the expression below should not be run over them.
  const match = typeof value === 'string' && value.length <= 100 ? utf8.exec(value.toLowerCase()) : null;
  if (match === null) {
    return 'other';
  }
  return match[1] === 'application/json' ? 'json' : 'stream';
}

function isSessionId(value: string | readonly string[]): boolean {
  // Repeated headers arrive as an array. MCP 2025-11-25, transports, session management: 0x21 to 0x7E.
  return typeof value === 'string' && value.length <= maxSessionIdLength && /^[\x21-\x7e]+$/.test(value);
}

/** True for a protocol header that a message may carry upstream: `Mcp-*` and `Last-Event-ID`. */
function isProtocolHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return (lower.startsWith('mcp-') && lower.length > 4 && isValidToken(lower)) || lower === 'last-event-id';
}

const ownHeaders = new Set([
  'accept',
  'accept-encoding',
  'accept-charset',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'last-event-id',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** True for a header that no credential may take: those of the transport, and those of the protocol. */
export function isOwnHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return ownHeaders.has(lower) || lower.startsWith('mcp-');
}

/** RFC 9110 5.6.2 token, of a length that header names have. */
export function isValidToken(name: string): boolean {
  return name.length <= 256 && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
}

/** Visible ASCII with spaces and tabs inside: no line break, no NUL, nothing that two readers decode differently. */
export function isValidHeaderValue(value: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/.test(value);
}
