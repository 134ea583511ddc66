import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';

/**
 * A request on either HTTP version. Node's HTTP/2 compatibility classes have the members of the others that are used
 * here, but types that do not combine; `stream` tells them apart.
 */
export type AnyRequest = IncomingMessage & { readonly stream?: ServerHttp2Stream };
export type AnyResponse = ServerResponse & { readonly stream?: ServerHttp2Stream };
