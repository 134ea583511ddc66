import type { CanaryBook } from '../flows/canaries.ts';
import type { ProtectedResource } from '../identity/protected-resource.ts';
import type { LimitStore } from '../limits/contract.ts';
import type { PinBook } from '../pins/standing.ts';
import type { BoundName } from '../pipeline/bounds.ts';
import type { RefreshOutcome } from '../pipeline/refresh-catalog.ts';
import type { ContentRedactor } from '../redaction/redact-text.ts';
import type { SchemaBook } from '../schemas/schema-book.ts';
import type { SharedState } from '../state/contract.ts';
import type { ArgumentLookups } from './argument-lookups.ts';
import type { Disclosure, FilterOptions } from './options.ts';
import type { SessionSealer } from './session-sealer.ts';
import type { Overload } from './shed.ts';

/** What the checks need from the gateway around them. */
export interface FilterDeps {
  readonly options: FilterOptions;
  /** Key ring for handles that leave the gateway, each at least 32 bytes: the first seals, all open. */
  readonly keys: readonly Buffer[];
  /** The same object that opens session ids before an exchange begins. */
  readonly sessions: SessionSealer;
  /**
   * Asks an upstream for its tool list and feeds its catalog. Coalesced and cooled down by whoever implements it, and
   * never rejecting: what is still unknown afterwards is refused.
   */
  refreshCatalog(upstream: string): Promise<RefreshOutcome>;
  /** Who counts for the limits of the policy. */
  readonly limits: LimitStore;
  /** What is refused while there is more to do than can be done. */
  readonly overload: Overload;
  /** What arguments may ask of the machine. */
  readonly lookups: ArgumentLookups;
  /** Tool definitions that were approved. */
  readonly pins: PinBook;
  /** Compiled schemas of tools. */
  readonly schemas: SchemaBook;
  /** Finds and marks what results must not show. */
  readonly redactor: ContentRedactor;
  /** Principals that flow rules tell apart. */
  readonly flowPrincipals: number;
  /** Routes that are OAuth resources, by upstream. Absent: none is. */
  readonly resources?: ReadonlyMap<string, ProtectedResource>;
  /** What a denial tells, by upstream. Absent: nothing. */
  readonly disclosures?: ReadonlyMap<string, Disclosure>;
  /** The canaries in force now. */
  canaries(): CanaryBook;
  /** Undefined: nothing can be approved. */
  readonly approvals: { take(ticket: string): Promise<boolean> } | undefined;
  /** What several processes of this gateway know together. Absent: there is one process. */
  readonly state?: SharedState;
  /** Something that operators count and no client is told. */
  report(event: FilterEvent): void;
  /** Milliseconds since the epoch: handles that outlive a process carry it. */
  now(): number;
  /** Monotonic milliseconds, the clock of `exchange.startedAt`. */
  monotonic(): number;
}

export type FilterEvent =
  /** The store of a limit is full and nothing in it is expendable: a new key was refused. */
  | { readonly kind: 'limit-store-full'; readonly limit: string; readonly upstream: string }
  /** A bound was reached that no error code tells by itself. */
  | { readonly kind: 'bound'; readonly bound: BoundName; readonly upstream: string }
  /** A limit in shadow mode would have refused. */
  | { readonly kind: 'shadow-limit'; readonly limit: string; readonly upstream: string };
