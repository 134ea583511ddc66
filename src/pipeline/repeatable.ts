import type { Frame } from '../mcp/frame.ts';
import { methodRow } from '../mcp/methods.ts';
import { own } from '../values/json.ts';
import type { Exchange } from './exchange.ts';

/**
 * Whether a frame may reach the upstream twice, where the first answer was lost: what the table says of its method. Not
 * where it carries answers to questions of the server: those are used up by being read.
 */
export function isRepeatable(frame: Frame, exchange: Exchange): boolean {
  if (frame.kind !== 'request') return false;
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'request');
  if (row?.repeatable !== true) return false;
  return (
    frame.params === undefined ||
    (own(frame.params, 'inputResponses') === undefined && own(frame.params, 'requestState') === undefined)
  );
}
