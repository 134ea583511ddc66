import { readPolicySources } from '../config/policy-sources.ts';
import type { Config } from '../config/schema.ts';
import { sortProblems } from '../document/problems.ts';
import { withoutRolesOfKeys } from '../gateway/roles-of-keys.ts';
import { type LintContext, lintPolicy, type PolicyWarning } from '../policy/lint/lint.ts';
import { workerCount } from '../workers/options.ts';
import { fetchOffers } from './offers.ts';

/**
 * All warnings of policies that compile, in reading order: those of the compiler, and those that need to know the gateway
 * and the time.
 *
 * @param live whether upstreams are asked for their tools; one that does not answer is left out
 */
export async function policyWarnings(
  config: Config,
  compiled: readonly PolicyWarning[],
  live: boolean,
): Promise<readonly PolicyWarning[]> {
  const sources = await readPolicySources(config.policies);
  const upstreams = config.upstreams.map(({ name }) => name);
  const context: LintContext = {
    now: Date.now(),
    upstreams,
    atOnce: callsAtOnce(config),
    longest: new Map(config.upstreams.map(({ name, http }) => [name, http.timeouts.longest])),
    issuers: config.identity.flatMap((one) => (one.token === undefined ? [] : [one.token.issuer])),
    ...(live ? { tools: await listedTools(config, upstreams) } : {}),
  };
  const all = [...withoutRolesOfKeys(compiled, config), ...lintPolicy(sources, context)];
  return sortProblems(all) as readonly PolicyWarning[];
}

/** Each process counts its own calls; limits may be counted for all of them, and for replicas. */
function callsAtOnce({ overload, workers, store }: Config): NonNullable<LintContext['atOnce']> {
  const processes = workerCount(workers) * (store.redis?.replicas ?? 1);
  return {
    all: overload.inFlight * processes,
    perCaller: Math.floor(overload.inFlight * overload.share) * processes,
  };
}

async function listedTools(
  config: Config,
  upstreams: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const tools = new Map<string, ReadonlySet<string>>();
  for (const [name, offer] of await fetchOffers(config, upstreams)) {
    if (offer !== undefined) tools.set(name, new Set(offer.tools.keys()));
  }
  return tools;
}
