import type { Config } from '../config/schema.ts';
import { openUpstreams } from '../gateway/upstreams.ts';
import { isName } from '../mcp/text.ts';
import type { Offer } from '../pins/lock.ts';
import type { Catalog } from '../pipeline/catalog.ts';
import { createCatalog } from '../pipeline/create-catalog.ts';
import { createCatalogRefresher } from '../pipeline/refresh-catalog.ts';
import type { UpstreamPort } from '../pipeline/upstream-port.ts';
import type { JsonObject } from '../values/json.ts';

/** What one upstream offers; undefined where its list could not be read to its end. */
export type FetchedOffers = ReadonlyMap<string, Offer | undefined>;

/** Asks upstreams what they offer, as the gateway does itself: with its credentials, in the era that they speak. */
export async function fetchOffers(config: Config, names: readonly string[]): Promise<FetchedOffers> {
  const wanted = config.upstreams.filter(({ name }) => names.includes(name));
  const upstreams = await openUpstreams({ ...config, upstreams: wanted });
  try {
    const fetched = [...upstreams.ports].map(
      async ([name, port]) => [name, await fetchOffer(config, name, port)] as const,
    );
    return new Map(await Promise.all(fetched));
  } finally {
    await upstreams.close();
  }
}

async function fetchOffer(config: Config, name: string, port: UpstreamPort): Promise<Offer | undefined> {
  const known = createCatalog();
  const tools = new Map<string, JsonObject>();
  let instructions: string | undefined;
  // What is approved is what was listed, also where it is more than a catalog remembers.
  const catalog: Catalog = {
    ...known,
    learnTools(learnt) {
      for (const { name, definition } of learnt) if (isName(name)) tools.set(name, definition);
    },
    learnInstructions(text) {
      instructions = text;
    },
  };
  const refresh = createCatalogRefresher({
    upstream: () => ({ port, catalog }),
    decodeLimits: config.limits.result,
    monotonic: () => performance.now(),
  });
  return (await refresh(name)) === 'learnt' ? { instructions, tools } : undefined;
}
