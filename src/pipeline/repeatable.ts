import type { Frame } from '../mcp/frame.ts';
import { methodRow } from '../mcp/methods.ts';
import { own } from '../values/json.ts';
import type { Exchange } from './exchange.ts';

const unsafeParams = ['inputResponses', 'requestState', 'task'];

/**
 * Whether a frame may reach the upstream twice, where the first answer was lost: what the table says of its method. Not
 * where it carries answers to questions of the server, which are used up by being read, nor where it asks for a task: a
 * server that makes one for a read would make two.
 */
export function isRepeatable(frame: Frame, exchange: Exchange): boolean {
  if (frame.kind !== 'request') return false;
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'request');
  if (row?.repeatable !== true) return false;
  const { params } = frame;
  return params === undefined || unsafeParams.every((name) => own(params, name) === undefined);
}
