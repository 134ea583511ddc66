import fc from 'fast-check';
import type { Principal } from '../../src/identity/principal.ts';
import { type Exchange, emptyFacts } from '../../src/pipeline/exchange.ts';
import type { Outcome } from '../../src/pipeline/outcome.ts';

/** What records read of an exchange. Everything else is left out on purpose: records must not need it. */
export interface ExchangeParts {
  readonly id?: string;
  readonly method?: string;
  readonly arguments?: unknown;
  readonly facts?: Partial<Exchange['facts']>;
  readonly traceId?: string;
  readonly hash?: string;
  readonly knownTools?: readonly string[];
  readonly catalogTools?: readonly string[];
  readonly limits?: readonly string[];
  /** Names of the caller's roles. */
  readonly roles?: readonly string[];
  readonly kind?: 'request' | 'stream-open' | 'session-end' | 'result';
}

/** What a policy knows of the roles of a caller: these, whoever it is. */
function rolesOnly(names: readonly string[]): unknown {
  const roles = names.map((name) => ({ name }));
  const bindings = [{ roles, matches: () => true }];
  return { roles: new Map(), roleSets: new WeakMap(), bindings, hierarchy: new Map() };
}

export const alice: Principal = {
  id: 'spiffe://acme.example/ns/data/sa/alice',
  credentials: [
    {
      kind: 'certificate',
      fingerprint256: 'ab'.repeat(32),
      serial: '01',
      commonName: undefined,
      uris: ['spiffe://acme.example/ns/data/sa/alice'],
      dns: [],
      anchorFingerprint256: 'cd'.repeat(32),
      expiresAt: 0,
    },
  ],
  expiresAt: undefined,
};

export function exchangeOf(parts: ExchangeParts = {}): Exchange {
  const kind = parts.kind ?? 'request';
  const params = { name: 'query', arguments: parts.arguments };
  const request =
    kind === 'request'
      ? {
          kind,
          id: 1,
          idSpan: [0, 0],
          method: parts.method ?? 'tools/call',
          params,
          bytes: Buffer.alloc(0),
          value: {},
        }
      : { kind };
  return {
    id: parts.id ?? 'e1',
    principal: alice,
    era: 'legacy',
    revision: '2025-11-25',
    request,
    traceId: parts.traceId ?? '0'.repeat(32),
    policy: {
      hash: parts.hash ?? 'sha256:abc',
      knownNames: { tools: new Set(parts.knownTools ?? []), prompts: new Set() },
      limits: (parts.limits ?? []).map((name) => ({ name })),
      parts: rolesOnly(parts.roles ?? []),
    },
    catalog: {
      tool: (name: string) => ((parts.catalogTools ?? []).includes(name) ? { name } : undefined),
      hasPrompt: () => false,
    },
    facts: { ...emptyFacts(), ...parts.facts },
  } as unknown as Exchange;
}

export function outcomeOf(parts: Partial<Outcome> = {}): Outcome {
  return {
    event: 'exchange',
    peer: { address: '192.0.2.7', port: 40000, tls: { version: 'TLSv1.3', certificate: undefined } },
    principal: alice,
    upstream: 'warehouse',
    verb: 'POST',
    exchange: exchangeOf(),
    code: 'ok',
    rpcCode: undefined,
    status: 200,
    time: Date.UTC(2026, 10, 21, 8, 30, 15, 7),
    durationMs: 12.3456,
    upstreamMs: 10,
    requestBytes: 120,
    replyBytes: 340,
    framesToClient: 1,
    cause: undefined,
    ...parts,
  };
}

export function allowed(parts: Partial<NonNullable<Exchange['facts']['decision']>> = {}) {
  return {
    effect: 'allow',
    visible: true,
    reasons: [{ code: 'allowed', rule: 'roles.analyst.allow[0]', location: 'policies/a.yaml:4' }],
    obligations: { auditArguments: false },
    ...parts,
  } as NonNullable<Exchange['facts']['decision']>;
}

const text = fc.string({ unit: 'binary', maxLength: 60 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const number = fc.oneof(fc.double(), fc.integer());

const credential = fc.oneof(
  fc.record({
    kind: fc.constant('certificate'),
    fingerprint256: text,
    serial: text,
    uris: fc.constant([]),
    dns: fc.constant([]),
  }),
  fc.record({
    kind: fc.constant('token'),
    issuer: text,
    subject: text,
    claims: fc.constant({}),
    tokenId: maybe(text),
    clientId: maybe(text),
    bound: fc.constantFrom(undefined, 'certificate', 'dpop'),
  }),
  fc.record({ kind: fc.constant('apiKey'), name: text, prefix: text }),
  fc.constant({ kind: 'anonymous' }),
);
const reason = fc.record({
  code: fc.constantFrom('allowed', 'no-rule', 'denied-by-rule'),
  rule: maybe(text),
  location: maybe(text),
  condition: maybe(text),
});
const decision = fc
  .record({
    effect: fc.constantFrom('allow', 'deny'),
    reasons: fc.tuple(reason),
    visible: fc.boolean(),
    obligations: fc.record({ auditArguments: fc.boolean() }),
    shadow: maybe(fc.record({ effect: fc.constantFrom('allow', 'deny'), reason })),
  })
  .map(({ shadow, ...rest }) => (shadow === undefined ? rest : { ...rest, shadow }));

const finding = fc.record({
  check: fc.constantFrom('arguments', 'results'),
  effect: fc.constantFrom('refused', 'alert', 'redacted'),
  rule: maybe(text),
  path: maybe(text),
  detail: text,
  before: maybe(text),
  after: maybe(text),
  count: maybe(fc.integer()),
});

const facts = fc.record({
  findings: fc.array(finding, { maxLength: 32 }),
  moreFindings: fc.nat(),
  secrets: fc.array(text, { maxLength: 3 }),
  upstreamError: maybe(text),
  decision: maybe(decision),
  target: maybe(fc.record({ kind: fc.constantFrom('tool', 'resource', 'prompt', 'method'), name: text })),
  limits: fc.array(text, { maxLength: 30 }),
  dropped: fc.array(fc.tuple(text, fc.nat()), { maxLength: 30 }).map((entries) => new Map(entries)),
});

const exchange = fc
  .record({
    id: text,
    method: text,
    traceId: text,
    hash: text,
    arguments: fc.oneof(fc.constant(undefined), fc.object({ maxDepth: 3 }), fc.jsonValue()),
    kind: fc.constantFrom('request', 'stream-open', 'session-end', 'result'),
    facts,
  })
  .map((parts) => exchangeOf(parts as unknown as ExchangeParts));

/** Any outcome, with text of any code points in every place that holds text. */
export const anyOutcome: fc.Arbitrary<Outcome> = fc
  .record({
    event: fc.constantFrom('exchange', 'stream-opened', 'stream-ended', 'question', 'refusal'),
    peer: fc.record({
      address: text,
      port: fc.nat(),
      tls: maybe(fc.record({ version: text, certificate: fc.constant(undefined) })),
    }),
    principal: maybe(
      fc.record({ id: text, credentials: fc.array(credential, { minLength: 1, maxLength: 6 }) }),
    ),
    upstream: maybe(text),
    verb: text,
    exchange: maybe(exchange),
    question: maybe(fc.record({ method: text, rule: maybe(text) })),
    code: fc.oneof(fc.constantFrom('ok', 'tool-error', 'internal'), text),
    rpcCode: maybe(number),
    status: number,
    time: number,
    durationMs: number,
    upstreamMs: maybe(number),
    requestBytes: number,
    replyBytes: number,
    framesToClient: number,
    cause: fc.oneof(
      fc.constant(undefined),
      text,
      text.map((message) => Object.assign(new Error(message), { code: message, name: message })),
    ),
  })
  .map((parts) => parts as unknown as Outcome);
