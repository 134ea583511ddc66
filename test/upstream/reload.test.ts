import { createServer } from 'node:https';
import { describe, expect, it, onTestFinished } from 'vitest';
import { authority, folder, httpsServer, loopback } from './certificates.ts';
import { asStream, failureOf, httpServer, listen, message, pong, upstreamAt } from './harness.ts';

describe('reloading', () => {
  it('sends the new credential and keeps the connection', async () => {
    const files = folder();
    const file = files.write('token', 'first-token\n');
    const seen: (string | undefined)[] = [];
    let connections = 0;
    const { url, server } = await httpServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
    });
    server.on('connection', () => connections++);
    const upstream = upstreamAt(url, { credential: { scheme: 'Bearer', file }, limits: { connections: 1 } });
    await upstream.send(message());
    expect(upstream.secrets()).toEqual(['Bearer first-token', 'first-token']);
    files.write('token', '  second-token\r\n\n');
    await upstream.send(message());
    await upstream.reload();
    await upstream.send(message());
    expect(seen).toEqual(['Bearer first-token', 'Bearer first-token', 'Bearer second-token']);
    expect(connections).toBe(1);
    // Calls that carry the old one may still be running.
    expect(upstream.secrets()).toEqual([
      'Bearer second-token',
      'second-token',
      'Bearer first-token',
      'first-token',
    ]);
    await upstream.reload();
    expect(upstream.secrets()).toContain('first-token');
  });

  for (const text of ['', '\n', 'two\nlines', 'a\0b', 'caf\u00e9', 'x'.repeat(20_000), 'a\rb']) {
    it(`refuses a credential file with ${JSON.stringify(text.slice(0, 20))} and keeps the last good one`, async () => {
      const files = folder();
      const file = files.write('token', 'good');
      const seen: unknown[] = [];
      const { url } = await httpServer((request, response) => {
        seen.push(request.headers['x-key']);
        response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
      });
      const upstream = upstreamAt(url, { credential: { header: 'x-key', file } });
      files.write('token', text);
      const failure = await upstream.reload().then(
        () => undefined,
        (error: Error) => error,
      );
      expect(failure?.message).toContain(file);
      expect(failure?.message).not.toContain(text.length > 3 ? text.slice(0, 20) : '\0');
      await upstream.send(message());
      expect(seen).toEqual(['good']);
      expect(() => upstreamAt(url, { credential: { header: 'x-key', file } })).toThrow(file);
    });
  }

  it('swaps the CA for new calls and leaves a running stream alone', async () => {
    const old = await authority('old');
    const fresh = await authority('fresh');
    const pair = await old.issue('server', loopback);
    const files = folder();
    const ca = files.write('ca.crt', old.certificate);
    let emit = (_: string) => {};
    const server = createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
      if (request.method === 'GET') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
        emit = (text) => response.end(`data: ${text}\n\n`);
      } else {
        response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
      }
    });
    server.on('tlsClientError', () => {});
    const port = await listen(server);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const upstream = upstreamAt(`https://127.0.0.1:${port}/mcp`, { ca });
    await upstream.send(message());
    const stream = asStream(await upstream.send(message({ verb: 'GET', body: undefined, longLived: true })));
    const events = stream.events[Symbol.asyncIterator]();
    expect((await events.next()).value.data.toString()).toBe('1');

    files.write('ca.crt', fresh.certificate);
    await upstream.reload();
    expect((await failureOf(upstream.send(message()))).code).toBe('upstream-unreachable');
    emit('2');
    expect((await events.next()).value.data.toString()).toBe('2');
    expect((await events.next()).done).toBe(true);

    files.write('ca.crt', 'nonsense');
    await expect(upstream.reload()).rejects.toThrow(`${ca}: no PEM certificate in it`);
    files.write('ca.crt', old.certificate);
    await upstream.reload();
    expect((await upstream.send(message())).kind).toBe('json');
  });

  it('presents the new client certificate', async () => {
    const ca = await authority('ca');
    const server = await ca.issue('server', loopback);
    const [one, two] = [await ca.issue('one', loopback), await ca.issue('two', loopback)];
    const { port, clients } = await httpsServer({
      cert: server.certificate,
      key: server.key,
      ca: ca.certificate,
      requestCert: true,
    });
    const files = folder();
    const upstream = upstreamAt(`https://127.0.0.1:${port}/mcp`, {
      ca: files.write('ca.crt', ca.certificate),
      clientCertificate: {
        certificate: files.write('tls.crt', one.certificate),
        key: files.write('tls.key', one.key),
      },
    });
    await upstream.send(message());
    files.write('tls.crt', two.certificate);
    files.write('tls.key', two.key);
    await upstream.reload();
    await upstream.send(message());
    expect(clients).toEqual(['one', 'two']);
  });
});
