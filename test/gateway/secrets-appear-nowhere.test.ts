import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { audience, issuer, makeIssuer } from '../identity/issuer.ts';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { planted, plantedEncodings, plantedKinds, readable, textsOf } from '../support/planted.ts';
import { post, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { type Answer, event } from '../support/recorder-answers.ts';

const policy = `
version: 1
roles:
  everything:
    allow:
      - { tools: ["*"], resources: ["**"], prompts: ["*"], methods: ["**"], audit: arguments }
bindings:
  - { roles: [everything], to: { any: true } }
arguments:
  - match: {}
    args: { token: { secret: {} } }
    unknown: allow
    schema: "off"
`;

const robot = createApiKey('robot');
const url = 'https://example.org/';
const word = (text: string): string => text.replace(/[^A-Za-z0-9+/=_%\\-]/g, '');

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A call with the secret argument, whose value stands elsewhere too. */
const call = (args: object, more: object = {}): Sent =>
  modern('tools/call', { name: 'echo', arguments: { token: planted.argument, ...args }, ...more });
const inHeader = (name: string, text: string): Sent => {
  const { headers, body } = modern('tools/call', { name: 'echo', arguments: { token: planted.argument } });
  return { headers: { ...headers, [name]: text }, body };
};

/** Everywhere that a client can put a text. */
const places: Readonly<Record<string, (text: string) => Sent>> = {
  'a value': (text) => call({ query: text }),
  'a value deep inside': (text) => call({ list: [{ deep: { deeper: [text] } }] }),
  'a key': (text) => call({ [text]: 1 }),
  'the name of a tool': (text) =>
    legacy0('tools/call', { name: text, arguments: { token: planted.argument } }),
  'the name of a prompt': (text) =>
    legacy0('prompts/get', { name: text, arguments: { token: planted.argument } }),
  'a path of a URI': (text) => legacy0('resources/read', { uri: `${url}${word(text)}` }),
  'a query of a URI': (text) => legacy0('resources/read', { uri: `${url}?q=${word(text)}` }),
  'the user of a URI': (text) => legacy0('resources/read', { uri: `https://u:${word(text)}@example.org/` }),
  'a method': (text) => legacy0(text, {}),
  'a member that nobody knows': (text) => call({}, { [text]: text }),
  _meta: (text) => call({}, { _meta: { 'example.org/note': text, [`example.org/${word(text)}`]: 1 } }),
  'a progress token': (text) => call({}, { _meta: { progressToken: text } }),
  'an id': (text) => ({ ...call({}), body: { ...(call({}).body as object), id: text } }),
  'an answer to a question': (text) =>
    call({}, { inputResponses: { [text]: { action: 'accept', content: { text } } } }),
  'a request state': (text) => call({}, { requestState: text }),
  'a cursor': (text) => legacy0('tools/list', { cursor: text }),
  'a completion': (text) =>
    legacy0('completion/complete', {
      ref: { type: 'ref/prompt', name: text },
      argument: { name: 'token', value: planted.argument },
      context: { arguments: { note: text } },
    }),
  'the name of a client': (text) => ({
    body: legacy('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: { [text]: {} },
      clientInfo: { name: text, version: text },
    }),
  }),
  'a revision': (text) => ({ body: legacy('initialize', { protocolVersion: text, capabilities: {} }) }),
  'a body that is not JSON': (text) => ({ body: `{"jsonrpc": ${text}` }),
  'a notification': (text) => ({
    body: { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7, reason: text } },
  }),
  ...Object.fromEntries(
    [
      'authorization',
      'x-api-key',
      'cookie',
      'user-agent',
      'mcp-method',
      'mcp-name',
      'mcp-param-token',
      'mcp-protocol-version',
      'mcp-session-id',
      'last-event-id',
      'traceparent',
      'tracestate',
      'origin',
      'x-forwarded-for',
      'content-type',
      'accept',
    ].map((name) => [`the header ${name}`, (text: string) => inHeader(name, text)]),
  ),
};

/** What is secret is only known from the call that carries it as an argument. */
const carriesArgument = ({ body }: Sent): boolean => JSON.stringify(body).includes('"arguments":{"token":');

let session: Readonly<Record<string, string>> = {};

function legacy0(method: string, params: Readonly<Record<string, unknown>>): Sent {
  return { body: legacy(method, params), headers: session };
}

const failed = (text: string): object => ({
  code: -32000,
  message: text,
  data: { stack: [text], [text]: 1 },
});

/** Everywhere that a server can put a text, in its answer to a call with this id. */
const answers: Readonly<Record<string, (text: string, id: unknown) => Answer>> = {
  'a result': (text, id) =>
    json({
      jsonrpc: '2.0',
      id,
      result: { content: [{ type: 'text', text }], structuredContent: { [text]: text } },
    }),
  'an error': (text, id) => json({ jsonrpc: '2.0', id, error: failed(text) }),
  'an error in a stream': (text, id) => ({
    kind: 'sse',
    chunks: [
      event(
        {
          jsonrpc: '2.0',
          method: 'notifications/message',
          params: { level: 'info', logger: text, data: text },
        },
        word(text),
      ),
      event({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: text, progress: 1, message: text },
      }),
      event({ jsonrpc: '2.0', method: text, params: { text } }),
      event({ jsonrpc: '2.0', id, error: failed(text) }),
    ],
  }),
  'a question': (text, id) => ({
    kind: 'sse',
    chunks: [
      event({
        jsonrpc: '2.0',
        id: text,
        method: 'elicitation/create',
        params: { message: text, requestedSchema: { type: 'object', properties: {} } },
      }),
      event({ jsonrpc: '2.0', id: 9, method: text, params: {} }),
      event({ jsonrpc: '2.0', id, result: { content: [] } }),
    ],
  }),
  headers: (text, id) => ({
    ...json({ jsonrpc: '2.0', id, result: { content: [] } }),
    headers: { 'x-note': text, 'mcp-session-id': word(text), 'set-cookie': text, 'www-authenticate': text },
  }),
  'another type': (text) => ({
    kind: 'json',
    headers: { 'content-type': `text/html; note="${word(text)}"` },
    body: text,
  }),
  'a redirect': (text) => ({
    kind: 'json',
    status: 302,
    headers: { location: `${url}?${word(text)}` },
    body: text,
  }),
  'a failure': (text) => ({ kind: 'json', status: 500, body: text }),
  'no JSON': (text) => ({ kind: 'json', body: `{"jsonrpc": ${text}` }),
  'an id of its own': (text) => json({ jsonrpc: '2.0', id: text, result: { content: [] } }),
};

function json(body: object): Answer & { readonly kind: 'json' } {
  return { kind: 'json', body };
}

describe('secrets', () => {
  let recorder: Recorder;
  let folder: GatewayFolder;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    const keys = await makeIssuer();
    recorder = await startRecorder();
    folder = await prepareGateway({
      upstreams: { recorder: recorder.url },
      policy,
      clients: { mode: 'request' },
      files: {
        'secrets/jwks.json': keys.jwks,
        'secrets/keys.yaml': JSON.stringify({ keys: [robot.entry] }),
        'secrets/own': planted.own,
      },
      http: { credential: { scheme: 'Bearer', file: 'secrets/own' } },
      config: {
        identity: [
          { certificate: {} },
          { token: { issuer, audience, keys: 'secrets/jwks.json' } },
          { apiKeys: { file: 'secrets/keys.yaml' } },
        ],
        log: { level: 'debug' },
      },
    });
    gateway = await startGatewayProcess(folder.file);
    const opened = await ask({ body: initialize() });
    session = {
      'mcp-session-id': opened.headers['mcp-session-id'] ?? '',
      'mcp-protocol-version': '2025-11-25',
    };
  });

  afterAll(async () => {
    await gateway.kill();
    folder.remove();
    await recorder.close();
  });

  const ask = async ({ headers, body }: Sent, credentials: Readonly<Record<string, string>> = {}) =>
    post(`${gateway.url}/recorder/mcp`, body, {
      headers: { ...headers, ...credentials },
      tls: await folder.as('alice'),
    });

  let seen = { audit: 0, log: 0 };

  /** All that was written since the last time, and the metrics. */
  const written = async (): Promise<readonly string[]> => {
    const audit = folder.audit();
    const log = gateway.log();
    const fresh = [...audit.slice(seen.audit), ...log.slice(seen.log)];
    seen = { audit: audit.length, log: log.length };
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    return [...fresh.flatMap(textsOf), ...metrics.split('\n').filter((line) => line.includes('recorder'))];
  };

  for (const [place, put] of Object.entries(places)) {
    it(`that a client puts into ${place} are in no record`, async () => {
      const before = folder.audit().length;
      const kinds = plantedKinds.filter((kind) => kind !== 'argument' || carriesArgument(put('nothing')));
      for (const kind of kinds) {
        await Promise.all(plantedEncodings.map(([, encode]) => ask(put(encode(planted[kind])))));
      }
      await ask(put('nothing'), { 'x-api-key': robot.key });
      expect(readable(await written())).toEqual([]);
      expect(folder.audit().length - before).toBeGreaterThanOrEqual(kinds.length * plantedEncodings.length);
    });
  }

  for (const [place, answer] of Object.entries(answers)) {
    it(`that a server puts into ${place} are in no record, and in no error`, async () => {
      for (const kind of plantedKinds) {
        for (const [encoding, encode] of plantedEncodings) {
          recorder.on('tools/call', ({ id }) => answer(encode(planted[kind]), id));
          const told = await ask(call({}));
          if (!told.body.includes('"result"')) {
            expect(readable([told.body.toString(), JSON.stringify(told.headers)]), encoding).toEqual([]);
          }
        }
      }
      recorder.on('tools/call', undefined);
      expect(readable(await written())).toEqual([]);
    });
  }

  it('that a server puts into its lists and instructions are in no record', async () => {
    for (const kind of ['known', 'own'] as const) {
      for (const [, encode] of plantedEncodings) {
        const text = encode(planted[kind]);
        const tool = {
          name: text,
          title: text,
          description: text,
          inputSchema: { type: 'object', [text]: text },
        };
        recorder.on('tools/list', ({ id }) => json({ jsonrpc: '2.0', id, result: { tools: [tool] } }));
        recorder.on('initialize', ({ id }) =>
          json({
            jsonrpc: '2.0',
            id,
            result: {
              protocolVersion: '2025-11-25',
              capabilities: { tools: {} },
              serverInfo: { name: text, version: text },
              instructions: text,
            },
          }),
        );
        await ask({ body: initialize() });
        await ask(legacy0('tools/list', {}));
        await ask(legacy0('tools/call', { name: text, arguments: {} }));
      }
    }
    recorder.on('tools/list', undefined);
    recorder.on('initialize', undefined);
    expect(readable(await written())).toEqual([]);
  });

  it('are looked for where arguments and the words of a server are written', () => {
    const records = folder.audit();
    expect(records.some(({ arguments: args }) => JSON.stringify(args ?? '').includes('[redacted]'))).toBe(
      true,
    );
    expect(records.some(({ upstreamError }) => String(upstreamError).includes('[redacted]'))).toBe(true);
    expect(gateway.log().some(({ event }) => event === 'an exchange failed')).toBe(true);
  });

  it('in the path of a URL are in no record', async () => {
    for (const kind of ['known', 'own'] as const) {
      const path = encodeURIComponent(planted[kind]);
      await send('GET', `${gateway.url}/${path}?q=${path}`, { tls: await folder.as('alice') });
    }
    expect(readable(await written())).toEqual([]);
  });
});
