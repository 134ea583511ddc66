/** Path -> upstream, asked with the bytes of the request target. */
export type Routes = ReadonlyMap<string, string>;

/**
 * Characters that mean only themselves: to Fastify's router (no parameter, no wildcard, no percent sign to decode), to
 * proxies in front (nothing to normalise), and here. So no two parties can read one path differently.
 */
const plainPath = /^(?:\/[A-Za-z0-9._~-]+)+$/;

/** @throws TypeError where a path could be read in two ways */
export function checkRoutes(routes: Routes): void {
  for (const [path, upstream] of routes) {
    if (!plainPath.test(path) || path.split('/').some((segment) => segment === '.' || segment === '..')) {
      throw new TypeError(
        `upstream ${upstream}: the path ${JSON.stringify(path)} must be /plain/segments of letters, digits, . _ ~ -`,
      );
    }
  }
}

/**
 * The two parts of a request target. The path is looked up exactly: no decoding, no trailing slash, no case folding, no
 * absolute form. A query is allowed and goes nowhere.
 */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  return mark === -1
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * Whether a query has an access token in it (RFC 6750, section 2.3). Such a URL stands in logs and histories: its
 * sender must learn of it, whatever else the request brings. Found in whatever way a server might spell or split it.
 */
export function carriesToken(query: string): boolean {
  if (query === '') return false;
  return query.split(/[&;?#]/).some((part) => {
    const [[name] = ['']] = new URLSearchParams(part);
    return name.trim().toLowerCase() === 'access_token';
  });
}

/** Value of `Allow` on every route. */
export const allowedVerbs = 'GET, POST, DELETE';

export function isAllowedVerb(method: string | undefined): method is 'GET' | 'POST' | 'DELETE' {
  return method === 'POST' || method === 'GET' || method === 'DELETE';
}
