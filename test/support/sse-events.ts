/** A small second reader of event streams, after the WHATWG rules, so that the gateway's own is not its own judge. */

export interface ReceivedEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
  readonly retry: number | undefined;
}

export class SseEvents {
  #text = '';
  #lines: string[] = [];
  readonly #decoder = new TextDecoder();

  /** Takes the next bytes and gives the events that they complete. */
  push(chunk: Buffer): readonly ReceivedEvent[] {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    const events: ReceivedEvent[] = [];
    // A CR at the very end may be half of a CRLF: it waits for the next bytes.
    for (
      let end = this.#text.search(/\r\n|\r(?!$)|\n/);
      end >= 0;
      end = this.#text.search(/\r\n|\r(?!$)|\n/)
    ) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + (this.#text.startsWith('\r\n', end) ? 2 : 1));
      if (line !== '') this.#lines.push(line);
      else if (this.#lines.length > 0) {
        const event = toEvent(this.#lines.splice(0));
        if (event !== undefined) events.push(event);
      }
    }
    return events;
  }
}

function toEvent(lines: readonly string[]): ReceivedEvent | undefined {
  const fields = lines
    .filter((line) => !line.startsWith(':'))
    .map((line) => {
      const colon = line.indexOf(':');
      if (colon < 0) return [line, ''] as const;
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')] as const;
    });
  // Comments alone are a sign of life, not an event.
  if (fields.length === 0) return undefined;
  const last = (name: string) => fields.findLast(([field]) => field === name)?.[1];
  const retry = last('retry');
  return {
    event: last('event') ?? 'message',
    data: fields.flatMap(([name, value]) => (name === 'data' ? [value] : [])).join('\n'),
    id: last('id'),
    retry: retry === undefined ? undefined : Number(retry),
  };
}
