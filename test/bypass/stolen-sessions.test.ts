import { beforeAll, describe, expect, it } from 'vitest';
import { initialize } from '../support/mcp-messages.ts';
import { openStream, post, type RawAnswer, send } from '../support/raw-client.ts';
import { event } from '../support/recorder-answers.ts';
import { type Arena, expectHonestCall, legacyCall, startArena } from './arena.ts';

type Tls = Awaited<ReturnType<Arena['gate']['as']>>;

let arena: Arena;
let alice: Tls;
let mallory: Tls;
let session: string;
beforeAll(async () => {
  arena = await startArena({ door: 'mtls', also: ['x'] });
  [alice, mallory] = await Promise.all([arena.gate.as('alice'), arena.gate.as('mallory')]);
  session = await open(alice);
});

async function open(tls: Tls, url = arena.url): Promise<string> {
  const answer = await post(url, initialize(), { tls });
  const id = answer.headers['mcp-session-id'];
  if (id === undefined) throw new Error(answer.body.toString());
  return id;
}

const unknown = { status: 404, rpc: -32001, reason: 'session-unknown' } as const;

/** Every way in which a session id is used. */
const uses: readonly (readonly [
  string,
  (url: string, headers: Readonly<Record<string, string>>, tls: Tls) => Promise<RawAnswer>,
])[] = [
  ['a call', (url, headers, tls) => post(url, legacyCall('allowed').body, { headers, tls })],
  [
    'a notification',
    (url, headers, tls) =>
      post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, { headers, tls }),
  ],
  ['an answer', (url, headers, tls) => post(url, { jsonrpc: '2.0', id: 1, result: {} }, { headers, tls })],
  ['a batch', (url, headers, tls) => post(url, [legacyCall('allowed').body], { headers, tls })],
  [
    'GET',
    (url, headers, tls) => send('GET', url, { headers: { ...headers, accept: 'text/event-stream' }, tls }),
  ],
  [
    'GET with Last-Event-ID',
    (url, headers, tls) =>
      send('GET', url, { headers: { ...headers, accept: 'text/event-stream', 'last-event-id': '1' }, tls }),
  ],
  ['DELETE', (url, headers, tls) => send('DELETE', url, { headers, tls })],
];

function flip(text: string, at: number): string {
  const index = at < 0 ? text.length + at : at;
  return `${text.slice(0, index)}${text[index] === 'A' ? 'B' : 'A'}${text.slice(index + 1)}`;
}

describe('a session id in the wrong hands', () => {
  const thefts: readonly (readonly [string, () => { id: string; tls: Tls; url: string }])[] = [
    ['of another principal', () => ({ id: session, tls: mallory, url: arena.url })],
    ['at another upstream', () => ({ id: session, tls: alice, url: arena.gate.url('x') })],
    [
      'of another principal, at another upstream',
      () => ({ id: session, tls: mallory, url: arena.gate.url('x') }),
    ],
    ["the upstream's own", () => ({ id: 'recorder-session', tls: alice, url: arena.url })],
    [
      "the upstream's own, encoded",
      () => ({ id: Buffer.from('recorder-session').toString('base64url'), tls: alice, url: arena.url }),
    ],
    ['with its version byte changed', () => ({ id: flip(session, 0), tls: alice, url: arena.url })],
    ['with its nonce changed', () => ({ id: flip(session, 5), tls: alice, url: arena.url })],
    ['with its body changed', () => ({ id: flip(session, 60), tls: alice, url: arena.url })],
    ['with its tag changed', () => ({ id: flip(session, -5), tls: alice, url: arena.url })],
    ['cut short', () => ({ id: session.slice(0, -1), tls: alice, url: arena.url })],
    ['cut to a stump', () => ({ id: session.slice(0, 8), tls: alice, url: arena.url })],
    ['made longer', () => ({ id: `${session}A`, tls: alice, url: arena.url })],
    ['padded', () => ({ id: `${session}=`, tls: alice, url: arena.url })],
    ['in the other base64 alphabet', () => ({ id: `+/${session.slice(2)}`, tls: alice, url: arena.url })],
    ['in another case', () => ({ id: session.toLowerCase(), tls: alice, url: arena.url })],
    [
      'percent-encoded',
      () => ({ id: `%${session.charCodeAt(0).toString(16)}${session.slice(1)}`, tls: alice, url: arena.url }),
    ],
    ['in quotes', () => ({ id: `"${session}"`, tls: alice, url: arena.url })],
    ['twice in one', () => ({ id: `${session},${session}`, tls: alice, url: arena.url })],
    ['invented', () => ({ id: '1868a90c-8a3e-4f6b-9c0d-2f5a3c1f0f6e', tls: alice, url: arena.url })],
    ['a single letter', () => ({ id: 'x', tls: alice, url: arena.url })],
  ];
  for (const [theft, make] of thefts) {
    for (const [use, act] of uses) {
      it(`should NOT bypass: ${theft}, for ${use}`, async () => {
        const { id, tls, url } = make();
        await arena.refused(() => act(url, { 'mcp-session-id': id }, tls), unknown);
      });
    }
  }

  it('should NOT bypass: an id made by the key of another gateway', async () => {
    const other = await startArena({ door: 'mtls' });
    const tls = await other.gate.as('alice');
    const foreign = await open(tls, other.url);
    await arena.refused(
      () =>
        post(arena.url, legacyCall('allowed').body, { headers: { 'mcp-session-id': foreign }, tls: alice }),
      unknown,
    );
  });

  it('should NOT bypass: an id that has grown old', async () => {
    const brief = await startArena({ door: 'mtls', config: { session: { maxAge: '1s' } } });
    const tls = await brief.gate.as('alice');
    const headers = { 'mcp-session-id': await open(tls, brief.url) };
    expect((await post(brief.url, legacyCall('allowed').body, { headers, tls })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    await brief.refused(() => post(brief.url, legacyCall('allowed').body, { headers, tls }), unknown);
  });

  it('should NOT bypass: no session for DELETE', () =>
    arena.refused(() => send('DELETE', arena.url, { tls: alice }), {
      status: 400,
      rpc: -32600,
      reason: 'session-missing',
    }));

  it('its owner drives it, under the id that the upstream knows', async () => {
    for (const [use, act] of uses.slice(0, 2)) {
      const { seen } = await arena.observe(() => act(arena.url, { 'mcp-session-id': session }, alice));
      expect(seen[0]?.headers['mcp-session-id'], use).toBe('recorder-session');
    }
  });
});

describe('an event id in the wrong place', () => {
  /** A stream of one session that gave out one event id. */
  async function eventId(tls: Tls, id: string): Promise<string> {
    arena.recorder.on('GET', {
      kind: 'sse',
      chunks: [event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }, 'upstream-event')],
    });
    const stream = await openStream('GET', arena.url, { headers: { 'mcp-session-id': id }, tls });
    const [first] = await stream.rest();
    arena.recorder.on('GET', undefined);
    return first!.id!;
  }
  const resume = (tls: Tls, headers: Readonly<Record<string, string>>) =>
    send('GET', arena.url, { headers: { ...headers, accept: 'text/event-stream' }, tls });

  it('replays nothing for another session, another principal, or no session', async () => {
    const given = await eventId(alice, session);
    arena.recorder.on('initialize', ({ id, params }) => ({
      kind: 'json',
      headers: { 'mcp-session-id': 'second-session' },
      body: {
        jsonrpc: '2.0',
        id,
        result: {
          protocolVersion: params?.['protocolVersion'],
          capabilities: {},
          serverInfo: { name: 'r', version: '1' },
        },
      },
    }));
    const [second, foreign] = [await open(alice), await open(mallory)];
    arena.recorder.on('initialize', undefined);
    const attempts: readonly (readonly [Tls, Readonly<Record<string, string>>])[] = [
      [alice, { 'mcp-session-id': second, 'last-event-id': given }],
      [mallory, { 'mcp-session-id': foreign, 'last-event-id': given }],
      [mallory, { 'mcp-session-id': session, 'last-event-id': given }],
      [mallory, { 'last-event-id': given }],
      [alice, { 'last-event-id': given }],
      [alice, { 'mcp-session-id': session, 'last-event-id': 'upstream-event' }],
      [
        alice,
        { 'mcp-session-id': session, 'last-event-id': given.replace('upstream-event', 'upstream-event-2') },
      ],
      [alice, { 'mcp-session-id': session, 'last-event-id': `.${given.split('.')[1]}` }],
      [alice, { 'mcp-session-id': session, 'last-event-id': flip(given, 3) }],
      [alice, { 'mcp-session-id': session, 'last-event-id': given.slice(0, -1) }],
      [alice, { 'mcp-session-id': session, 'last-event-id': `${given} x` }],
      [alice, { 'mcp-session-id': session, 'last-event-id': '' }],
      [alice, { 'mcp-session-id': session, 'last-event-id': '*' }],
    ];
    for (const [tls, headers] of attempts) await arena.refused(() => resume(tls, headers), unknown);

    arena.recorder.on('GET', { kind: 'sse', chunks: [] });
    const { seen } = await arena.observe(() =>
      resume(alice, { 'mcp-session-id': session, 'last-event-id': given }),
    );
    expect(seen[0]!.headers['last-event-id']).toBe('upstream-event');
    arena.recorder.on('GET', undefined);
  });
});

describe('an answer to a question that another was asked', () => {
  const question = { jsonrpc: '2.0', id: 'q1', method: 'roots/list' };
  const answer = { jsonrpc: '2.0', id: 'q1', result: { roots: [] } };
  const orphan = { status: 400, rpc: -32600, reason: 'answer-unexpected' } as const;

  it('is taken from whom it was asked of, in that session, and once', async () => {
    const asking = await startArena({
      door: 'mtls',
      policy: `
version: 1
roles:
  caller:
    allow:
      - tools: [allowed]
      - { methods: [roots/list], actions: [ask] }
bindings:
  - roles: [caller]
    to: { any: true }
`,
    });
    const owner = await asking.gate.as('alice');
    const thief = await asking.gate.as('mallory');
    const ofOwner = await open(owner, asking.url);
    const ofThief = await open(thief, asking.url);
    asking.recorder.on('GET', { kind: 'sse', chunks: [event(question)], open: true });
    const stream = await openStream('GET', asking.url, {
      headers: { 'mcp-session-id': ofOwner },
      tls: owner,
    });
    expect(JSON.parse((await stream.next())!.data)).toEqual(question);

    const say = (tls: Tls, body: unknown, id?: string) =>
      post(asking.url, body, { tls, headers: id === undefined ? {} : { 'mcp-session-id': id } });
    await asking.refused(() => say(thief, answer, ofThief), orphan);
    await asking.refused(() => say(thief, answer), orphan);
    await asking.refused(() => say(thief, answer, ofOwner), unknown);
    await asking.refused(() => say(owner, answer), orphan);
    for (const id of ['q2', 'Q1', 'q1 ', 1])
      await asking.refused(() => say(owner, { ...answer, id }, ofOwner), orphan);
    const { seen } = await asking.observe(() => say(owner, answer, ofOwner));
    expect(seen.map(({ messages }) => messages[0])).toEqual([answer]);
    await asking.refused(() => say(owner, answer, ofOwner), orphan);
    stream.abort();
  });
});

describe('a cancellation of what another asked', () => {
  it('goes nowhere: by the id of the client, of the gateway, or one made up', async () => {
    arena.recorder.on('tools/call', { kind: 'hang' });
    const leave = new AbortController();
    const call = post(
      arena.url,
      { ...legacyCall('safe_slow').body, id: 'slow' },
      {
        headers: { 'mcp-session-id': session },
        tls: alice,
        signal: leave.signal,
      },
    ).catch(() => undefined);
    const sent = await arena.recorder.seen(({ messages }) => messages[0]?.params?.['name'] === 'safe_slow');
    const own = await open(mallory);
    for (const requestId of ['slow', sent.messages[0]!.id, 1, null, ['slow']]) {
      for (const [tls, headers] of [
        [mallory, { 'mcp-session-id': own }],
        [mallory, {}],
        [alice, {}],
      ] as const) {
        const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } };
        const { value, seen, audit } = await arena.observe(() =>
          post(arena.url, body, { headers: headers as Readonly<Record<string, string>>, tls }),
        );
        expect(value.status).toBe(202);
        expect(seen).toEqual([]);
        expect(audit).toMatchObject([{ dropped: { 'cancelled-unknown': 1 } }]);
      }
    }
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'slow' } };
    const { seen } = await arena.observe(() =>
      post(arena.url, body, { headers: { 'mcp-session-id': session }, tls: alice }),
    );
    expect(seen[0]!.messages[0]!.params).toEqual({ requestId: sent.messages[0]!.id });
    leave.abort();
    await call;
    arena.recorder.on('tools/call', undefined);
  });
});

it('honest calls pass beside all this', () => expectHonestCall(arena, alice));
