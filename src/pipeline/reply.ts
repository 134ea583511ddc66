/**
 * The client's side of an exchange, as the listener offers it. Exactly one of `send` and `stream` is called, once.
 */
export interface Reply {
  /** Sends a whole answer. `body` undefined means an empty one. */
  send(status: number, headers: ReplyHeaders, body: Buffer | undefined): void;
  /**
   * Answers 200 `text/event-stream` and keeps the stream alive with comments while it is silent.
   *
   * @param standing whether the stream serves no single call and is ended as soon as the gateway drains; a call may
   *   finish first
   */
  stream(headers: ReplyHeaders, standing: boolean): EventStream;
  /** Called once if the client goes away before the answer is complete. */
  onClientGone(listener: () => void): void;
}

export type ReplyHeaders = Readonly<Record<string, string>>;

export interface EventStream {
  /** Writes one encoded SSE event. Gives a promise where the client is slow: wait for it before writing more. */
  write(event: Buffer): Promise<void> | undefined;
  end(): void;
}
