import { GatewayError } from '../errors.ts';
import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import { isLongLived } from '../pipeline/long-lived.ts';
import type { FrameLimits } from './options.ts';

/**
 * Bounds what comes back: single frames, and the number and bytes of all frames of one exchange. Last in the list, and
 * so the first to see what comes from the upstream: what another check drops has been counted too. A frame beyond a
 * bound is refused whole, never cut; beyond a bound on the exchange, the exchange ends.
 */
export function answerLimits(limits: FrameLimits): Filter {
  const usage = new WeakMap<Exchange, { frames: number; bytes: number }>();
  return {
    name: 'answer-limits',
    toClient(frame: Frame, exchange: Exchange): Verdict {
      const size = bytesOf(frame);
      let used = usage.get(exchange);
      if (used === undefined) {
        used = { frames: 0, bytes: 0 };
        usage.set(exchange, used);
      }
      used.frames += 1;
      used.bytes += size;
      // Streams that are meant to stay open have bounds of their own.
      const [frames, bytes] = isLongLived(exchange)
        ? [limits.framesPerStream, limits.bytesPerStream]
        : [limits.framesPerExchange, limits.bytesPerExchange];
      if (used.frames > frames || used.bytes > bytes) {
        exchange.facts.spent = true;
        return tooLarge(used.frames > frames ? 'frames of one exchange' : 'bytes of one exchange');
      }
      return size > limits.resultBytes ? tooLarge('one frame') : pass;
    },
    end(exchange: Exchange): void {
      usage.delete(exchange);
    },
  };
}

function tooLarge(what: string): Verdict {
  return reject(new GatewayError('result-too-large', { cause: `too much: ${what}` }));
}

function bytesOf(frame: Frame): number {
  return frame.kind === 'stream-open' || frame.kind === 'session-end' ? 0 : frame.bytes.length;
}
