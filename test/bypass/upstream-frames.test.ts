import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post, type RawAnswer } from '../support/raw-client.ts';
import { type Answer, event, type RpcMessage, result } from '../support/recorder-answers.ts';
import { SseEvents } from '../support/sse-events.ts';
import { type Arena, expectHonestCall, legacyCall, startArena } from './arena.ts';

/** Nothing here lets a server ask anything. */
let arena: Arena;
beforeAll(async () => {
  arena = await startArena();
});
beforeEach(() => {
  for (const method of ['tools/call', 'GET', 'resources/read']) arena.recorder.on(method, undefined);
});

const marker = 's3cret-question';
const questions: readonly RpcMessage[] = [
  { jsonrpc: '2.0', id: 7, method: 'sampling/createMessage', params: { messages: [], systemPrompt: marker } },
  { jsonrpc: '2.0', id: 7, method: 'elicitation/create', params: { message: marker } },
  { jsonrpc: '2.0', id: 7, method: 'roots/list', params: { _meta: { marker } } },
];
const done = (id: RpcMessage['id']) => result(id, { content: [{ type: 'text', text: 'done' }] });

async function callBoth(): Promise<readonly RawAnswer[]> {
  const { headers, body } = modern(
    'tools/call',
    { name: 'allowed' },
    { capabilities: { sampling: {}, elicitation: {}, roots: {} } },
  );
  const session = (
    await post(arena.url, {
      ...legacy('initialize', {
        protocolVersion: '2025-11-25',
        capabilities: { sampling: {}, elicitation: {}, roots: {} },
        clientInfo: { name: 'c', version: '1' },
      }),
    })
  ).headers['mcp-session-id']!;
  return [
    await post(arena.url, legacyCall('allowed').body, { headers: { 'mcp-session-id': session } }),
    await post(arena.url, body, { headers }),
  ];
}

/** The messages of an answer, whether it came as JSON or as a stream. */
function messagesOf(answer: RawAnswer): readonly RpcMessage[] {
  if (answer.headers['content-type'] === 'application/json') return [answer.json<RpcMessage>()];
  return new SseEvents().push(answer.body).map(({ data }) => JSON.parse(data) as RpcMessage);
}

describe('a question of the server that no rule allows', () => {
  /** The stream of one call: raw pieces around the question, then the answer. */
  const carriers: readonly (readonly [
    string,
    (question: string, answer: string) => readonly (string | Buffer | number)[],
  ])[] = [
    ['an event', (q, a) => [event(q), event(a)]],
    ['CR line ends', (q, a) => [`data: ${q}\r\r`, event(a)]],
    ['CRLF line ends', (q, a) => [`data: ${q}\r\n\r\n`, event(a)]],
    ['mixed line ends', (q, a) => [`event: message\rdata: ${q}\n\r\n`, event(a)]],
    ['no space', (q, a) => [`data:${q}\n\n`, event(a)]],
    ['two data lines', (q, a) => [`data: ${q.slice(0, 1)}\ndata: ${q.slice(1)}\n\n`, event(a)]],
    ['three data lines with CR', (q, a) => [`data: {\rdata: ${q.slice(1, -1)}\rdata: }\r\r`, event(a)]],
    ['an event without a name', (q, a) => [`event:\ndata: ${q}\n\n`, event(a)]],
    ['an event called MESSAGE', (q, a) => [`event: MESSAGE\ndata: ${q}\n\n`, event(a)]],
    ['an event with another name', (q, a) => [`event: endpoint\ndata: ${q}\n\n`, event(a)]],
    ['an event called error', (q, a) => [`event: error\ndata: ${q}\n\n`, event(a)]],
    ['an event named twice', (q, a) => [`event: x\nevent: message\ndata: ${q}\n\n`, event(a)]],
    ['behind a comment', (q, a) => [`: hello\n:\ndata: ${q}\n\n`, event(a)]],
    ['behind a byte order mark', (q, a) => [`\ufeffdata: ${q}\n\n`, event(a)]],
    ['inside a comment that a CR ends', (q, a) => [`: hello\rdata: ${q}\r\r`, event(a)]],
    ['inside an id that a CR ends', (q, a) => [`id: 1\rdata: ${q}\r\r`, event(a)]],
    ['inside an event name that a CR ends', (q, a) => [`event: message\rdata: ${q}\r\r`, event(a)]],
    ['inside a retry that a CR ends', (q, a) => [`retry: 1\rdata: ${q}\r\r`, event(a)]],
    ['byte by byte', (q, a) => [...[...`data: ${q}\n\n`], event(a)]],
    ['cut between CR and LF', (q, a) => [`data: ${q}\r`, 5, '\n\r', 5, '\n', event(a)]],
    ['with an id', (q, a) => [event(q, 'e1'), event(a)]],
    ['twice', (q, a) => [event(q), event(q), event(a)]],
    ['behind the answer', (q, a) => [event(a), event(q)]],
    ['without its blank line', (q, a) => [event(a), `data: ${q}`]],
    ['in the same piece as the answer', (q, a) => [`${event(q)}${event(a)}`]],
  ];
  for (const question of questions) {
    for (const [name, carry] of carriers) {
      it(`should NOT bypass: ${question.method} as ${name}`, async () => {
        arena.recorder.on('tools/call', ({ id }) => ({
          kind: 'sse',
          chunks: carry(JSON.stringify(question), JSON.stringify(done(id))),
        }));
        for (const answer of await callBoth()) {
          expect(answer.body.toString()).not.toContain(marker);
          expect(messagesOf(answer)).toEqual([done(1)]);
        }
      });
    }

    it(`should NOT bypass: ${question.method} on the standalone stream`, async () => {
      const notice = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
      arena.recorder.on('GET', { kind: 'sse', chunks: [event(question), event(notice)] });
      const { value, audit } = await arena.observe(async () => (await openStream('GET', arena.url)).rest());
      expect(value.map(({ data }) => JSON.parse(data) as unknown)).toEqual([notice]);
      await expect
        .poll(() =>
          arena.gate
            .audit()
            .filter(({ event: kind }) => kind === 'question')
            .at(-1),
        )
        .toMatchObject({
          code: expect.stringMatching(/^(denied|method-unknown)$/),
          question: { method: question.method },
        });
      expect(audit.length).toBeGreaterThan(0);
      // The server is told no, so that it does not wait.
      expect(arena.seen().at(-1)!.messages[0]).toEqual({
        jsonrpc: '2.0',
        id: 7,
        error: { code: -32601, message: 'Not available' },
      });
    });

    const row = { method: question.method, params: { ...question.params, marker } };
    const inside: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
      ['input_required', { resultType: 'input_required', inputRequests: { a: row } }],
      [
        'input_required with a state',
        { resultType: 'input_required', requestState: 's', inputRequests: { a: row } },
      ],
      [
        'a result that calls itself complete',
        { resultType: 'complete', content: [], inputRequests: { a: row } },
      ],
      ['a result without a type', { content: [], inputRequests: { a: row } }],
      ['a list of questions', { resultType: 'input_required', inputRequests: [row] }],
      ['an unknown type', { resultType: 'ask', inputRequests: { a: row } }],
      ['a disguised member', { resultType: 'complete', content: [], InputRequests: { a: row } }],
      [
        'a disguised method',
        {
          resultType: 'input_required',
          inputRequests: { a: { ...row, Method: row.method, method: 'ping' } },
        },
      ],
      [
        'a task for a client without tasks',
        { resultType: 'task', taskId: 't', status: 'input_required', inputRequests: { a: row } },
      ],
    ];
    for (const [name, value] of inside) {
      for (const form of ['json', 'sse'] as const) {
        it(`should NOT bypass: ${question.method} inside ${name} (${form})`, async () => {
          arena.recorder.on(
            'tools/call',
            ({ id }): Answer =>
              form === 'json'
                ? { kind: 'json', body: result(id, value) }
                : { kind: 'sse', chunks: [event(result(id, value))] },
          );
          for (const answer of await callBoth()) {
            expect(answer.body.toString()).not.toContain(marker);
            expect(messagesOf(answer)).toEqual([
              {
                jsonrpc: '2.0',
                id: 1,
                error: expect.objectContaining({
                  data: { reason: expect.stringMatching(/^(result-refused|upstream-invalid)$/) },
                }),
              },
            ]);
          }
        });
      }
    }
  }

  it('should NOT bypass: a URL to open, inside an error', async () => {
    const elicitations = [
      { mode: 'url', elicitationId: 'e', url: `https://evil.example/${marker}`, message: 'x' },
    ];
    arena.recorder.on('tools/call', ({ id }) => ({
      kind: 'json',
      body: { jsonrpc: '2.0', id, error: { code: -32042, message: 'x', data: { elicitations } } },
    }));
    for (const answer of await callBoth()) {
      expect(answer.body.toString()).not.toContain(marker);
      expect(answer.json()).toMatchObject({ id: 1, error: { data: { reason: 'result-refused' } } });
    }
  });
});

describe('an answer that is not the answer', () => {
  const refused = { status: 200, reason: 'upstream-invalid' };
  const wrong: readonly (readonly [string, (id: RpcMessage['id']) => unknown])[] = [
    ['for the id that the client chose', () => done(1)],
    ['for another id', (id) => done(Number(id) + 1)],
    ['for the id as text', (id) => done(String(id))],
    ['for a null id', () => ({ jsonrpc: '2.0', id: null, result: {} })],
    ['without an id', () => ({ jsonrpc: '2.0', result: {} })],
    ['for a fractional id', (id) => `{"jsonrpc":"2.0","id":${String(id)}.0,"result":{}}`],
    ['in a batch', (id) => [done(id)]],
    ['in an empty batch', () => []],
    ['a result and an error', (id) => ({ ...done(id), error: { code: 1, message: '' } })],
    ['a request', (id) => ({ jsonrpc: '2.0', id, method: 'sampling/createMessage', params: { marker } })],
    [
      'a notification that does not exist',
      () => ({ jsonrpc: '2.0', method: 'notifications/ask', params: { data: marker } }),
    ],
    ['with a repeated key', (id) => `{"jsonrpc":"2.0","id":${String(id)},"result":{"a":1,"a":2}}`],
    ['with two results', (id) => `{"jsonrpc":"2.0","id":${String(id)},"result":{},"result":{}}`],
    ['with a disguised result', (id) => `{"jsonrpc":"2.0","id":${String(id)},"result":{},"Result":{}}`],
    ['with __proto__', (id) => `{"jsonrpc":"2.0","id":${String(id)},"result":{"__proto__":{}}}`],
    ['with an unknown member', (id) => ({ ...done(id), extra: 1 })],
    ['with another version', (id) => ({ ...done(id), jsonrpc: '1.0' })],
    ['with half a surrogate pair', (id) => `{"jsonrpc":"2.0","id":${String(id)},"result":{"a":"\\ud800"}}`],
    ['with a byte order mark', (id) => `\ufeff${JSON.stringify(done(id))}`],
    ['with something behind it', (id) => `${JSON.stringify(done(id))}${JSON.stringify(done(id))}`],
    ['a list for a result', (id) => ({ jsonrpc: '2.0', id, result: [] })],
  ];
  for (const [name, make] of wrong) {
    it(`should NOT reach the client: ${name}`, async () => {
      for (const form of ['json', 'sse'] as const) {
        arena.recorder.on('tools/call', ({ id }): Answer => {
          const body = make(id);
          if (form === 'json') return { kind: 'json', body };
          return { kind: 'sse', chunks: [event(body)] };
        });
        for (const answer of await callBoth()) {
          const [only, ...others] = messagesOf(answer);
          expect(others).toEqual([]);
          expect(answer.body.toString()).not.toContain(marker);
          if (form === 'json') expect(answer.status).toBe(refused.status);
          expect(only).toMatchObject({
            id: 1,
            error: { code: 5020, data: { reason: expect.stringMatching(/^upstream-(invalid|closed)$/) } },
          });
        }
      }
    });
  }

  it('a second answer behind the first goes nowhere', async () => {
    arena.recorder.on('tools/call', ({ id }) => ({
      kind: 'sse',
      chunks: [
        event(done(id)),
        event(result(id, { content: [{ type: 'text', text: marker }] })),
        event({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: marker } }),
      ],
    }));
    for (const answer of await callBoth()) expect(messagesOf(answer)).toEqual([done(1)]);
  });

  it("another client's answer on this client's stream goes nowhere, and the other gets its own", async () => {
    const ids: RpcMessage['id'][] = [];
    arena.recorder.shuffle([0, 1]);
    arena.recorder.on('tools/call', ({ id }) => {
      ids.push(id);
      // The first call is held until the second is known: its stream then carries the answer to the other.
      return {
        kind: 'sse',
        chunks: [event(done(ids.length === 1 ? Number(id) + 1 : Number(id) - 1)), event(done(id))],
      };
    });
    const calls = await Promise.all(
      [2, 3].map((id) => post(arena.url, { ...legacyCall('allowed').body, id })),
    );
    expect(calls.map((answer) => messagesOf(answer))).toEqual([[done(2)], [done(3)]]);
  });

  it('a frame that the gateway refuses never splits into one that it would not', async () => {
    const inner = JSON.stringify(questions[0]);
    for (const splitter of ['\r', '\n', '\r\n', '\n\n', '\r\r', '\u2028', '\u2029', '\u0085', '\v', '\f']) {
      arena.recorder.on('tools/call', ({ id }) => ({
        kind: 'json',
        // Encoded as text of the result it is harmless; written raw by the gateway it would be an event of its own.
        body: result(id, {
          content: [{ type: 'text', text: `x${splitter}data: ${inner}${splitter}${splitter}` }],
        }),
      }));
      for (const answer of await callBoth()) expect(messagesOf(answer)).toHaveLength(1);
      arena.recorder.on('tools/call', ({ id }) => ({
        kind: 'sse',
        chunks: [
          event({
            jsonrpc: '2.0',
            method: 'notifications/message',
            params: { level: 'info', data: `x${splitter}data: ${inner}${splitter}${splitter}` },
          }),
          event(done(id)),
        ],
      }));
      for (const answer of await callBoth()) {
        expect(messagesOf(answer).filter(({ method }) => method === 'sampling/createMessage')).toEqual([]);
        expect(messagesOf(answer).at(-1)).toEqual(done(1));
      }
    }
  });
});

it('honest calls pass beside all this', () => expectHonestCall(arena));
