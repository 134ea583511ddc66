/**
 * Whether something may be fetched from an issuer here: https, or http where the bytes never leave the machine. Whoever
 * can change the answer can speak as the issuer. A check of configuration: the dialer judges addresses.
 */
export function isIssuerEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

/** Whether an issuer's name is a URL that its metadata can be derived from (RFC 8414, section 2): no query, no fragment. */
export function isIssuerUrl(text: string): boolean {
  return isIssuerEndpoint(text) && !/[?#\s\\]/.test(text);
}

/**
 * Whether an issuer may name this endpoint in its metadata. One that is known by https cannot point to http: that would
 * be a way to the machine's own ports.
 */
export function isEndpointOf(issuer: string, text: string): boolean {
  return (
    isIssuerEndpoint(text) && (new URL(text).protocol === 'https:' || new URL(issuer).protocol === 'http:')
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
