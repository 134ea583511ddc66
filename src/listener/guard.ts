import type { ErrorCode } from '../errors.ts';
import { CredentialRefused } from '../identity/credential-refused.ts';
import { type Documents, wellKnownPrefix } from './documents.ts';
import type { HostRules } from './hosts.ts';
import { accepts, isPlainJson } from './media.ts';
import type { HttpReply } from './reply.ts';
import { maximumHeaders, type RequestHeaders, readRequestHeaders } from './request-headers.ts';
import { allowedVerbs, carriesToken, isAllowedVerb, type Routes, splitTarget } from './routes.ts';
import { serveDocument } from './serve-document.ts';

export interface GuardRules {
  readonly hosts: HostRules;
  readonly routes: Routes;
  /** Upstreams whose routes take access tokens, and so refuse them where they do not belong. */
  readonly tokenRoutes: ReadonlySet<string>;
  readonly documents: Documents;
  readonly bodyBytes: number;
}

/** 16, because no MCP client pipelines at all, and each request in the pipeline may hold a body and an upstream call. */
const mostPipelined = 16;

/**
 * Decides whether a request may come in, from its line and headers alone. Every request passes here before the router
 * sees it, so that no path which only the router understands goes round it. Public documents are answered here.
 *
 * @returns false where the request has been answered
 */
export function guard(reply: HttpReply, rules: GuardRules): boolean {
  const { connection, request } = reply;
  if (connection.revoked) {
    connection.retire();
    reply.refuse('credential-invalid', new CredentialRefused('revoked'));
    return false;
  }
  if (connection.unverified !== undefined) {
    connection.retire();
    return refuse(reply, 'credential-invalid', connection.unverified);
  }
  if (request.rawHeaders.length > 2 * maximumHeaders) {
    return refuse(reply, 'header-too-large', `more than ${maximumHeaders} headers`);
  }
  const headers = readRequestHeaders(request.rawHeaders);
  if (typeof headers === 'string') return refuse(reply, 'header-invalid', headers);
  reply.ordinaryFrom = headers.ordinaryFrom;

  if (headers.host === undefined || !rules.hosts.allowsHost(headers.host)) {
    return refuse(reply, 'host-refused', `Host ${quote(headers.host)}`);
  }
  const { path, query } = splitTarget(request.url ?? '');
  const document = path.startsWith(wellKnownPrefix) ? rules.documents(path) : undefined;
  if (document === undefined && headers.origin !== undefined && !rules.hosts.allowsOrigin(headers.origin)) {
    return refuse(reply, 'origin-refused', `Origin ${quote(headers.origin)}`);
  }
  const problem = framingProblem(reply, headers);
  if (problem !== undefined) return refuse(reply, 'header-invalid', problem);
  if (connection.session === undefined && connection.underWay.size > mostPipelined) {
    return refuse(reply, 'flooded', `more than ${mostPipelined} pipelined requests`);
  }

  if (document !== undefined) {
    serveDocument(reply, document, headers, request.method);
    return false;
  }
  const upstream = rules.routes.get(path);
  // Without the query: whatever stands there may be a secret.
  if (upstream === undefined) return refuse(reply, 'route-unknown', `path ${quote(path)}`);
  reply.upstream = upstream;
  if (rules.tokenRoutes.has(upstream) && carriesToken(query)) {
    return refuse(reply, 'token-in-query', 'access_token in the query');
  }
  if (!isAllowedVerb(request.method)) {
    reply.refuse('http-method', `method ${quote(request.method)}`, { allow: allowedVerbs });
    return false;
  }
  return request.method === 'POST'
    ? guardPost(reply, headers, rules.bodyBytes)
    : guardBodyless(reply, headers, request.method);
}

function guardPost(reply: HttpReply, headers: RequestHeaders, bodyBytes: number): boolean {
  if (headers.contentEncoding) return refuse(reply, 'media-type', 'Content-Encoding');
  if (!isPlainJson(headers.contentType)) {
    return refuse(reply, 'media-type', `Content-Type ${quote(headers.contentType)}`);
  }
  if (!accepts(headers.accept, 'application/json') || !accepts(headers.accept, 'text/event-stream')) {
    return refuse(reply, 'not-acceptable', `Accept ${quote(headers.accept)}`);
  }
  // Node's parser has made sure that it is digits; before any of the body is read.
  if (headers.contentLength !== undefined && Number(headers.contentLength) > bodyBytes) {
    return refuse(reply, 'body-too-large', `Content-Length ${quote(headers.contentLength)}`);
  }
  return true;
}

function guardBodyless(reply: HttpReply, headers: RequestHeaders, method: 'GET' | 'DELETE'): boolean {
  const length = headers.contentLength;
  if (headers.transferEncoding !== undefined || (length !== undefined && length !== '0')) {
    return refuse(reply, 'header-invalid', `${method} with a body`);
  }
  if (method === 'GET' && !accepts(headers.accept, 'text/event-stream')) {
    return refuse(reply, 'not-acceptable', `Accept ${quote(headers.accept)}`);
  }
  return true;
}

/** What would have another party in the chain see other message borders, or another protocol, than this one. */
function framingProblem(reply: HttpReply, headers: RequestHeaders): string | undefined {
  const { httpVersion } = reply.request;
  // By the connection, not by what the request line says of itself: Node's HTTP/1 parser lets 2.0 pass.
  if (httpVersion !== (reply.connection.session === undefined ? '1.1' : '2.0')) return `HTTP/${httpVersion}`;
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    return `Expect ${quote(headers.expect)}`;
  }
  // Java's client offers h2c on every first plain request and goes on with HTTP/1.1 when nobody takes it up, which
  // nobody does here. Any other upgrade is a protocol that nothing would inspect.
  if (headers.upgrade !== undefined && headers.upgrade.toLowerCase() !== 'h2c') {
    return `Upgrade ${quote(headers.upgrade)}`;
  }
  if (headers.transferEncoding !== undefined) {
    if (headers.contentLength !== undefined) return 'Content-Length and Transfer-Encoding';
    if (headers.transferEncoding.toLowerCase() !== 'chunked') {
      return `Transfer-Encoding ${quote(headers.transferEncoding)}`;
    }
  }
  return undefined;
}

function refuse(reply: HttpReply, code: ErrorCode, cause: unknown): false {
  reply.refuse(code, cause);
  return false;
}

/** A stranger's text for operators: bounded, and with nothing in it that could forge a log line. */
function quote(text: string | undefined): string {
  return text === undefined ? '(none)' : JSON.stringify(text.slice(0, 200));
}
