import type { AuthenticatorAnswer, Evidence } from '../../src/identity/authenticator.ts';
import type { PeerCertificate } from '../../src/identity/peer.ts';

/** What a test presents; the rest is a peer on TLS without a certificate. */
export interface Presented {
  readonly certificate?: PeerCertificate;
  readonly authorization?: string;
  readonly apiKey?: string;
  readonly dpop?: string;
  readonly verb?: string;
  readonly upstream?: string;
  readonly time?: number;
  /** On a plain-text listener. */
  readonly plain?: boolean;
}

export function evidenceOf(presented: Presented): Evidence {
  const tls =
    presented.plain === true ? undefined : { version: 'TLSv1.3', certificate: presented.certificate };
  return {
    peer: { address: '127.0.0.1', port: 50_000, tls },
    authorization: presented.authorization,
    apiKey: presented.apiKey,
    dpop: presented.dpop,
    verb: presented.verb ?? 'POST',
    upstream: presented.upstream ?? 'warehouse',
    time: presented.time ?? Date.now(),
  };
}

/** The answer, which must be a proven one and must not need waiting for. */
export function proven(
  answer: AuthenticatorAnswer | Promise<AuthenticatorAnswer>,
): AuthenticatorAnswer & { kind: 'proven' } {
  if (answer instanceof Promise || answer.kind !== 'proven')
    throw new Error(`Not proven: ${JSON.stringify(answer)}`);
  return answer;
}
