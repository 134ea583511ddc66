import type { Evidence } from '../identity/identity.ts';

/** Characters. Shorter credentials stand in ordinary words, and keep nobody out anyway. */
const shortest = 8;

/**
 * Whether an `Mcp-Param-*` header holds what the caller authenticates with.
 *
 * Headers of that name which no tool annotates must be forwarded (2026-07-28, basic/transports/streamable-http): they
 * are the one place in which a client that adds its token to every header would send it on.
 */
export function holdsCredential(
  params: ReadonlyMap<string, string>,
  { authorization, apiKey, dpop }: Pick<Evidence, 'authorization' | 'apiKey' | 'dpop'>,
): boolean {
  if (params.size === 0) return false;
  const credentials = [authorization?.slice(authorization.lastIndexOf(' ') + 1), apiKey, dpop];
  for (const value of params.values()) {
    if (credentials.some((text) => text !== undefined && text.length >= shortest && value.includes(text)))
      return true;
  }
  return false;
}
