import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from './exchange.ts';

/**
 * The protocol headers that go to the upstream with a frame, names and values in turn. They are made from what was
 * judged, never copied from the client: a header that disagrees with the body cannot reach a server that trusts it.
 */
export function headersToUpstream(frame: Frame, exchange: Exchange): readonly string[] {
  const headers: string[] = [];
  if (exchange.era === 'modern') {
    headers.push('mcp-protocol-version', exchange.revision);
    if (frame.kind === 'request' || frame.kind === 'notification') headers.push('mcp-method', frame.method);
    headers.push(...exchange.facts.mirroredHeaders);
    return headers;
  }
  // The version header exists since 2025-06-18; its absence means 2025-03-26 to a server, so it is kept absent.
  if (exchange.headers.version !== undefined && !isInitialize(frame)) {
    headers.push('mcp-protocol-version', exchange.revision);
  }
  if (exchange.facts.session !== undefined) headers.push('mcp-session-id', exchange.facts.session.upstreamId);
  if (frame.kind === 'stream-open' && frame.lastEventId !== undefined) {
    headers.push('last-event-id', frame.lastEventId);
  }
  return headers;
}

function isInitialize(frame: Frame): boolean {
  return frame.kind === 'request' && frame.method === 'initialize';
}
