import type { AnyResponse } from './node-messages.ts';

/** Ends the exchange under an answer without finishing it. */
export function cutOff(response: AnyResponse, code: number): void {
  if (response.stream !== undefined) response.stream.close(code);
  // A pipelined answer that waits for its turn has no socket of its own yet.
  else (response.socket ?? response.req.socket)?.destroy();
}
