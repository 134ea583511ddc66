/** JSON-RPC messages of honest clients, in both eras, for tests that then bend them. */

import type { RpcMessage } from './recorder-answers.ts';

export interface ModernRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RpcMessage;
}

/** All that a server may ask of a client that does not say otherwise. */
const everyCapability = { sampling: { tools: {} }, elicitation: { form: {}, url: {} }, roots: {} };

/** A request of revision 2026-07-28 with its envelope and the headers that mirror it. */
export function modern(
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  options: { readonly id?: string | number; readonly capabilities?: Readonly<Record<string, unknown>> } = {},
): ModernRequest {
  const name = params['name'] ?? params['uri'];
  return {
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
    body: {
      jsonrpc: '2.0',
      id: options.id ?? 1,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'raw-client', version: '1.0.0' },
          'io.modelcontextprotocol/clientCapabilities': options.capabilities ?? everyCapability,
          ...(params['_meta'] as Record<string, unknown> | undefined),
        },
      },
    },
  };
}

/** A request of the session era. */
export function legacy(
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  id: string | number = 1,
): RpcMessage {
  return { jsonrpc: '2.0', id, method, params };
}

/** The first message of a session. */
export function initialize(revision = '2025-11-25', id: string | number = 0): RpcMessage {
  return legacy(
    'initialize',
    { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'raw-client', version: '1.0.0' } },
    id,
  );
}
