import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPolicy, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy } from '../support/mcp-messages.ts';
import { planted, plantedEncodings, readable, textsOf } from '../support/planted.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';
import { SseEvents } from '../support/sse-events.ts';

const rule = `${openPolicy}
results:
  - match: { tools: ["*"] }
    redact: [secrets, keys]
`;

/** Everywhere that the result of a call can hold a text. */
const results: Readonly<Record<string, (text: string) => object>> = {
  'a text': (text) => ({ content: [{ type: 'text', text }] }),
  'JSON in JSON in a text': (text) => ({
    content: [{ type: 'text', text: JSON.stringify({ a: JSON.stringify({ b: [text] }) }) }],
  }),
  'the text of an error': (text) => ({ content: [{ type: 'text', text }], isError: true }),
  'structured content, deep inside': (text) => ({
    content: [],
    structuredContent: { a: [{ b: { c: [text] } }] },
  }),
  'a key': (text) => ({ content: [], structuredContent: { [text]: true } }),
  'an embedded text': (text) => ({
    content: [{ type: 'resource', resource: { uri: 'test://a', mimeType: 'text/plain', text } }],
  }),
  'an embedded blob': (text) => ({
    content: [
      {
        type: 'resource',
        resource: { uri: 'test://a', mimeType: 'text/plain', blob: Buffer.from(text).toString('base64') },
      },
    ],
  }),
  'an image that is a text': (text) => ({
    content: [{ type: 'image', mimeType: 'image/png', data: Buffer.from(text).toString('base64') }],
  }),
  'a link': (text) => ({
    content: [
      {
        type: 'resource_link',
        uri: `test://a?q=${encodeURIComponent(text)}`,
        name: text,
        title: text,
        description: text,
      },
    ],
  }),
  _meta: (text) => ({ content: [], _meta: { 'example.org/note': { [text]: [text] } } }),
  annotations: (text) => ({ content: [{ type: 'text', text: 'a', annotations: { audience: [text] } }] }),
  'a member that nobody knows': (text) => ({ content: [], more: { [`${text}`]: [{ text }] } }),
};

/** What a server may say beside the result. */
const words: Readonly<Record<string, (text: string) => object>> = {
  'a log message': (data) => ({
    method: 'notifications/message',
    params: { level: 'info', logger: data, data },
  }),
  'a log object': (text) => ({
    method: 'notifications/message',
    params: { level: 'info', data: { [text]: text } },
  }),
  progress: (message) => ({
    method: 'notifications/progress',
    params: { progressToken: 'p', progress: 1, message },
  }),
  'a question': (message) => ({
    id: 7,
    method: 'elicitation/create',
    params: {
      message,
      requestedSchema: {
        type: 'object',
        properties: { a: { type: 'string', title: message, default: message } },
      },
    },
  }),
};

const whole = JSON.stringify(planted.known);

describe.each([
  ['with a rule', rule, ['known', 'own'] as const],
  ['without any rule', openPolicy, ['own'] as const],
])('secrets that a server returns, %s', (_name, policy, kinds) => {
  let recorder: Recorder;
  let gate: TestGateway;
  let session: Record<string, string>;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      policy,
      files: { 'secrets/own': planted.own },
      http: { credential: { scheme: 'Bearer', file: 'secrets/own' } },
    });
    const opened = await post(gate.url('recorder'), initialize(), { tls: await gate.as('alice') });
    session = { 'mcp-session-id': opened.headers['mcp-session-id'] ?? '' };
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  /** What the client can read, message by message. */
  const ask = async (method = 'tools/call'): Promise<readonly unknown[]> => {
    const params =
      method === 'tools/call' ? { name: 'echo', arguments: {}, _meta: { progressToken: 'p' } } : {};
    const answer = await post(gate.url('recorder'), legacy(method, params), {
      headers: session,
      tls: await gate.as('alice'),
    });
    const text = answer.body.toString();
    if (!/event-stream/.test(answer.headers['content-type'] ?? '')) return [JSON.parse(text)];
    return new SseEvents().push(answer.body).map(({ data }) => JSON.parse(String(data)) as unknown);
  };
  const seen = (messages: readonly unknown[]) =>
    readable(messages.flatMap(textsOf)).filter((kind) => (kinds as readonly string[]).includes(kind));

  for (const [place, make] of Object.entries(results)) {
    it(`in ${place} do not reach the client, whatever they are written in`, async () => {
      for (const kind of kinds) {
        for (const [encoding, encode] of plantedEncodings) {
          const result = make(encode(planted[kind]));
          const message = { jsonrpc: '2.0', result };
          recorder.on('tools/call', ({ id }) => ({ kind: 'json', body: { ...message, id } }));
          const json = await ask();
          expect(json[0], encoding).toHaveProperty('result.content');
          expect(seen(json), encoding).toEqual([]);
          recorder.on('tools/call', ({ id }) => ({
            kind: 'sse',
            // Cut in the middle of whatever stands there.
            chunks: (event({ ...message, id }).match(/[\s\S]{1,37}/g) ?? []) as string[],
          }));
          const streamed = await ask();
          expect(streamed.at(-1), encoding).toHaveProperty('result.content');
          expect(seen(streamed), encoding).toEqual([]);
        }
      }
    });
  }

  for (const [place, make] of Object.entries(words)) {
    it(`in ${place} do not reach the client either`, async () => {
      for (const kind of kinds) {
        for (const [encoding, encode] of plantedEncodings) {
          recorder.on('tools/call', ({ id }) => ({
            kind: 'sse',
            chunks: [
              event({ jsonrpc: '2.0', ...make(encode(planted[kind])) }),
              event({ jsonrpc: '2.0', id, result: { content: [] } }),
            ],
          }));
          const messages = await ask();
          expect(messages, encoding).toHaveLength(2);
          expect(seen(messages), encoding).toEqual([]);
        }
      }
    });
  }

  it("of the gateway's own in a list, in instructions and in what an error keeps do not reach the client", async () => {
    const text = planted.own;
    const tool = { name: 'echo', description: text, inputSchema: { type: 'object', description: text } };
    recorder.on('tools/list', ({ id }) => ({
      kind: 'json',
      body: { jsonrpc: '2.0', id, result: { tools: [tool] } },
    }));
    const listed = await ask('tools/list');
    expect(listed[0]).toHaveProperty('result.tools.0.name', 'echo');
    expect(seen(listed)).toEqual([]);
    const elicitations = [{ mode: 'url', elicitationId: 'e', url: 'https://example.org/', message: text }];
    recorder.on('tools/call', ({ id }) => ({
      kind: 'json',
      body: { jsonrpc: '2.0', id, error: { code: -32042, message: text, data: { elicitations } } },
    }));
    const failed = await ask();
    expect(failed[0]).toHaveProperty('error.code', -32042);
    expect(seen(failed)).toEqual([]);
  });

  if (policy !== rule) return;

  it('that are split over two events are not whole at the client', async () => {
    for (const kind of kinds) {
      for (const at of [12, 20, planted[kind].length - 4]) {
        const halves = [`see ${planted[kind].slice(0, at)}`, `${planted[kind].slice(at)} there`];
        recorder.on('tools/call', ({ id }) => ({
          kind: 'sse',
          chunks: [
            ...halves.map((text) => event({ jsonrpc: '2.0', ...words['progress']!(text) })),
            event({
              jsonrpc: '2.0',
              id,
              result: { content: halves.map((text) => ({ type: 'text', text })) },
            }),
          ],
        }));
        const texts = (await ask()).flatMap(textsOf).join('');
        for (const half of [planted[kind].slice(0, at), planted[kind].slice(at)]) {
          if (half.length > 4) expect(texts, `${kind} at ${at}`).not.toContain(half);
        }
      }
    }
  });

  it('leave honest results as the very bytes that came', async () => {
    const body =
      '{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"\\u0061 caf\\u00e9 50% \\/ ok"}]}}';
    recorder.on('tools/call', ({ id }) => ({ kind: 'json', body: body.replace('ID', String(id)) }));
    const params = { name: 'echo', arguments: {} };
    const answer = await post(gate.url('recorder'), legacy('tools/call', params, 1), {
      headers: session,
      tls: await gate.as('alice'),
    });
    expect(answer.body.toString()).toBe(body.replace('ID', '1'));
    expect(answer.body.toString()).not.toContain(whole);
  });
});
