import { GatewayError } from '../errors.ts';
import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import type { FrameLimits } from './options.ts';

/** Bounds the size of a client's frame. What is beyond the bound is refused whole, never cut. */
export function frameLimits(limits: Pick<FrameLimits, 'requestBytes'>): Filter {
  return {
    name: 'frame-limits',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      const size = Math.max(exchange.requestBytes, bytesOf(frame));
      return size > limits.requestBytes ? reject(new GatewayError('body-too-large')) : pass;
    },
  };
}

function bytesOf(frame: Frame): number {
  return frame.kind === 'stream-open' || frame.kind === 'session-end' ? 0 : frame.bytes.length;
}
