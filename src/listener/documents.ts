/** Where public documents stand (RFC 8615). No route of an upstream may begin like this. */
export const wellKnownPrefix = '/.well-known/';

/** Something that anybody may read without saying who they are: metadata of OAuth, public keys. */
export interface PublicDocument {
  readonly contentType: string;
  readonly body: Buffer;
  /** Seconds for which clients may keep it. */
  readonly maxAge: number;
}

/** The document at an exact path; undefined where there is none. Asked only for paths that begin with `/.well-known/`. */
export type Documents = (path: string) => PublicDocument | undefined;
