import { beforeAll, describe, expect, it } from 'vitest';
import { createSealer } from '../../src/filters/seal.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import type { RpcMessage } from '../support/recorder-answers.ts';
import { type Arena, startArena } from './arena.ts';

const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: [job, other]
      - prompts: ["*"]
      - resources: ["**"]
      - methods: ["tasks/*", "resources/directory/read", "skills/list", subscriptions/listen]
bindings:
  - roles: [caller]
    to: { any: true }
`;

const key = Buffer.alloc(32, 7);

type Tls = Awaited<ReturnType<Arena['gate']['as']>>;
type Params = Readonly<Record<string, unknown>>;
type Shown = { readonly tls: Tls; readonly upstream?: string };

let arena: Arena;
let alice: Tls;
let mallory: Tls;

beforeAll(async () => {
  arena = await startArena({
    policy,
    door: 'mtls',
    also: ['x'],
    files: { 'keys/session': key.toString('latin1') },
    config: {
      session: { keys: ['keys/session'] },
      limits: { handles: { cursorAge: '1s' } },
    },
  });
  alice = await arena.gate.as('alice');
  mallory = await arena.gate.as('mallory');
  const { recorder } = arena;
  let tasks = 0;
  recorder.on('tools/call', (message) => {
    tasks += 1;
    const task = { taskId: `job-${tasks}`, status: 'working', ttl: 60_000, ttlMs: 60_000 };
    return answer(message, isModern(message) ? { resultType: 'task', ...task } : { task });
  });
  for (const method of ['tasks/get', 'tasks/cancel']) {
    recorder.on(method, (message) =>
      answer(message, { resultType: 'complete', taskId: message.params?.['taskId'], status: 'working' }),
    );
  }
  recorder.on('tasks/update', (message) => answer(message, { resultType: 'complete' }));
  recorder.on('tasks/result', (message) => answer(message, { content: [{ type: 'text', text: 'done' }] }));
  recorder.on('tasks/list', (message) =>
    answer(message, { tasks: [{ taskId: 'job-1' }, { taskId: 'strange' }], nextCursor: 'next' }),
  );
  for (const [method, member] of lists) {
    recorder.on(method, (message) =>
      answer(message, { [member]: [], nextCursor: 'next', ttlMs: 0, cacheScope: 'private' }),
    );
  }
});

const lists = [
  ['tools/list', 'tools'],
  ['prompts/list', 'prompts'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
  ['skills/list', 'skills'],
  ['resources/directory/read', 'resources'],
] as const;

function answer({ id }: RpcMessage, result: Params) {
  return { kind: 'json', body: { jsonrpc: '2.0', id, result } } as const;
}

function isModern(message: RpcMessage): boolean {
  return JSON.stringify(message.params ?? {}).includes('io.modelcontextprotocol/protocolVersion');
}

const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };

/** One request of either era, whose headers mirror it. */
function ask(era: 'modern' | 'legacy', method: string, params: Params, shown: Shown): Promise<RawAnswer> {
  const url = arena.gate.url(shown.upstream ?? 'w');
  if (era === 'legacy') {
    const headers = { 'mcp-protocol-version': '2025-11-25' };
    return post(url, legacy(method, params), { headers, tls: shown.tls });
  }
  const { headers, body } = modern(method, params, { capabilities });
  const taskId = params['taskId'];
  const named = typeof taskId === 'string' ? { ...headers, 'mcp-name': taskId } : headers;
  return post(url, body, { headers: named, tls: shown.tls });
}

/** Begins a task of alice's and gives back her handle. */
async function beginTask(era: 'modern' | 'legacy', tool = 'job'): Promise<string> {
  const task = era === 'legacy' ? { task: { ttl: 60_000 } } : {};
  const { value } = await arena.observe(() =>
    ask(era, 'tools/call', { name: tool, arguments: {}, ...task }, { tls: alice }),
  );
  const { result } = value.json<{ result: { taskId?: string; task?: { taskId: string } } }>();
  return (result.taskId ?? result.task?.taskId)!;
}

/** What every handle that is not the caller's is answered with, and so is one that was made up. */
const unknown =
  '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Not found, or no longer known",' +
  '"data":{"reason":"handle-unknown"}}}';

/** No audit line for each: reading the file for hundreds of attempts would be what takes the time. */
async function expectUnknown(attempt: () => Promise<RawAnswer>): Promise<void> {
  const before = arena.seen().length;
  const { status, body } = await attempt();
  expect({ status, body: body.toString() }).toEqual({ status: 200, body: unknown });
  expect(
    arena
      .seen()
      .slice(before)
      .map(({ body }) => body.toString()),
  ).toEqual([]);
}

/** Spellings and alterations of one handle, all of which stand for nothing. */
function alterations(handle: string, step = 17): readonly string[] {
  const bytes = Buffer.from(handle, 'base64url');
  const flipped: string[] = [];
  for (let bit = 0; bit < bytes.length * 8; bit += step) {
    const copy = Buffer.from(bytes);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    flipped.push(copy.toString('base64url'));
  }
  return [
    ...flipped,
    ...[1, 2, 20, handle.length - 1].map((cut) => handle.slice(0, -cut)),
    handle.slice(1),
    `${handle}A`,
    `${handle}=`,
    `${handle}==`,
    handle + handle,
    `${handle.replaceAll('-', '+').replaceAll('_', '/')}=`,
    handle.toLowerCase(),
    bytes.toString('hex'),
    'A'.repeat(handle.length),
  ];
}

const owner = JSON.stringify(['spiffe://test.local/alice', 'w']);

/** Handles that other rings and other purposes would have made, and what a server's own looks like. */
function inventions(): readonly string[] {
  const claims = JSON.stringify(['job-1', 'job', Date.now()]);
  const foreign = createSealer([Buffer.alloc(32, 8)], 'task-id');
  return [
    'job-1',
    'job-2',
    'strange',
    'next',
    foreign.seal(claims, owner),
    ...(['session', 'event-id', 'request-state', 'cursor', 'task-question', 'client-task'] as const).map(
      (purpose) => createSealer([key], purpose).seal(claims, owner),
    ),
    createSealer([key], 'task-id').seal(claims),
    createSealer([key], 'task-id').seal(JSON.stringify(['job-1', 'job', Date.now() - 25 * 3_600_000]), owner),
    createSealer([key], 'task-id').seal(JSON.stringify(['job-1', 'job', Date.now() + 3_600_000]), owner),
    createSealer([key], 'task-id').seal(JSON.stringify(['job-1', 'job']), owner),
    createSealer([key], 'task-id').seal(JSON.stringify({ taskId: 'job-1' }), owner),
  ];
}

const taskMethods = {
  modern: ['tasks/get', 'tasks/update', 'tasks/cancel'],
  legacy: ['tasks/get', 'tasks/result', 'tasks/cancel'],
} as const;

for (const era of ['modern', 'legacy'] as const) {
  describe(`the id of a task (${era})`, () => {
    it('is the gateway’s own towards the client, and the server’s towards the server', async () => {
      const taskId = await beginTask(era);
      expect(taskId).toMatch(/^[\w-]{60,256}$/);
      expect(Buffer.from(taskId, 'base64url').toString('latin1')).not.toContain('job');
      for (const method of taskMethods[era]) {
        const { value, seen } = await arena.observe(() => ask(era, method, { taskId }, { tls: alice }));
        expect(value.status).toBe(200);
        const sent = seen[0]!;
        const upstreamId = sent.messages[0]!.params!['taskId'];
        expect(upstreamId).toMatch(/^job-\d+$/);
        if (era === 'modern') expect(sent.headers['mcp-name']).toBe(upstreamId);
        if (method === 'tasks/get') {
          expect(value.json()).toMatchObject({ result: { taskId, status: 'working' } });
        }
        expect(value.body.toString()).not.toContain('job-');
      }
    });

    for (const method of taskMethods[era]) {
      it(`should NOT bypass: shown by somebody else, or elsewhere, to ${method}`, async () => {
        const taskId = await beginTask(era);
        await expectUnknown(() => ask(era, method, { taskId }, { tls: mallory }));
        await expectUnknown(() => ask(era, method, { taskId }, { tls: alice, upstream: 'x' }));
        await expectUnknown(() => ask(era, method, { taskId }, { tls: mallory, upstream: 'x' }));
      });

      it(`should NOT bypass: altered, cut, spelt otherwise or made up, to ${method}`, async () => {
        const taskId = await beginTask(era);
        for (const disguise of [...alterations(taskId), ...inventions()]) {
          await expectUnknown(() => ask(era, method, { taskId: disguise }, { tls: alice }));
        }
      });
    }

    it('goes with the permission for the tool that began it', async () => {
      const taskId = await beginTask(era);
      const others = await beginTask(era, 'other');
      await arena.gate.setPolicy(policy.replace('[job, other]', '[other]'));
      await expectUnknown(() => ask(era, 'tasks/get', { taskId }, { tls: alice }));
      const kept = await ask(era, 'tasks/get', { taskId: others }, { tls: alice });
      expect(kept.json()).toMatchObject({ result: { taskId: others } });
      await arena.gate.setPolicy(policy);
    });
  });
}

describe('a list of tasks', () => {
  it('holds the caller’s own and nobody else’s', async () => {
    await beginTask('legacy');
    const own = await ask('legacy', 'tasks/list', {}, { tls: alice });
    const { tasks } = own.json<{ result: { tasks: { taskId: string }[] } }>().result;
    expect(tasks).toEqual([{ taskId: expect.stringMatching(/^[\w-]{60,256}$/) }]);
    const got = await ask('legacy', 'tasks/get', tasks[0]!, { tls: alice });
    expect(got.json()).toMatchObject({ result: { taskId: tasks[0]!.taskId } });
    const others = await ask('legacy', 'tasks/list', {}, { tls: mallory });
    expect(others.json()).toMatchObject({ result: { tasks: [] } });
    expect(`${own.body}${others.body}`).not.toMatch(/strange|job-/);
  });
});

describe('listening to a task', () => {
  it('should NOT bypass: one foreign id among the caller’s own', async () => {
    const mine = await beginTask('modern');
    for (const other of ['job-1', `${mine}A`]) {
      const taskIds = [mine, other];
      await expectUnknown(() =>
        ask('modern', 'subscriptions/listen', { notifications: { taskIds } }, { tls: alice }),
      );
    }
    await expectUnknown(() =>
      ask('modern', 'subscriptions/listen', { notifications: { taskIds: [mine] } }, { tls: mallory }),
    );
  });
});

describe('a cursor', () => {
  const params = { 'resources/directory/read': { uri: 'skill://a' } } as const;
  const paramsOf = (method: string): Params => (params as Readonly<Record<string, Params>>)[method] ?? {};

  async function cursorOf(method: string, given = paramsOf(method)): Promise<string> {
    const { value } = await arena.observe(() => ask('modern', method, given, { tls: alice }));
    return value.json<{ result: { nextCursor: string } }>().result.nextCursor;
  }

  for (const [method] of lists) {
    it(`of ${method} opens for its caller, and the server gets its own`, async () => {
      const cursor = await cursorOf(method);
      expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain('next');
      const { seen } = await arena.observe(() =>
        ask('modern', method, { ...paramsOf(method), cursor }, { tls: alice }),
      );
      expect(seen[0]!.messages[0]!.params).toMatchObject({ cursor: 'next' });
    });

    it(`should NOT bypass: of ${method}, shown by somebody else, elsewhere, or for another list`, async () => {
      const cursor = await cursorOf(method);
      const given = { ...paramsOf(method), cursor };
      await expectUnknown(() => ask('modern', method, given, { tls: mallory }));
      await expectUnknown(() => ask('modern', method, given, { tls: alice, upstream: 'x' }));
      for (const [other] of lists) {
        if (other === method) continue;
        await expectUnknown(() => ask('modern', other, { ...paramsOf(other), cursor }, { tls: alice }));
      }
      await expectUnknown(() => ask('modern', method, { ...given, wish: 1 }, { tls: alice }));
    });
  }

  it('should NOT bypass: of another folder', async () => {
    const cursor = await cursorOf('resources/directory/read');
    await expectUnknown(() =>
      ask('modern', 'resources/directory/read', { uri: 'skill://b', cursor }, { tls: alice }),
    );
  });

  it('should NOT bypass: altered, cut, spelt otherwise or made up', async () => {
    const cursor = await cursorOf('tools/list');
    for (const disguise of ['', 'next', ...alterations(cursor), ...inventions()]) {
      await expectUnknown(() => ask('modern', 'tools/list', { cursor: disguise }, { tls: alice }));
    }
  });

  it('should NOT bypass: after its time', async () => {
    const stale = (issuedAt: number): string =>
      createSealer([key], 'cursor').seal(
        JSON.stringify(['next', issuedAt]),
        JSON.stringify(['spiffe://test.local/alice', 'w', 'tools/list', []]),
      );
    const { seen } = await arena.observe(() =>
      ask('modern', 'tools/list', { cursor: stale(Date.now()) }, { tls: alice }),
    );
    expect(seen).toHaveLength(1);
    for (const issuedAt of [Date.now() - 2_000, 0, Date.now() + 120_000, Number.NaN]) {
      await expectUnknown(() => ask('modern', 'tools/list', { cursor: stale(issuedAt) }, { tls: alice }));
    }
  });

  it('means the same in both eras', async () => {
    const cursor = await cursorOf('tools/list');
    const { seen } = await arena.observe(() => ask('legacy', 'tools/list', { cursor }, { tls: alice }));
    expect(seen[0]!.messages[0]!.params).toMatchObject({ cursor: 'next' });
    await expectUnknown(() => ask('legacy', 'tools/list', { cursor }, { tls: mallory }));
  });
});

describe('no handle opens as another', () => {
  it('every refusal has a line in the audit', () => {
    const codes = arena.gate.audit().map(({ code }) => code);
    expect(codes.filter((code) => code === 'handle-unknown').length).toBeGreaterThan(300);
  });

  it('a session id is neither a task nor a cursor, nor is a task a cursor', async () => {
    const opened = await post(arena.url, initialize(), { tls: alice });
    const session = opened.headers['mcp-session-id']!;
    const taskId = await beginTask('modern');
    await expectUnknown(() => ask('modern', 'tasks/get', { taskId: session }, { tls: alice }));
    await expectUnknown(() => ask('modern', 'tools/list', { cursor: session }, { tls: alice }));
    await expectUnknown(() => ask('modern', 'tools/list', { cursor: taskId }, { tls: alice }));
  });
});
