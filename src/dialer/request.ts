import type { DialRequest } from './contract.ts';
import { DialError } from './dial-error.ts';

/** What goes out, once the dialer has judged it. */
export interface Outgoing {
  readonly method: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | null;
}

/** Not the caller's to choose: they frame the message, name the host, or carry state from one exchange to another. */
const ownHeaders: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** @throws DialError `dial-request` */
export function toOutgoing(request: DialRequest): Outgoing {
  const method = request.method ?? 'GET';
  if (method !== 'GET' && method !== 'POST') throw wrong('only GET and POST are dialled');
  const body = request.body ?? null;
  if (method === 'GET' && body !== null) throw wrong('a GET has no body');
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of readHeaders(request)) {
    if (ownHeaders.has(name)) throw wrong(`the header ${name} is the dialer's own`);
    headers[name] = value;
  }
  if (body instanceof URLSearchParams) {
    headers['content-type'] ??= 'application/x-www-form-urlencoded;charset=UTF-8';
  }
  headers['accept'] ??= '*/*';
  headers['accept-encoding'] = 'identity';
  headers['user-agent'] = 'sallyport';
  return { method, headers, body: body instanceof URLSearchParams ? body.toString() : body };
}

function readHeaders({ headers }: DialRequest): Headers {
  try {
    return new Headers(headers);
  } catch {
    // The platform's error quotes the value, which may be a secret.
    throw wrong('a header that cannot be sent');
  }
}

function wrong(message: string): DialError {
  return new DialError('dial-request', message);
}
