/** One request that the gateway makes for itself: to an issuer, never to an MCP server. */
export interface DialRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams | Uint8Array | null;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A guarded `fetch`, in the shape that jose and oauth4webapi take one: https only (http only where configuration names
 * the address), addresses checked after resolution and then dialled as they are, no redirect followed, time and bytes
 * bounded, no cookie, no proxy of the environment, no compression.
 *
 * @throws DialError for what was refused or failed; its message is for operators
 */
export type Dial = (url: string, request?: DialRequest) => Promise<Response>;

/** Where every fetch of the gateway goes through. */
export interface Dialer {
  readonly dial: Dial;
  close(): Promise<void>;
}
