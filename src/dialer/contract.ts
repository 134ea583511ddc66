/** What a request is for: a label of metrics, so a closed set. */
export type DialPurpose = 'jwks' | 'discovery' | 'introspection' | 'token' | 'other';

/** One request that the gateway makes for itself: to an issuer, never to an MCP server. */
export interface DialRequest {
  /** `GET` (default) or `POST`. */
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | Headers | undefined;
  readonly body?: string | URLSearchParams | Uint8Array | null | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default `other`. */
  readonly purpose?: DialPurpose | undefined;
  /**
   * Whether a 2xx is an answer to what was asked, judged on a copy. Only metrics and logs hear of it: the answer is given
   * back all the same. Not to say yes, or to throw, is no. Default: every 2xx is one.
   */
  readonly answers?: ((response: Response) => Promise<boolean>) | undefined;
}

/**
 * A guarded `fetch`, in the shape that jose and oauth4webapi take one: https only (http only where configuration names
 * the address), addresses checked after resolution and then dialled as they are, no redirect followed, time and bytes
 * bounded, no cookie, no proxy of the environment, no compression. The body of the response has been read already.
 *
 * @throws DialError for what was refused or failed; its message is for operators
 */
export type Dial = (url: string, request?: DialRequest) => Promise<Response>;

/** Where every fetch of the gateway goes through. */
export interface Dialer {
  readonly dial: Dial;
  /** Ends what is under way; from here on every dial is refused. */
  close(): Promise<void>;
}

/** The same dial, counted under a purpose: for libraries that make the request themselves. */
export function dialFor(dial: Dial, purpose: DialPurpose, answers?: DialRequest['answers']): Dial {
  return (url, request) => dial(url, { ...request, purpose, answers });
}
