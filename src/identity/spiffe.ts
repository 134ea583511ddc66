/** A checked SPIFFE ID. Two different ids never have the same text: there is nothing to normalise. */
export interface SpiffeId {
  /** The whole id, as it stood in the certificate. */
  readonly id: string;
  readonly trustDomain: string;
  /** With its leading slash; empty for the id of the trust domain itself. */
  readonly path: string;
}

const trustDomainPattern = /^[a-z0-9._-]{1,255}$/;
const segmentPattern = /^[A-Za-z0-9._-]+$/;

/** Whether the text may stand as the trust domain of a SPIFFE ID (SPIFFE-ID, section 2.1). */
export function isTrustDomain(text: string): boolean {
  return trustDomainPattern.test(text);
}

/**
 * Reads a SPIFFE ID by its specification (SPIFFE-ID, section 2), which is narrower than a URI on purpose: lower-case
 * trust domain, no user info, port, query, fragment or percent-encoding, no empty, `.` or `..` segment, at most 2048
 * bytes. No URL parser is used: those repair what must be refused here.
 *
 * @returns undefined where the text is anything else
 */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  const scheme = 'spiffe://';
  if (text.length > 2048 || !text.startsWith(scheme)) return undefined;
  const [trustDomain = '', ...segments] = text.slice(scheme.length).split('/');
  if (!isTrustDomain(trustDomain)) return undefined;
  for (const segment of segments) {
    if (!segmentPattern.test(segment) || segment === '.' || segment === '..') return undefined;
  }
  return { id: text, trustDomain, path: segments.map((segment) => `/${segment}`).join('') };
}
