import type { GatewayError } from '../errors.ts';
import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from './exchange.ts';

/**
 * One check. The ordered list in filters/index.ts is what the gateway enforces: frames to the upstream pass it from
 * first to last, frames to the client from last to first. There is no `next()`, and every path answers.
 *
 * A throw is a rejection, made by the runner: a broken check refuses.
 */
export interface Filter {
  readonly name: string;
  toUpstream?(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict>;
  toClient?(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict>;
  /** Called exactly once for each exchange whose frames this filter could have seen, whatever happened. Releases what was taken. */
  end?(exchange: Exchange): void;
}

export type Verdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'replace'; readonly frame: Frame }
  /**
   * Refused. Towards the upstream the client gets the error. Towards the client: the final answer becomes the error,
   * a server's question is answered with the error, a notification is dropped; all are counted.
   */
  | { readonly kind: 'reject'; readonly error: GatewayError }
  /** Ends here, and its sender is told nothing: for frames that are honest but have nowhere to go any more. */
  | { readonly kind: 'drop'; readonly reason: string };

export const pass: Verdict = Object.freeze({ kind: 'pass' });

export function replace(frame: Frame): Verdict {
  return { kind: 'replace', frame };
}

export function reject(error: GatewayError): Verdict {
  return { kind: 'reject', error };
}

export function drop(reason: string): Verdict {
  return { kind: 'drop', reason };
}
