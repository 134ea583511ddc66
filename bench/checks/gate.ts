/** The list of checks as the gateway makes it, with clocks that run and nothing around it. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFilters, type FilterDeps } from '../../src/filters/index.ts';
import { filterOptionsSchema } from '../../src/filters/options.ts';
import { createSessionSealer } from '../../src/filters/session-sealer.ts';
import { CanaryBook } from '../../src/flows/canaries.ts';
import type { Principal } from '../../src/identity/principal.ts';
import { createMemoryStore } from '../../src/limits/memory-store.ts';
import { mirroredArgumentsOf } from '../../src/mcp/headers.ts';
import { createPinBook } from '../../src/pins/book.ts';
import { hashOf } from '../../src/pins/canonical.ts';
import { pinsOptions } from '../../src/pins/options.ts';
import type { Catalog } from '../../src/pipeline/catalog.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import type { Filter } from '../../src/pipeline/filter.ts';
import { type CompiledPolicy, compilePolicy, type PolicySource } from '../../src/policy/compile.ts';
import { createContentRedactor } from '../../src/redaction/redact-text.ts';
import { createSchemaBook } from '../../src/schemas/schema-book.ts';
import { loadGrammar } from '../../src/sql/grammars.ts';
import { queryTool } from '../tools.ts';

/** Checks that look at content. The gate stands without them, and they do not stand without it. */
export const contentChecks: ReadonlySet<string> = new Set([
  'results',
  'quarantine',
  'arguments',
  'schema',
  'flow',
  'reviewed',
  'definitions',
  'signatures',
]);

const tool = queryTool;
const upstream = 'warehouse';

export interface BenchGate {
  readonly filters: readonly Filter[];
  readonly policy: CompiledPolicy;
  readonly catalog: Catalog;
  readonly sessions: FilterDeps['sessions'];
}

/** @param content whether the policy has rules on content, and the checks of content are in the list */
export async function createBenchGate(content: boolean): Promise<BenchGate> {
  const options = filterOptionsSchema.parse({});
  const keys = [randomBytes(32)];
  const sessions = createSessionSealer({ keys, maxAge: options.session.maxAge });
  const catalog = createCatalog();
  const learnt = {
    name: 'query',
    definition: tool,
    mirroredArguments: mirroredArgumentsOf(tool.inputSchema!),
  };
  catalog.learnTools([learnt]);
  catalog.freshness.readAt = performance.now();
  const schemas = createSchemaBook({ schedule: (work) => void setImmediate(work) });
  for (const known of [catalog.tool('query')]) if (known !== undefined) await schemas.checksOf(known);
  const pinned = { hash: hashOf(tool), definition: tool };
  const pins = createPinBook({
    lock: {
      upstreams: new Map([[upstream, { instructions: undefined, tools: new Map([['query', pinned]]) }]]),
    },
    options: pinsOptions.parse({}),
    report: ({ standing }) => {
      throw new Error(`the tool is ${standing}`);
    },
  });
  pins.see(upstream, [learnt]);
  const canaries = new CanaryBook([]);
  const filters = createFilters({
    options,
    keys,
    sessions,
    refreshCatalog: () => Promise.resolve('learnt'),
    limits: createMemoryStore(options.memory, () => undefined),
    overload: { sheds: () => false, retryAfter: () => 1, onShed: () => undefined },
    lookups: { realPath: async () => undefined, addresses: async () => undefined },
    pins,
    schemas,
    redactor: createContentRedactor({ key: randomBytes(32), secrets: heldSecrets }),
    flowPrincipals: 10_000,
    canaries: () => canaries,
    approvals: undefined,
    report: () => undefined,
    now: () => Date.now(),
    monotonic: () => performance.now(),
  });
  return {
    filters: content ? filters : filters.filter(({ name }) => !contentChecks.has(name)),
    policy: compileFolder(content),
    catalog,
    sessions,
  };
}

/** What a gateway with two upstreams holds: their credentials. Each is looked for in some ten forms. */
const heldSecrets = ['Bearer 3f1c9a54f0d24e0f9f6f1d1f0f8c7a55', '9d1e0c0b-60a1-4f5e-8a3b-0b8a6f3c7e21'];

export const caller: Principal = {
  id: 'apikey:nightly-report',
  credentials: [
    { kind: 'apiKey', name: 'nightly-report', prefix: 'aaaaaaaa', roles: [], expiresAt: undefined },
  ],
  expiresAt: undefined,
};

// As a gateway does once it has read the policy.
await loadGrammar('postgresql');

function compileFolder(content: boolean): CompiledPolicy {
  const here = import.meta.dirname;
  const read = (folder: string, name: string): PolicySource => ({
    file: name,
    text: readFileSync(join(folder, name), 'utf8'),
  });
  const access = join(here, '../policies');
  const sources = readdirSync(access).map((name) => read(access, name));
  if (content) sources.push(read(here, 'policy.yaml'));
  const compiled = compilePolicy(sources);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.policy;
}
