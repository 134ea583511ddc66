import { type ClientHttp2Session, connect } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { initialize, modern } from '../support/mcp-messages.ts';
import { sendHttp2 } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event, result } from '../support/recorder-answers.ts';

const closing: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Stage {
  readonly folder: GatewayFolder;
  readonly gateway: GatewayProcess;
  readonly recorder: Recorder;
  readonly session: ClientHttp2Session;
  /** Code of the first GOAWAY. */
  readonly away: Promise<number>;
  /** The connection is over. */
  readonly over: Promise<void>;
}

async function stage(deadline: string): Promise<Stage> {
  const recorder = await startRecorder();
  const folder = await prepareGateway({
    upstreams: { w: recorder.url },
    config: { log: { level: 'info' }, drain: { deadline } },
  });
  const gateway = await startGatewayProcess(folder.file);
  const session = connect(gateway.url, await folder.as('alice'));
  session.on('error', () => undefined);
  const away = new Promise<number>((resolve) => session.once('goaway', resolve));
  const over = new Promise<void>((resolve) => session.once('close', resolve));
  closing.push(recorder.close, folder.remove, gateway.kill, () => session.destroy());
  return { folder, gateway, recorder, session, away, over };
}

interface Stream {
  status: number;
  text: string;
  /** Resolves to how the stream ended: `end`, or the code of its reset. */
  readonly ended: Promise<string>;
}

/** One request on the connection that is open. */
function ask(session: ClientHttp2Session, verb: string, headers: object, body?: unknown): Stream {
  const request = session.request({
    ':method': verb,
    ':path': '/w/mcp',
    accept: 'application/json, text/event-stream',
    ...headers,
  });
  let hasEnd = false;
  const stream: Stream = {
    status: 0,
    text: '',
    ended: new Promise((resolve) => {
      request.once('end', () => {
        hasEnd = true;
      });
      request.once('close', () => resolve(hasEnd && request.rstCode === 0 ? 'end' : `${request.rstCode}`));
    }),
  };
  request.once('response', (head) => {
    stream.status = Number(head[':status']);
  });
  request.on('data', (chunk: Buffer) => {
    stream.text += chunk.toString();
  });
  request.on('error', () => undefined);
  request.end(body === undefined ? undefined : JSON.stringify(body));
  return stream;
}

function askModern(session: ClientHttp2Session, method: string, params: object, id: string): Stream {
  const { headers, body } = modern(method, { ...params }, { id });
  return ask(session, 'POST', headers, body);
}

const acknowledged = (id: unknown): string =>
  event({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: {}, _meta: { 'io.modelcontextprotocol/subscriptionId': id } },
  });

describe('SIGTERM, over one HTTP/2 connection', () => {
  it('ends streams as their protocol has it, lets calls finish, says GOAWAY without an error, and closes', async () => {
    const { folder, gateway, recorder, session, away, over } = await stage('20s');
    const answer = Promise.withResolvers<void>();
    recorder.on('subscriptions/listen', ({ id }) => ({
      kind: 'sse',
      chunks: [acknowledged(id)],
      open: true,
    }));
    recorder.on('GET', {
      kind: 'sse',
      chunks: [event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })],
      open: true,
    });
    recorder.on('tools/call', ({ id, params }) => {
      const last = answer.promise.then(() =>
        event(result(id, { resultType: 'complete', content: [{ type: 'text', text: 'finished' }] })),
      );
      if ((params as { name: string }).name === 'streamed')
        return {
          kind: 'sse',
          chunks: [
            event({
              jsonrpc: '2.0',
              method: 'notifications/progress',
              params: { progressToken: 'p', progress: 1 },
            }),
            last,
          ],
        };
      return answer.promise.then(() => ({
        kind: 'json' as const,
        body: result(id, { resultType: 'complete', content: [{ type: 'text', text: 'finished' }] }),
      }));
    });
    const opened = await sendHttp2('POST', `${gateway.url}/w/mcp`, {
      tls: await folder.as('alice'),
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: initialize(),
    });
    const streams = [0, 1, 2].map((n) =>
      askModern(session, 'subscriptions/listen', { notifications: {} }, `listen-${n}`),
    );
    const standing = ask(session, 'GET', { 'mcp-session-id': opened.headers['mcp-session-id'] ?? '' });
    const streamed = askModern(
      session,
      'tools/call',
      { name: 'streamed', arguments: {}, _meta: { progressToken: 'p' } },
      'streamed',
    );
    const plain = askModern(session, 'tools/call', { name: 'plain', arguments: {} }, 'plain');
    await expect.poll(() => streams.every(({ text }) => text.includes('acknowledged'))).toBe(true);
    await expect.poll(() => standing.text).toContain('list_changed');
    await expect.poll(() => streamed.text).toContain('"progress":1');
    await recorder.seen(({ body }) => body.includes('"plain"'));

    gateway.signal('SIGTERM');
    expect(await away).toBe(0);
    for (const [n, stream] of streams.entries()) {
      expect(await stream.ended).toBe('end');
      expect(stream.status).toBe(200);
      const last = stream.text.trimEnd().split('\n').at(-1)!.replace('data: ', '');
      expect(JSON.parse(last)).toEqual({
        jsonrpc: '2.0',
        id: `listen-${n}`,
        result: {
          resultType: 'complete',
          _meta: { 'io.modelcontextprotocol/subscriptionId': `listen-${n}` },
        },
      });
    }
    expect(await standing.ended).toBe('end');
    // Calls go on: neither has its answer yet.
    expect(plain.status).toBe(0);
    expect(streamed.text).not.toContain('finished');
    answer.resolve();
    expect(await Promise.all([streamed.ended, plain.ended])).toEqual(['end', 'end']);
    expect([streamed.text, plain.text].every((text) => text.includes('finished'))).toBe(true);
    await over;
    expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
    const records = folder.audit();
    expect(records.filter(({ method }) => method === 'tools/call').map(({ code }) => code)).toEqual([
      'ok',
      'ok',
    ]);
    expect(
      records.filter((each) => each['event'] === 'stream-ended' && each['code'] === 'draining'),
    ).toHaveLength(4);
  });

  it('tells what the deadline ends on its own stream, and resets none', async () => {
    const { folder, gateway, recorder, session, away, over } = await stage('200ms');
    recorder.on('tools/call', ({ params }) =>
      (params as { name: string }).name === 'streamed'
        ? {
            kind: 'sse',
            chunks: [
              event({
                jsonrpc: '2.0',
                method: 'notifications/progress',
                params: { progressToken: 'p', progress: 1 },
              }),
            ],
            open: true,
          }
        : { kind: 'hang' },
    );
    const streamed = askModern(
      session,
      'tools/call',
      { name: 'streamed', arguments: {}, _meta: { progressToken: 'p' } },
      'streamed',
    );
    const plain = askModern(session, 'tools/call', { name: 'plain', arguments: {} }, 'plain');
    await expect.poll(() => streamed.text).toContain('"progress":1');
    await recorder.seen(({ body }) => body.includes('"plain"'));
    gateway.signal('SIGTERM');
    expect(await away).toBe(0);
    expect(await Promise.all([streamed.ended, plain.ended])).toEqual(['end', 'end']);
    for (const [stream, id, status] of [
      [streamed, 'streamed', 200],
      [plain, 'plain', 503],
    ] as const) {
      expect(stream.status).toBe(status);
      const last = stream.text.trimEnd().split('\n').at(-1)!.replace('data: ', '');
      expect(JSON.parse(last)).toMatchObject({ id, error: { code: 5030, data: { reason: 'draining' } } });
    }
    await over;
    expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
    const calls = folder.audit().filter(({ method }) => method === 'tools/call');
    expect(calls.map(({ code }) => code)).toEqual(['draining', 'draining']);
  });

  it('is not held up by a client that reads nothing: cut after the deadline', async () => {
    const { folder, gateway, recorder, session } = await stage('200ms');
    recorder.on('subscriptions/listen', ({ id }) => ({
      kind: 'sse',
      chunks: [
        acknowledged(id),
        ...Array.from({ length: 64 }, (_, index) =>
          event({
            jsonrpc: '2.0',
            method: 'notifications/message',
            params: { level: 'info', data: `${index}`.repeat(16_384) },
          }),
        ),
      ],
      open: true,
    }));
    const { headers, body } = modern('subscriptions/listen', { notifications: {} });
    const request = session.request({ ':method': 'POST', ':path': '/w/mcp', ...headers });
    request.on('error', () => undefined);
    request.end(JSON.stringify(body));
    await new Promise((resolve) => request.once('response', resolve));
    request.pause();
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
    expect(folder.audit().filter((each) => each['event'] === 'stream-ended')).toHaveLength(1);
  });
});
