/**
 * An access token that somebody presented and that was found good. Printing, serialising or comparing it shows
 * nothing: only {@link reveal} does, and the one who may call it is whoever exchanges tokens (RFC 8693).
 */
export class BearerToken {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }
}
