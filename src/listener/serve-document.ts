import type { PublicDocument } from './documents.ts';
import type { HttpReply } from './reply.ts';
import type { RequestHeaders } from './request-headers.ts';

/** Value of `Allow` at every public document. */
const documentVerbs = 'GET, HEAD, OPTIONS';

/**
 * Any page may read what anybody may read: clients in browsers begin with these documents, before anyone could have
 * listed their origin. No cookie or other credential of the browser goes with it, because of the `*`.
 */
const anyOrigin = { 'access-control-allow-origin': '*' };

/**
 * The preflight of a browser: the official clients send `MCP-Protocol-Version` here, which is no header that pages may
 * send without asking. A day, which is more than any browser believes.
 */
const preflight = {
  ...anyOrigin,
  'access-control-allow-methods': 'GET, HEAD',
  'access-control-allow-headers': 'MCP-Protocol-Version',
  'access-control-max-age': '86400',
  allow: documentVerbs,
};

/** Answers a request for a public document, without asking who it is. */
export function serveDocument(
  reply: HttpReply,
  document: PublicDocument,
  headers: RequestHeaders,
  method: string | undefined,
): void {
  if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') {
    reply.refuse('http-method', `${reply.verb} on a document`, { allow: documentVerbs });
    return;
  }
  const length = headers.contentLength;
  if (headers.transferEncoding !== undefined || (length !== undefined && length !== '0')) {
    reply.refuse('header-invalid', `${method} with a body`);
    return;
  }
  if (method === 'OPTIONS') {
    reply.publish(204, preflight, 'no-store', undefined, undefined);
    return;
  }
  const { contentType, body, maxAge } = document;
  reply.publish(
    200,
    { ...anyOrigin, 'content-type': contentType },
    `public, max-age=${maxAge}`,
    body.length,
    method === 'GET' ? body : undefined,
  );
}
