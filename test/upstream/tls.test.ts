import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, authority, folder, httpsServer, loopback, type Pair } from './certificates.ts';
import { failureOf, message, rawServer, upstreamAt } from './harness.ts';

let ours: Authority;
let others: Authority;
let server: Pair;

beforeAll(async () => {
  ours = await authority('ours');
  others = await authority('others');
  server = await ours.issue('server', loopback);
});

afterEach(() => {
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
});

describe('TLS towards the upstream', () => {
  it('accepts a certificate of the given CA', async () => {
    const { port } = await httpsServer({ cert: server.certificate, key: server.key });
    const ca = folder().write('ca.crt', ours.certificate);
    expect((await upstreamAt(`https://127.0.0.1:${port}/mcp`, { ca }).send(message())).kind).toBe('json');
  });

  it('accepts one of several CA files', async () => {
    const { port } = await httpsServer({ cert: server.certificate, key: server.key });
    const files = folder();
    const ca = [files.write('a.crt', others.certificate), files.write('b.crt', ours.certificate)];
    expect((await upstreamAt(`https://127.0.0.1:${port}/mcp`, { ca }).send(message())).kind).toBe('json');
  });

  const disguises: readonly [string, () => Promise<Pair>, () => string | undefined, object][] = [
    ['a certificate of another CA', async () => server, () => others.certificate, {}],
    ['a private CA where none is given', async () => server, () => undefined, {}],
    ['a self-signed certificate', async () => others, () => ours.certificate, {}],
    [
      'another address than in the URL',
      () => ours.issue('server', ['127.0.0.2']),
      () => ours.certificate,
      {},
    ],
    [
      'a common name in place of an alternative name',
      () => ours.issue('127.0.0.1', ['elsewhere']),
      () => ours.certificate,
      {},
    ],
    [
      'another name than serverName',
      async () => server,
      () => ours.certificate,
      { serverName: 'other.internal' },
    ],
    [
      'TLS 1.1',
      async () => server,
      () => ours.certificate,
      { tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } },
    ],
  ];
  for (const [name, pair, ca, extra] of disguises) {
    for (const environment of [undefined, '0']) {
      it(`should NOT trust ${name} (NODE_TLS_REJECT_UNAUTHORIZED=${environment})`, async () => {
        const { certificate, key } = await pair();
        const { tls, ...options } = extra as { tls?: object };
        const { port, clients } = await httpsServer({ cert: certificate, key, ...tls });
        const text = ca();
        if (environment !== undefined) {
          process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = environment;
        }
        const trust = text === undefined ? {} : { ca: folder().write('ca.crt', text) };
        const upstream = upstreamAt(`https://127.0.0.1:${port}/mcp`, { ...trust, ...options });
        const failure = await failureOf(upstream.send(message()));
        expect([failure.code, failure.message]).toEqual([
          'upstream-unreachable',
          'The server behind the gateway cannot be reached',
        ]);
        expect(failure.cause).toBeInstanceOf(Error);
        expect(clients).toEqual([]);
      });
    }
  }

  it('checks serverName in place of the address', async () => {
    const named = await ours.issue('server', ['mcp.internal']);
    const { port } = await httpsServer({ cert: named.certificate, key: named.key });
    const ca = folder().write('ca.crt', ours.certificate);
    const upstream = upstreamAt(`https://127.0.0.1:${port}/mcp`, { ca, serverName: 'mcp.internal' });
    expect((await upstream.send(message())).kind).toBe('json');
  });

  it('presents the client certificate, and is refused without it', async () => {
    const files = folder();
    const ca = files.write('ca.crt', ours.certificate);
    const gateway = await ours.issue('gateway', ['gateway']);
    const { port, clients } = await httpsServer({
      cert: server.certificate,
      key: server.key,
      ca: ours.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const url = `https://127.0.0.1:${port}/mcp`;
    const clientCertificate = {
      certificate: files.write('tls.crt', gateway.certificate),
      key: files.write('tls.key', gateway.key),
    };
    expect((await upstreamAt(url, { ca, clientCertificate }).send(message())).kind).toBe('json');
    expect(clients).toEqual(['gateway']);
    const failure = await failureOf(upstreamAt(url, { ca }).send(message()));
    expect(['upstream-unreachable', 'upstream-closed']).toContain(failure.code);
    expect(clients).toEqual(['gateway']);
  });

  it('a plain server behind an https URL is upstream-unreachable', async () => {
    const { url } = await rawServer((socket) => {
      socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    const failure = await failureOf(upstreamAt(url.replace('http:', 'https:')).send(message()));
    expect(failure.code).toBe('upstream-unreachable');
  });

  it('a server that never finishes the handshake is upstream-timeout', async () => {
    const { url } = await rawServer((socket) => socket.resume());
    const upstream = upstreamAt(url.replace('http:', 'https:'), { timeouts: { connect: '80ms' } });
    const failure = await failureOf(upstream.send(message()));
    expect([failure.code, (failure.cause as NodeJS.ErrnoException).code]).toEqual([
      'upstream-timeout',
      'UND_ERR_CONNECT_TIMEOUT',
    ]);
  });

  it('files that are not usable stop the start, and are named', () => {
    const files = folder();
    const url = 'https://127.0.0.1:1/mcp';
    const good = files.write('good.crt', ours.certificate);
    const missing = files.path('missing.crt');
    expect(() => upstreamAt(url, { ca: missing })).toThrow(`${missing}: cannot be opened (ENOENT)`);
    const empty = files.write('empty.crt', '');
    expect(() => upstreamAt(url, { ca: empty })).toThrow(`${empty}: no PEM certificate in it`);
    const clientCertificate = { certificate: good, key: files.write('other.key', others.key) };
    expect(() => upstreamAt(url, { clientCertificate })).toThrow(
      `${clientCertificate.key}: not usable for TLS`,
    );
  });
});
