import { randomBytes } from 'node:crypto';
import { createFilters, type FilterDeps, type FilterEvent } from '../../src/filters/index.ts';
import { filterOptionsSchema } from '../../src/filters/options.ts';
import { createSessionSealer } from '../../src/filters/session-sealer.ts';
import { CanaryBook } from '../../src/flows/canaries.ts';
import type { Principal } from '../../src/identity/principal.ts';
import { createMemoryStore } from '../../src/limits/memory-store.ts';
import { decodeFrame, defaultDecodeLimits } from '../../src/mcp/decode.ts';
import type { Direction, Frame } from '../../src/mcp/frame.ts';
import { type ProtocolHeaders, readProtocolHeaders } from '../../src/mcp/headers.ts';
import { eraOf, type Revision } from '../../src/mcp/revision.ts';
import { createPinBook } from '../../src/pins/book.ts';
import { pinsOptions } from '../../src/pins/options.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import { type Exchange, emptyFacts } from '../../src/pipeline/exchange.ts';
import type { Filter, Verdict } from '../../src/pipeline/filter.ts';
import { type CompiledPolicy, compilePolicy } from '../../src/policy/compile.ts';
import { createContentRedactor } from '../../src/redaction/redact-text.ts';
import { createSchemaBook } from '../../src/schemas/schema-book.ts';

/** A policy that lets everybody do and be asked everything. */
export const openPolicy = policyOf(`
version: 1
roles:
  everything:
    allow:
      - { tools: ["*"], resources: ["**"], prompts: ["*"], methods: ["**"] }
bindings:
  - { roles: [everything], to: [{ any: true }] }
`);

export function policyOf(text: string): CompiledPolicy {
  const compiled = compilePolicy([{ file: 'test.yaml', text }]);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems, undefined, 2));
  return compiled.policy;
}

export function principal(name = 'alice'): Principal {
  return {
    id: `apikey:${name}`,
    credentials: [{ kind: 'apiKey', name, prefix: 'aaaaaaaa', roles: [], expiresAt: undefined }],
    expiresAt: undefined,
  };
}

/** Decodes a message as the gateway does, so that tests never hold a frame that could not arrive. */
export function frameOf(message: object, direction: Direction = 'toUpstream'): Frame {
  const decoded = decodeFrame(Buffer.from(JSON.stringify(message)), defaultDecodeLimits, direction);
  if (!decoded.ok) throw new Error(`${decoded.failure.code}: ${decoded.failure.detail}`);
  return decoded.value;
}

export const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {
    sampling: { tools: {} },
    elicitation: { form: {}, url: {} },
    roots: {},
  },
};

/** A modern request with its `_meta`. */
export function modernCall(method: string, params: object = {}, id: string | number = 1): Frame {
  return frameOf({ jsonrpc: '2.0', id, method, params: { _meta: modernMeta, ...params } });
}

export function call(method: string, params?: object, id: string | number = 1): Frame {
  return frameOf({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });
}

export function note(method: string, params?: object, direction: Direction = 'toUpstream'): Frame {
  return frameOf({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) }, direction);
}

export function resultOf(id: string | number, result: object): Frame {
  return frameOf({ jsonrpc: '2.0', id, result }, 'toClient');
}

export interface ExchangeShape {
  readonly request?: Frame;
  readonly revision?: Revision;
  readonly principal?: Principal;
  readonly upstream?: string;
  readonly policy?: CompiledPolicy;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
  readonly time?: number;
  readonly startedAt?: number;
  readonly catalog?: Exchange['catalog'];
}

let lastExchange = 0;

export function makeExchange(shape: ExchangeShape = {}): Exchange {
  const request = shape.request ?? call('ping');
  const revision = shape.revision ?? '2025-11-25';
  lastExchange += 1;
  return {
    id: `exchange-${lastExchange}`,
    peer: { address: shape.address ?? '127.0.0.1', port: 50_000, tls: undefined },
    principal: shape.principal ?? principal(),
    bearer: undefined,
    upstream: shape.upstream ?? 'warehouse',
    catalog: shape.catalog ?? createCatalog(),
    era: eraOf(revision),
    revision,
    headers: headersOf(shape.headers ?? {}),
    request,
    requestBytes: 'bytes' in request ? request.bytes.length : 0,
    policy: shape.policy ?? openPolicy,
    time: shape.time ?? 1_800_000_000_000,
    startedAt: shape.startedAt ?? 1000,
    traceId: '0'.repeat(32),
    facts: emptyFacts(),
  };
}

/** A modern exchange whose headers mirror its request, as an honest client's do. */
export function modernExchange(request: Frame, shape: ExchangeShape = {}): Exchange {
  const headers: Record<string, string> = { 'mcp-protocol-version': '2026-07-28' };
  if (request.kind === 'request') {
    headers['mcp-method'] = request.method;
    const { name, uri } = (request.params ?? {}) as { name?: unknown; uri?: unknown };
    if (request.method === 'resources/read') headers['mcp-name'] = String(uri);
    else if (typeof name === 'string') headers['mcp-name'] = name;
  }
  return makeExchange({
    revision: '2026-07-28',
    ...shape,
    request,
    headers: { ...headers, ...shape.headers },
  });
}

export function headersOf(headers: Readonly<Record<string, string>>): ProtocolHeaders {
  const read = readProtocolHeaders(Object.entries(headers).flat());
  if (!read.ok) throw new Error(read.failure.detail);
  return read.value;
}

/** Clocks that stand still until a test moves them. */
export interface TestClock {
  now: number;
  monotonic: number;
}

export interface TestGate {
  readonly filters: readonly Filter[];
  readonly deps: FilterDeps;
  readonly events: FilterEvent[];
  readonly clock: TestClock;
  /** One filter of the list. */
  filter(name: string): Filter;
}

const noCanaries = new CanaryBook([]);

export function makeGate(
  options: object = {},
  deps: Partial<Pick<FilterDeps, 'refreshCatalog' | 'keys' | 'limits'>> = {},
): TestGate {
  const clock: TestClock = { now: 1_800_000_000_000, monotonic: 1000 };
  const events: FilterEvent[] = [];
  const keys = deps.keys ?? [randomBytes(32)];
  const parsed = filterOptionsSchema.parse(options);
  const whole: FilterDeps = {
    options: parsed,
    keys,
    sessions: createSessionSealer({ keys, maxAge: parsed.session.maxAge }),
    refreshCatalog: deps.refreshCatalog ?? (() => Promise.resolve('failed')),
    limits: deps.limits ?? createMemoryStore(parsed.memory, () => undefined),
    overload: { sheds: () => false, retryAfter: () => 1, onShed: () => undefined },
    lookups: { realPath: async () => undefined, addresses: async () => undefined },
    pins: createPinBook({ lock: undefined, options: pinsOptions.parse({}), report: () => undefined }),
    schemas: createSchemaBook({ schedule: (work) => void setImmediate(work) }),
    redactor: createContentRedactor({ key: randomBytes(32) }),
    flowPrincipals: 1000,
    canaries: () => noCanaries,
    approvals: undefined,
    report: (event) => events.push(event),
    now: () => clock.now,
    monotonic: () => clock.monotonic,
  };
  const filters = createFilters(whole);
  return {
    filters,
    deps: whole,
    events,
    clock,
    filter(name) {
      const found = filters.find((filter) => filter.name === name);
      if (found === undefined) throw new Error(`no filter ${name}`);
      return found;
    },
  };
}

/** All may call these tools and everything that is no tool, within these entries of `limits:`. */
export function policyWithLimits(entries: string, tools = '"*"'): CompiledPolicy {
  return policyOf(`
version: 1
roles: { all: { allow: [{ tools: [${tools}], methods: ["**"] }] } }
bindings: [{ roles: [all], to: [{ any: true }] }]
limits:
${entries}`);
}

/** The limits of the policy as one check: both of their places in the list, with nothing in between. */
export function limitsOf(gate: TestGate): Filter {
  const [early, late] = [gate.filter('limits-early'), gate.filter('limits')];
  return {
    name: 'limits',
    toUpstream(frame, exchange) {
      const verdict = early.toUpstream!(frame, exchange) as Verdict;
      return verdict.kind === 'pass' ? late.toUpstream!(frame, exchange) : verdict;
    },
    end: (exchange) => late.end?.(exchange),
  };
}

/** Code and public data of a refusal; the kind of any other verdict. */
export function told(verdict: Verdict): unknown {
  if (verdict.kind !== 'reject') return verdict.kind === 'drop' ? `drop ${verdict.reason}` : verdict.kind;
  const { code, data } = verdict.error;
  return data === undefined ? code : { code, ...data };
}

/** The frame that goes on. */
export function passed<K extends Frame['kind']>(
  verdict: Verdict,
  frame: Frame,
  kind: K,
): Extract<Frame, { kind: K }> {
  if (verdict.kind !== 'pass' && verdict.kind !== 'replace') throw new Error(JSON.stringify(told(verdict)));
  const next = verdict.kind === 'pass' ? frame : verdict.frame;
  if (next.kind !== kind) throw new Error(`a ${next.kind} instead of a ${kind}`);
  return next as Extract<Frame, { kind: K }>;
}

/** Runs one method of a filter and waits for its verdict. */
export async function up(
  filter: Filter,
  exchange: Exchange,
  frame: Frame = exchange.request,
): Promise<Verdict> {
  return (await filter.toUpstream?.(frame, exchange)) ?? { kind: 'pass' };
}

export async function down(filter: Filter, exchange: Exchange, frame: Frame): Promise<Verdict> {
  return (await filter.toClient?.(frame, exchange)) ?? { kind: 'pass' };
}
