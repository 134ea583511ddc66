import type { ResourceOptions } from './resource-options.ts';

/**
 * Judges at a route whether a token of an issuer counts there.
 *
 * @returns the reason why not, or undefined
 */
export type JudgeAudience = (upstream: string, audiences: readonly string[]) => string | undefined;

/** The part of a route's options that says whose tokens count there, and for what they must be meant. */
export type RouteAudience = Pick<ResourceOptions, 'resource' | 'audiences' | 'servers'>;

/** Whether tokens of an issuer count at a route. Without `authorization`, or without `servers` in it, all do. */
export function countsAt(route: RouteAudience | undefined, issuer: string): boolean {
  return route?.servers === undefined || route.servers.includes(issuer);
}

/**
 * A token must be meant for the route at which it is shown (RFC 8707): for its `resource`, or one of its `audiences`.
 * At a route without `authorization` it must be meant for one of the issuer's own `audience`. Texts are compared
 * character by character: what begins like a resource is another resource.
 */
export function createAudienceJudge(
  options: { readonly issuer: string; readonly audience?: string | readonly string[] | undefined },
  resources: ReadonlyMap<string, RouteAudience>,
): JudgeAudience {
  const byRoute = new Map<string, ReadonlySet<string>>();
  for (const [upstream, route] of resources) {
    if (countsAt(route, options.issuer)) byRoute.set(upstream, new Set([route.resource, ...route.audiences]));
  }
  const elsewhere = new Set(options.audience === undefined ? [] : [options.audience].flat());
  return (upstream, audiences) => {
    const wanted = resources.has(upstream) ? byRoute.get(upstream) : elsewhere;
    if (wanted === undefined) return 'token-issuer';
    return audiences.some((audience) => wanted.has(audience)) ? undefined : 'token-audience';
  };
}
