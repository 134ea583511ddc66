import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { listenerOptions } from '../../src/listener/options.ts';
import { type IssuedCertificate, makeTestCa, type TestCa } from '../support/certificates.ts';
import { openStream, post, sendHttp2 } from '../support/raw-client.ts';
import { afterThisTest, answerOk, ping, rawPost, startListener, testFolder, until } from './support.ts';

type Options = z.input<typeof listenerOptions>;
type Clients = NonNullable<NonNullable<Options['tls']>['clients']>;

let ca: TestCa;
let otherCa: TestCa;
let server: IssuedCertificate;
let client: IssuedCertificate;

beforeAll(async () => {
  ca = await makeTestCa({ name: 'client CA' });
  otherCa = await makeTestCa({ name: 'other CA' });
  server = await ca.issue({ san: ['localhost', '127.0.0.1'], eku: ['serverAuth'] });
  client = await ca.issue({ uris: ['spiffe://acme.example/a'] });
});

const mcpHeaders = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

async function startTls(
  options: {
    minVersion?: '1.2' | '1.3';
    mode?: Clients['mode'];
    crl?: readonly string[];
    ca?: readonly string[];
  } = {},
  handle = answerOk,
) {
  const folder = await testFolder({ 'tls.crt': server.certPem, 'tls.key': server.keyPem });
  const file = (name: string) => `${folder}/${name}`;
  await writeFile(file('ca.crt'), (options.ca ?? [ca.caPem]).join('\n'));
  if (options.crl !== undefined) await writeFile(file('ca.crl'), options.crl.join('\n'));
  const listener = await startListener(
    {
      tls: {
        certificate: file('tls.crt'),
        key: file('tls.key'),
        ...(options.minVersion && { minVersion: options.minVersion }),
        ...(options.mode && {
          clients: { ca: file('ca.crt'), mode: options.mode, ...(options.crl && { crl: file('ca.crl') }) },
        }),
      },
    },
    handle,
  );
  return { listener, file };
}

function asClient(
  certificate: IssuedCertificate | undefined,
  more: ConnectionOptions = {},
): ConnectionOptions {
  return {
    ca: ca.caPem,
    ...(certificate && { cert: certificate.certPem, key: certificate.keyPem }),
    ...more,
  };
}

/** Status of a ping, or `closed` where there was no answer at all. */
async function ask(url: string, tls: ConnectionOptions): Promise<number | 'closed'> {
  try {
    return (await post(url, ping, { tls })).status;
  } catch {
    return 'closed';
  }
}

async function dial(port: number, tls: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ...tls });
  socket.on('error', () => {});
  afterThisTest(async () => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

describe('protocol versions', () => {
  it('are 1.3 only by default', async () => {
    const { listener } = await startTls();
    expect(await ask(listener.mcp, asClient(undefined))).toBe(200);
    expect(listener.arrivals[0]!.peer).toMatchObject({
      address: '127.0.0.1',
      tls: { version: 'TLSv1.3', certificate: undefined },
    });
    expect(await ask(listener.mcp, asClient(undefined, { maxVersion: 'TLSv1.2' }))).toBe('closed');
    expect(listener.refusals).toMatchObject([{ code: 'tls-handshake', status: 0, verb: '-' }]);
  });

  it('go down to 1.2 where configured, with forward secrecy and AEAD only', async () => {
    const { listener } = await startTls({ minVersion: '1.2' });
    const old = { maxVersion: 'TLSv1.2' } as const;
    expect(await ask(listener.mcp, asClient(undefined, old))).toBe(200);
    expect(listener.arrivals[0]!.peer.tls?.version).toBe('TLSv1.2');
    for (const ciphers of [
      'ECDHE-ECDSA-AES128-SHA256',
      'ECDHE-ECDSA-AES256-SHA',
      'AES128-GCM-SHA256',
      'DHE-RSA-AES128-GCM-SHA256',
    ]) {
      expect([ciphers, await ask(listener.mcp, asClient(undefined, { ...old, ciphers }))]).toEqual([
        ciphers,
        'closed',
      ]);
    }
    for (const ciphers of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305']) {
      expect(await ask(listener.mcp, asClient(undefined, { ...old, ciphers }))).toBe(200);
    }
    expect(await ask(listener.mcp, asClient(undefined, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }))).toBe(
      'closed',
    );
  });

  it('offer h2 and http/1.1, and nothing to who wants something else', async () => {
    const { listener } = await startTls();
    for (const [offered, chosen] of [
      [['h2', 'http/1.1'], 'h2'],
      [['http/1.1', 'h2'], 'h2'],
      [['http/1.1'], 'http/1.1'],
    ] as const) {
      const socket = await dial(listener.address.port, asClient(undefined, { ALPNProtocols: [...offered] }));
      expect(socket.alpnProtocol).toBe(chosen);
    }
    await expect(
      dial(listener.address.port, asClient(undefined, { ALPNProtocols: ['smtp'] })),
    ).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' });
  });

  it('are recorded where plain text comes instead, but a port check leaves nothing', async () => {
    const { listener } = await startTls();
    expect(await ask(listener.mcp.replace('https:', 'http:'), {})).toBe('closed');
    await until(() => listener.refusals.length === 1, 'the record');
    expect(listener.refusals).toMatchObject([{ code: 'tls-handshake', peer: { address: '127.0.0.1' } }]);
  });
});

describe('client certificates', () => {
  const wrong: readonly (readonly [name: string, make: () => Promise<IssuedCertificate>])[] = [
    ['of another CA', () => otherCa.issue({ uris: ['spiffe://acme.example/a'] })],
    [
      'that have expired',
      () =>
        ca.issue({ notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) }),
    ],
    ['that are not valid yet', () => ca.issue({ notBefore: new Date(Date.now() + 3_600_000) })],
    ['made for servers', () => ca.issue({ eku: ['serverAuth'] })],
  ];

  it('are proven to the handler, on both HTTP versions', async () => {
    const { listener } = await startTls({ mode: 'require' });
    expect(await ask(listener.mcp, asClient(client))).toBe(200);
    const answer = await sendHttp2('POST', listener.mcp, {
      tls: asClient(client),
      headers: mcpHeaders,
      body: ping,
    });
    expect(answer.status).toBe(200);
    for (const { peer } of listener.arrivals) {
      expect(peer.tls?.certificate).toEqual({
        raw: client.raw,
        fingerprint256: client.fingerprint256,
        anchorFingerprint256: ca.fingerprint256,
      });
    }
    expect(listener.arrivals).toHaveLength(2);
  });

  it('are required: without one, or with a wrong one, there is no handshake', async () => {
    const { listener } = await startTls({ mode: 'require' });
    expect(await ask(listener.mcp, asClient(undefined))).toBe('closed');
    expect(listener.refusals).toMatchObject([{ code: 'credential-missing', status: 0 }]);
    for (const [name, make] of wrong) {
      listener.refusals.length = 0;
      expect([name, await ask(listener.mcp, asClient(await make()))]).toEqual([name, 'closed']);
      await until(() => listener.refusals.length > 0, `the record of ${name}`);
      expect(listener.refusals).toMatchObject([
        { code: 'credential-invalid', status: 0, peer: { address: '127.0.0.1' } },
      ]);
      expect(listener.refusals[0]!.peer.port).toBeGreaterThan(0);
    }
    expect(listener.arrivals).toHaveLength(0);
  });

  it('are requested: one may come without, but a wrong one is refused and never taken for none', async () => {
    const { listener } = await startTls({ mode: 'request' });
    expect(await ask(listener.mcp, asClient(undefined))).toBe(200);
    expect(await ask(listener.mcp, asClient(client))).toBe(200);
    expect(listener.arrivals.map(({ peer }) => peer.tls?.certificate?.fingerprint256)).toEqual([
      undefined,
      client.fingerprint256,
    ]);
    for (const [name, make] of wrong) {
      listener.refusals.length = 0;
      const tls = asClient(await make());
      expect([name, await ask(listener.mcp, tls)]).toEqual([name, 401]);
      const overHttp2 = await sendHttp2('POST', listener.mcp, { tls, headers: mcpHeaders, body: ping });
      expect(overHttp2.status).toBe(401);
      expect(listener.refusals).toMatchObject([
        { code: 'credential-invalid', status: 401 },
        { code: 'credential-invalid', status: 401 },
      ]);
    }
    expect(listener.arrivals).toHaveLength(2);
  });

  it('are not asked for by default', async () => {
    const { listener } = await startTls({ mode: 'none' });
    expect(await ask(listener.mcp, asClient(client))).toBe(200);
    expect(listener.arrivals[0]!.peer.tls?.certificate).toBeUndefined();
  });

  it('are never read from headers', async () => {
    const { listener } = await startTls({ mode: 'request' });
    await post(listener.mcp, ping, {
      tls: asClient(undefined),
      headers: {
        'x-forwarded-for': '198.51.100.7',
        forwarded: 'for=198.51.100.7',
        'x-forwarded-client-cert': 'URI=spiffe://acme.example/a',
        'client-cert': ':AAAA:',
        'x-ssl-client-verify': 'SUCCESS',
      },
    });
    expect(listener.arrivals[0]!.peer).toMatchObject({
      address: '127.0.0.1',
      tls: { certificate: undefined },
    });
  });
});

describe('revocation', () => {
  it('refuses revoked clients, and lists of several CAs may share a file', async () => {
    const revoked = await ca.issue();
    const otherClient = await otherCa.issue();
    const otherRevoked = await otherCa.issue();
    const { listener } = await startTls({
      mode: 'require',
      ca: [ca.caPem, otherCa.caPem],
      crl: [await ca.crl([revoked.serial]), await otherCa.crl([otherRevoked.serial])],
    });
    expect(await ask(listener.mcp, asClient(client))).toBe(200);
    expect(await ask(listener.mcp, asClient(otherClient))).toBe(200);
    expect(await ask(listener.mcp, asClient(revoked))).toBe('closed');
    expect(await ask(listener.mcp, asClient(otherRevoked))).toBe('closed');
    expect(listener.arrivals[1]!.peer.tls?.certificate?.anchorFingerprint256).toBe(otherCa.fingerprint256);
    expect(listener.refusals).toMatchObject([
      { code: 'credential-invalid', cause: { code: 'CERT_REVOKED' } },
      { code: 'credential-invalid', cause: { code: 'CERT_REVOKED' } },
    ]);
  });

  it('that arrives by reload ends open connections of the revoked client, and no others', async () => {
    const victim = await ca.issue();
    const gone: (string | undefined)[] = [];
    const { listener, file } = await startTls(
      { mode: 'require', crl: [await ca.crl()] },
      (arrival, reply) => {
        reply.stream({}, true);
        return new Promise((resolve) => {
          reply.onClientGone(() => {
            gone.push(arrival.peer.tls?.certificate?.fingerprint256);
            resolve();
          });
        });
      },
    );
    const kept = await openStream('GET', listener.mcp, { tls: asClient(client) });
    const cut = await openStream('GET', listener.mcp, { tls: asClient(victim) });
    await writeFile(file('ca.crl'), await ca.crl([victim.serial]));
    await listener.reloadTls();
    await expect(cut.rest()).rejects.toThrow();
    expect(gone).toEqual([victim.fingerprint256]);
    expect(await ask(listener.mcp, asClient(victim))).toBe('closed');
    listener.endStreams();
    expect(await kept.rest()).toEqual([]);
  });

  it.each(['TLSv1.3', 'TLSv1.2'] as const)(
    'cannot be outrun by resuming a session of %s',
    async (version) => {
      const victim = await ca.issue();
      const { listener, file } = await startTls({
        mode: 'require',
        minVersion: '1.2',
        crl: [await ca.crl()],
      });
      const tls = asClient(victim, { minVersion: version, maxVersion: version });
      const sessions: Buffer[] = [];
      const first = connect({ host: '127.0.0.1', port: listener.address.port, ...tls });
      afterThisTest(async () => first.destroy());
      first.on('session', (session) => sessions.push(session));
      await once(first, 'secureConnect');
      first.write(`${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`);
      await once(first, 'data');
      const session = sessions.at(-1) ?? first.getSession();
      expect(session).toBeInstanceOf(Buffer);

      // Not even before: nothing is ever resumed.
      const again = await dial(listener.address.port, { ...tls, session: session! });
      expect(again.isSessionReused()).toBe(false);

      await writeFile(file('ca.crl'), await ca.crl([victim.serial]));
      await listener.reloadTls();
      expect(await ask(listener.mcp, { ...tls, session: session! } as ConnectionOptions)).toBe('closed');
      expect(listener.arrivals).toHaveLength(1);
    },
  );
});

describe('reload', () => {
  it('serves a new certificate to new connections and keeps the open ones', async () => {
    const { listener, file } = await startTls();
    const open = await dial(listener.address.port, asClient(undefined));
    const next = await ca.issue({ san: ['127.0.0.1'], eku: ['serverAuth'] });
    await writeFile(file('tls.crt'), next.certPem);
    await writeFile(file('tls.key'), next.keyPem);
    await listener.reloadTls();
    open.write(`${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`);
    const [data] = (await once(open, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(open.getPeerX509Certificate()?.raw).toEqual(server.raw);
    const fresh = await dial(listener.address.port, asClient(undefined));
    expect(fresh.getPeerX509Certificate()?.raw).toEqual(next.raw);
  });

  it('of broken files says which, and the last good ones stay', async () => {
    const { listener, file } = await startTls({ mode: 'require', crl: [await ca.crl()] });
    const other = await ca.issue({ san: ['127.0.0.1'], eku: ['serverAuth'] });
    const foreignCrl = await otherCa.crl();
    const good = {
      'tls.crt': server.certPem,
      'tls.key': server.keyPem,
      'ca.crt': ca.caPem,
      'ca.crl': await ca.crl(),
    };
    const broken: readonly (readonly [name: keyof typeof good, text: string, message: RegExp])[] = [
      ['tls.crt', '', /tls\.crt: no PEM certificate in it/],
      ['tls.crt', server.certPem.replace('MII', 'MIX'), /tls\.crt: a certificate in it is broken/],
      ['tls.crt', other.certPem, /tls\.key: does not belong to the certificate in .*tls\.crt/],
      ['tls.key', 'x', /tls\.key: not a private key/],
      ['ca.crt', '# nothing', /ca\.crt: no PEM certificate in it/],
      ['ca.crt', client.certPem, /ca\.crt: no self-signed CA certificate/],
      ['ca.crl', '', /ca\.crl: no PEM CRL/],
      ['ca.crl', good['ca.crl'].replaceAll('X509 CRL', 'CRL'), /ca\.crl: no PEM CRL/],
      [
        'ca.crl',
        good['ca.crl'].replace('MII', 'MIX').replace('MIH', 'MIX'),
        /ca\.crl: a CRL in it is broken/,
      ],
      ['ca.crl', foreignCrl, /ca\.crl: no CRL of CN=client CA/],
    ];
    for (const [name, text, message] of broken) {
      await writeFile(file(name), text);
      await expect(listener.reloadTls()).rejects.toThrow(message);
      await writeFile(file(name), good[name]);
      expect(await ask(listener.mcp, asClient(client))).toBe(200);
      expect(await ask(listener.mcp, asClient(undefined))).toBe('closed');
    }
    await listener.reloadTls();
    expect(await ask(listener.mcp, asClient(client))).toBe(200);
  });

  it('that takes a CA away ends the connections that rest on it', async () => {
    const foreign = await otherCa.issue();
    const { listener, file } = await startTls(
      { mode: 'require', ca: [ca.caPem, otherCa.caPem] },
      (_arrival, reply) => {
        reply.stream({}, true);
        return new Promise((resolve) => reply.onClientGone(resolve));
      },
    );
    const kept = await openStream('GET', listener.mcp, { tls: asClient(client) });
    const cut = await openStream('GET', listener.mcp, { tls: asClient(foreign) });
    await writeFile(file('ca.crt'), ca.caPem);
    await listener.reloadTls();
    await expect(cut.rest()).rejects.toThrow();
    listener.endStreams();
    expect(await kept.rest()).toEqual([]);
  });
});

it('bounds the handshake', async () => {
  const folder = await testFolder({ 'tls.crt': server.certPem, 'tls.key': server.keyPem });
  const listener = await startListener({
    tls: { certificate: `${folder}/tls.crt`, key: `${folder}/tls.key` },
    limits: { headersTimeout: '150ms' },
  });
  const { connect: connectTcp } = await import('node:net');
  const socket = connectTcp(listener.address.port, '127.0.0.1');
  afterThisTest(async () => socket.destroy());
  socket.on('error', () => {});
  socket.write('\x16\x03\x01');
  socket.resume();
  await once(socket, 'close');
  expect(listener.refusals).toMatchObject([{ code: 'tls-handshake', status: 0 }]);
});

it('keeps h1 limits on TLS connections', async () => {
  const folder = await testFolder({ 'tls.crt': server.certPem, 'tls.key': server.keyPem });
  const listener = await startListener({
    tls: { certificate: `${folder}/tls.crt`, key: `${folder}/tls.key` },
    limits: { headerBytes: 2048, headersTimeout: '1s', bodyBytes: 100 },
  });
  const tls = asClient(undefined);
  const status = (headers: Record<string, string>, body: string) =>
    new Promise((resolve, reject) => {
      const sent = httpsRequest(
        listener.mcp,
        { method: 'POST', agent: false, headers: { ...mcpHeaders, ...headers }, ...tls },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
  expect(await status({ 'x-a': 'a'.repeat(4000) }, ping)).toBe(431);
  expect(await status({}, `"${'a'.repeat(200)}"`)).toBe(413);
  const slow = await dial(listener.address.port, tls);
  slow.write('POST /w/mcp HTTP/1.1\r\nHost: 1');
  const [data] = (await once(slow, 'data')) as [Buffer];
  expect(data.toString()).toMatch(/^HTTP\/1\.1 408 /);
});
