import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { makeTestCa } from './certificates.ts';
import { startEverythingFixture } from './everything-fixture.ts';
import { expectNoConnections } from './leaks.ts';
import { initialize, legacy, modern } from './mcp-messages.ts';
import { openStream, post, send, sendBytes, sendHttp2 } from './raw-client.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { event, result } from './recorder-answers.ts';
import { SseEvents } from './sse-events.ts';

describe('the recorder', () => {
  let recorder: Recorder;
  afterEach(() => recorder.close());

  it('keeps bytes and headers as they came', async () => {
    recorder = await startRecorder();
    const body = ' {"jsonrpc":"2.0", "id":1,"method":"ping"} ';
    await post(recorder.url, body, { headers: ['X-Twice', 'a', 'X-Twice', 'b'] });
    const [request] = recorder.requests;
    expect(request?.body.toString()).toBe(body);
    expect(request?.rawHeaders.filter((text) => text === 'X-Twice')).toHaveLength(2);
  });

  it('answers plain MCP of both eras', async () => {
    recorder = await startRecorder();
    const opened = await post(recorder.url, initialize());
    expect(opened.headers['mcp-session-id']).toBe('recorder-session');
    expect(opened.json()).toMatchObject({ id: 0, result: { protocolVersion: '2025-11-25' } });
    const { headers, body } = modern('tools/list');
    expect((await post(recorder.url, body, { headers })).json()).toMatchObject({
      result: { resultType: 'complete', ttlMs: 0, tools: [{ name: 'echo' }] },
    });
    const unknown = modern('no/such');
    expect((await post(recorder.url, unknown.body, { headers: unknown.headers })).status).toBe(404);
    expect((await post(recorder.url, legacy('no/such'))).status).toBe(200);
  });

  it('streams scripted bytes and tells that a client left', async () => {
    recorder = await startRecorder();
    recorder.on('tools/call', ({ id }) => ({
      kind: 'sse',
      chunks: [event({ jsonrpc: '2.0', method: 'notifications/progress' }), event(result(id, {}), '7')],
      open: true,
    }));
    const stream = await openStream('POST', recorder.url, { body: legacy('tools/call') });
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({ method: 'notifications/progress' });
    expect(await stream.next()).toMatchObject({ id: '7', data: '{"jsonrpc":"2.0","id":1,"result":{}}' });
    stream.abort();
    expect(await recorder.requests[0]?.abandoned).toBe(true);
    await expectNoConnections([recorder]);
  });

  it('answers held requests in another order', async () => {
    recorder = await startRecorder();
    recorder.shuffle([2, 0, 1]);
    const order: number[] = [];
    for (const [index, method] of ['ping', 'tools/list', 'prompts/list'].entries()) {
      void post(recorder.url, legacy(method, {}, index)).then(() => order.push(index));
      await recorder.seen((request) => request.messages[0]?.method === method);
    }
    await expectNoConnections([recorder]);
    await expect.poll(() => order).toEqual([2, 0, 1]);
  });
});

describe('the raw client', () => {
  it('sends bytes that are no HTTP', async () => {
    const recorder = await startRecorder();
    const { text, closed } = await sendBytes(recorder.url, ['NONSENSE\r\n\r\n']);
    expect({ status: text.split('\r\n')[0], closed }).toEqual({
      status: 'HTTP/1.1 400 Bad Request',
      closed: true,
    });
    expect(recorder.requests).toHaveLength(0);
    await recorder.close();
  });
});

describe('the raw client over TLS', () => {
  it('shows its certificate over HTTP/1.1, HTTP/2 and a bare socket', async () => {
    const ca = await makeTestCa();
    const own = await ca.issue({ san: ['127.0.0.1'], eku: ['serverAuth'] });
    const client = await ca.issue({ cn: 'tester' });
    const server = createSecureServer(
      { cert: own.certPem, key: own.keyPem, ca: ca.caPem, requestCert: true, allowHTTP1: true },
      (request, response) => {
        const socket = (
          request.httpVersion === '2.0' ? request.stream.session?.socket : request.socket
        ) as TLSSocket;
        response.end(`${request.httpVersion} ${socket.getPeerCertificate().subject?.CN}`);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
    const tls = { ca: ca.caPem, cert: client.certPem, key: client.keyPem };
    expect((await send('GET', url, { tls })).body.toString()).toBe('1.1 tester');
    expect(await sendHttp2('POST', url, { tls, body: {} })).toMatchObject({ status: 200 });
    expect((await sendHttp2('GET', url, { tls })).body.toString()).toBe('2.0 tester');
    const bytes = 'GET /mcp HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect((await sendBytes(url, [bytes], { tls })).text).toContain('1.1 tester');
    await expectNoConnections([server]);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('the second reader of event streams', () => {
  it('gives the same events however the bytes are cut', () => {
    const bytes = Buffer.from(
      ': hello\n\nid: 1\ndata: ä\r\ndata: b\r\n\r\nretry: 5\rdata:\r\revent: x\ndata: c\n\n',
    );
    const whole = new SseEvents().push(bytes);
    expect(whole).toEqual([
      { event: 'message', data: 'ä\nb', id: '1', retry: undefined },
      { event: 'message', data: '', id: undefined, retry: 5 },
      { event: 'x', data: 'c', id: undefined, retry: undefined },
    ]);
    for (let cut = 1; cut < bytes.length; cut++) {
      const reader = new SseEvents();
      expect([...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))]).toEqual(whole);
    }
  });
});

describe('the conformance fixture', () => {
  it('serves both eras, refuses foreign hosts, and leaves nothing open', async () => {
    const fixture = await startEverythingFixture();
    const opened = await post(fixture.url, initialize());
    expect(opened.headers['mcp-session-id']).toMatch(/^[\w-]{36}$/);
    const { headers, body } = modern('tools/call', { name: 'test_simple_text' });
    expect((await post(fixture.url, body, { headers })).json()).toMatchObject({
      result: { content: [{ type: 'text', text: 'This is a simple text response for testing.' }] },
    });
    expect((await send('GET', fixture.url, { headers: { host: 'evil.example' } })).status).toBe(403);
    await fixture.close();
    await expect(post(fixture.url, initialize())).rejects.toThrow('ECONNREFUSED');
  });
});
