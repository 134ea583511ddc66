import { afterAll, expect } from 'vitest';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { type ModernRequest, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type RecordedRequest, type Recorder, startRecorder } from '../support/recorder.ts';
import type { RpcMessage } from '../support/recorder-answers.ts';

/** What a caller must be told, and what the audit must say of it. Literals: they are what clients rely on. */
export interface Refusal {
  readonly status: number;
  readonly rpc: number;
  readonly reason: string;
  /** The id that the answer carries; absent where none could be read. */
  readonly id?: string | number;
}

export interface Arena {
  readonly gate: TestGateway;
  readonly recorder: Recorder;
  readonly url: string;
  /** What the upstream saw, without the gateway's own look at its tools. */
  seen(): readonly RecordedRequest[];
  /** Does something forbidden: the caller is told so, the audit has a line, and the upstream saw nothing. */
  refused(attempt: () => Promise<RawAnswer>, refusal: Refusal): Promise<RawAnswer>;
  /** Does something and gives back what the upstream saw of it, and what the audit says. */
  observe<T>(act: () => Promise<T>): Promise<{
    readonly value: T;
    readonly seen: readonly RecordedRequest[];
    readonly audit: readonly Record<string, unknown>[];
  }>;
}

/** May call `allowed` and `safe_*`, transfer up to 1000, read what is public, and use one prompt. */
export const narrowPolicy = `
version: 1
roles:
  caller:
    allow:
      - tools: [allowed, "safe_*"]
      - tools: [transfer]
        when: { args: { amount: { max: 1000 } } }
      - resources: ["file:///public/**"]
      - prompts: [greet]
    deny:
      - resources: ["file:///public/private/**"]
bindings:
  - roles: [caller]
    to: { any: true }
`;

const arenas: Arena[] = [];

afterAll(async () => {
  for (const { gate, recorder } of arenas.splice(0)) {
    await gate.close();
    await recorder.close();
  }
});

/** A recording upstream `w` behind a whole gateway on real sockets. Closed after the file's tests. */
export async function startArena(
  options: Omit<TestGatewayOptions, 'upstreams'> & { readonly also?: readonly string[] } = {},
): Promise<Arena> {
  const recorder = await startRecorder();
  const names = ['w', ...(options.also ?? [])];
  const gate = await startTestGateway({
    policy: narrowPolicy,
    door: 'plain',
    ...options,
    upstreams: Object.fromEntries(names.map((name) => [name, recorder.url])),
  });
  const seen = () =>
    recorder.requests.filter(({ messages }) => !String(messages[0]?.id).startsWith('catalog-'));
  const observe: Arena['observe'] = async (act) => {
    const seenBefore = seen().length;
    const linesBefore = gate.audit().length;
    const value = await act();
    await until(() => gate.audit().length > linesBefore, 'a line in the audit');
    return { value, seen: seen().slice(seenBefore), audit: gate.audit().slice(linesBefore) };
  };
  const arena: Arena = {
    gate,
    recorder,
    url: gate.url('w'),
    seen,
    observe,
    async refused(attempt, refusal) {
      const { value, seen: reached, audit } = await observe(attempt);
      expectRefusal(value, refusal);
      expect(reached.map(({ body }) => body.toString())).toEqual([]);
      expect(audit).toEqual([expect.objectContaining({ code: refusal.reason, status: refusal.status })]);
      return value;
    },
  };
  arenas.push(arena);
  return arena;
}

/** The answer is this refusal, in a form that both official clients can read: never 200 without id, never `id: null`. */
export function expectRefusal(answer: RawAnswer, refusal: Refusal): void {
  const body = answer.json<{ id?: unknown; error?: { code: number; data: { reason: string } } }>();
  expect({
    status: answer.status,
    rpc: body.error?.code,
    reason: body.error?.data.reason,
    ...(Object.hasOwn(body, 'id') ? { id: body.id } : {}),
  }).toEqual(refusal);
  expect(answer.headers['content-type']).toBe('application/json');
  if (answer.status === 200) expect(body.id).toBeDefined();
}

/** Waits for something that will be true soon. The bound is for broken tests only. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** An honest call beside the attempts, of either era: it must reach the upstream and be answered. */
export async function expectHonestCall(arena: Arena, tls?: { readonly ca: string }): Promise<void> {
  for (const { headers, body } of [legacyCall('allowed'), modern('tools/call', { name: 'allowed' })]) {
    const { value, seen } = await arena.observe(() =>
      post(arena.url, body, { headers, ...(tls === undefined ? {} : { tls }) }),
    );
    expect(value.status).toBe(200);
    expect(value.json()).toMatchObject({ id: 1, result: { content: [{ type: 'text' }] } });
    expect(seen.map(({ messages }) => messages[0])).toMatchObject([
      { method: 'tools/call', params: { name: 'allowed' } },
    ]);
  }
}

export function legacyCall(
  name: string,
  params: Readonly<Record<string, unknown>> = {},
): { readonly headers: Readonly<Record<string, string>>; readonly body: RpcMessage } {
  return { headers: {}, body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, ...params } } };
}

/** POSTs a modern request as it stands. */
export function postModern(arena: Arena, request: ModernRequest): Promise<RawAnswer> {
  return post(arena.url, request.body, { headers: request.headers });
}

/** JSON text of a modern request with one part of the text replaced: for what no encoder would write. */
export function bend(request: { readonly body: RpcMessage }, part: string, by: string): string {
  const text = JSON.stringify(request.body);
  if (!text.includes(part)) throw new Error(`${part} is not in ${text}`);
  return text.replace(part, () => by);
}
