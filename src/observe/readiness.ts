/** What `/readyz` is made of. */
export interface ReadinessFacts {
  readonly draining: boolean;
  /** False while records cannot be written and calls are refused for it. */
  readonly auditAccepting: boolean;
  readonly policyHash: string;
  /** What could not be reloaded, by name. The last good one is in force. */
  readonly failedReloads: readonly string[];
  /** Whether the store that replicas share answers; undefined where there is none. */
  readonly storeUp?: boolean | undefined;
}

export interface Readiness {
  readonly ready: boolean;
  /** JSON. Nothing secret: whoever reaches the admin port reads it. */
  readonly body: string;
}

/**
 * Ready means: calls will be served. A reload that failed does not end readiness, because the last good configuration
 * still serves, and one bad edit must not take every replica out of the balancer; it is told in the body. Nor does a lost
 * store: all replicas lose it at once, and each limit says what then holds.
 */
export function readinessOf(facts: ReadinessFacts): Readiness {
  const ready = !facts.draining && facts.auditAccepting;
  const body = JSON.stringify({
    ready,
    draining: facts.draining,
    audit: facts.auditAccepting ? 'ok' : 'failing',
    policy: facts.policyHash,
    reload: facts.failedReloads.length === 0 ? 'ok' : 'failed',
    failed: facts.failedReloads,
    ...(facts.storeUp === undefined ? {} : { store: facts.storeUp ? 'ok' : 'lost' }),
  });
  return { ready, body };
}
