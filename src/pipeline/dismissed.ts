import { encodeResult } from '../mcp/encode.ts';
import type { Course } from './course.ts';
import type { Ending } from './ending.ts';

/**
 * How a stream that was meant to stay open ends when the gateway stops: as the end that the protocol has for it, so that the
 * client asks elsewhere and takes nothing for lost. A legacy stream just ends; `subscriptions/listen` gets the result with
 * which servers close one gracefully (2026-07-28, basic/patterns/subscriptions). All else stays as it was.
 */
export function dismissed(ending: Ending, { exchange, streamOpened }: Course): Ending {
  if (ending.kind !== 'fail' || ending.error.code !== 'draining' || !streamOpened) return ending;
  const { request } = exchange;
  if (request.kind === 'stream-open') return { kind: 'dismissed', error: ending.error, farewell: undefined };
  if (exchange.era !== 'modern' || request.kind !== 'request') return ending;
  const farewell = encodeResult(request.id, {
    resultType: 'complete',
    _meta: { 'io.modelcontextprotocol/subscriptionId': request.id },
  });
  return { kind: 'dismissed', error: ending.error, farewell };
}
