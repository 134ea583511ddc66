import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import type { FilterDeps } from '../filters/deps.ts';
import { CanaryBook } from '../flows/canaries.ts';
import { createApprovals } from '../lookups/approvals.ts';
import { readCanaryFiles } from '../lookups/canary-files.ts';
import { createHostAddresses } from '../lookups/host-addresses.ts';
import { createRealPath } from '../lookups/real-path.ts';
import type { Log } from '../observe/log.ts';
import type { PinEvent } from '../pins/standing.ts';
import type { BoundName } from '../pipeline/bounds.ts';
import type { Catalog, CatalogTool } from '../pipeline/catalog.ts';
import { createCatalog } from '../pipeline/create-catalog.ts';
import { createCatalogRefresher } from '../pipeline/refresh-catalog.ts';
import type { UpstreamPort } from '../pipeline/upstream-port.ts';
import type { CompiledPolicy } from '../policy/model.ts';
import { createContentRedactor } from '../redaction/redact-text.ts';
import { createSchemaBook } from '../schemas/schema-book.ts';
import { createOneByOne } from './one-by-one.ts';
import { openPins } from './pins.ts';
import { createRelationFaults } from './relation-faults.ts';
import type { ReloadStep } from './reloader.ts';

/** Everything that checks of content need from the world around them. */
export interface ContentChecks {
  /** What is known of an upstream's tools. @throws TypeError for an upstream that there is not */
  catalogOf(upstream: string): Catalog;
  readonly filterDeps: Pick<
    FilterDeps,
    | 'refreshCatalog'
    | 'lookups'
    | 'pins'
    | 'schemas'
    | 'redactor'
    | 'flowPrincipals'
    | 'canaries'
    | 'approvals'
  >;
  readonly reloadSteps: readonly ReloadStep[];
  /** Values of canaries: nothing that is written down may show them. */
  secrets(): readonly string[];
  /** Replaces the gateway's own secrets in what results are searched for. */
  hold(secrets: readonly string[]): void;
  /** Another policy took force: its relations are held against what is known of the tools, off the request path. */
  policyChanged(): void;
  close(): Promise<void>;
}

export interface ContentChecksDeps {
  /** Makes the marks of what was redacted, where no file does. Absent: a random key. */
  readonly redactionKey?: Buffer | undefined;
  readonly ports: ReadonlyMap<string, UpstreamPort>;
  readonly log: Log;
  /** The policy in force now. */
  policy(): CompiledPolicy;
  /** Counts something about definitions. */
  onPinEvent(event: PinEvent): void;
  /** Counts a bound that a look at a list reached. */
  onBound(bound: BoundName, upstream: string): void;
}

/** @throws Error where a file that the configuration names does not hold what it should */
export async function createContentChecks(config: Config, deps: ContentChecksDeps): Promise<ContentChecks> {
  const { log, ports } = deps;
  const monotonic = (): number => performance.now();
  const now = (): number => Date.now();
  const schemas = createSchemaBook({ schedule: (work) => void setImmediate(work) });
  const pins = await openPins(config.pins, {
    report(event) {
      const { upstream, tool, standing, quarantined, hash, pinned, details } = event;
      log.warn('a definition is not the approved one', {
        upstream,
        tool: tool ?? '(instructions)',
        standing,
        quarantined,
        hash,
        pinned,
        details,
      });
      deps.onPinEvent(event);
    },
    failed: (upstream, cause) =>
      log.error('what was trusted on first use is not written', { upstream, cause }),
  });
  const relations = createRelationFaults(log);
  const later = createOneByOne();
  const catalogs = new Map(
    [...ports.keys()].map((name) => {
      const learnt = (tool: CatalogTool): void => later(() => relations.check(deps.policy(), name, tool));
      return [
        name,
        learningSchemas(createCatalog({ entries: config.limits.lists.tools }, learnt), schemas, later),
      ];
    }),
  );
  const catalogOf = (name: string): Catalog => {
    const catalog = catalogs.get(name);
    if (catalog === undefined) throw new TypeError(`no upstream ${name}`);
    return catalog;
  };
  const refresh = createCatalogRefresher({
    upstream: (name) => {
      const port = ports.get(name);
      // Only the gateway's own look is known to be whole: what clients list, the filter tells the book itself.
      return port === undefined ? undefined : { port, catalog: pins.watch(name, catalogOf(name)) };
    },
    decodeLimits: config.limits.result,
    bounds: config.limits.lists,
    onBound(bound, upstream) {
      log.warn('the list of a server is beyond a bound', { upstream, bound });
      deps.onBound(bound, upstream);
    },
    monotonic,
  });
  let canaries = new CanaryBook(readCanaryFiles(config.canaries));
  const addresses = createHostAddresses(config.lookups.dns);
  const redactor = createContentRedactor({
    key: readTagKey(config.redaction.key, deps.redactionKey),
    phoneRegion: config.redaction.phoneRegion,
    countries: config.redaction.nationalNumbers,
  });
  const { approvals } = config.flows;

  return {
    catalogOf,
    filterDeps: {
      refreshCatalog: pins.settle(refresh, (name) => catalogs.get(name)),
      lookups: { realPath: createRealPath(), addresses: (host) => addresses.addresses(host) },
      pins: pins.book,
      schemas,
      redactor,
      flowPrincipals: config.flows.principals,
      canaries: () => canaries,
      approvals: approvals === undefined ? undefined : createApprovals(approvals, now),
    },
    reloadSteps: [
      { what: 'pins', read: () => pins.reload() },
      {
        what: 'canaries',
        async read() {
          canaries = new CanaryBook(readCanaryFiles(config.canaries));
        },
      },
    ],
    secrets: () => readCanaryFiles(config.canaries).map(({ value }) => value),
    hold: (secrets) => redactor.hold(secrets),
    policyChanged: () =>
      later(() => {
        for (const [name, catalog] of catalogs)
          for (const tool of catalog.tools()) relations.check(deps.policy(), name, tool);
      }),
    async close() {
      addresses.close();
      await pins.written();
    },
  };
}

/** Schemas are compiled as soon as a list shows them: the first call finds them ready. */
function learningSchemas(
  catalog: Catalog,
  schemas: ReturnType<typeof createSchemaBook>,
  later: (work: () => void) => void,
): Catalog {
  return {
    ...catalog,
    learnTools(tools) {
      const learnt = [...tools];
      catalog.learnTools(learnt);
      for (const tool of learnt) later(() => schemas.learn(tool));
    },
  };
}

/** 32 bytes: what an HMAC with SHA-256 makes use of. */
const fewestKeyBytes = 32;

function readTagKey(file: string | undefined, instead: Buffer = randomBytes(fewestKeyBytes)): Buffer {
  if (file === undefined) return instead;
  const key = readFileSync(file);
  if (key.length < fewestKeyBytes)
    throw new Error(`${file}: a key of tags has at least ${fewestKeyBytes} bytes`);
  return key;
}
