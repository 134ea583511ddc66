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
 * The upstream of a request target, or undefined. Exact: no decoding, no trailing slash, no case folding, no absolute
 * form. A query string is allowed and goes nowhere.
 */
export function findRoute(routes: Routes, target: string): string | undefined {
  const query = target.indexOf('?');
  return routes.get(query === -1 ? target : target.slice(0, query));
}

/** Value of `Allow` on every route. */
export const allowedVerbs = 'GET, POST, DELETE';

export function isAllowedVerb(method: string | undefined): method is 'GET' | 'POST' | 'DELETE' {
  return method === 'POST' || method === 'GET' || method === 'DELETE';
}
