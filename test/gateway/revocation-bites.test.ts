import { once } from 'node:events';
import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { audience, issuer, makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { type ClientTls, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post, type RawAnswer, type RawStream } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

const notice = event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
const begun = event({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: 'begun' },
});
const now = Math.floor(Date.now() / 1000);
const fresh = { iat: now - 60, exp: now + 600 };

type Headers = Readonly<Record<string, string>>;

/** How somebody comes: with which headers, and over which connection. */
interface Caller {
  readonly headers: Headers;
  readonly tls?: ClientTls;
}

/** What a caller has open when its credential is revoked. */
interface Opened {
  readonly stream: RawStream;
  readonly listening: RawStream;
  readonly call: RawStream;
  readonly silentCall: Promise<RawAnswer>;
  /** The upstream's side of each. */
  readonly abandoned: readonly Promise<boolean>[];
}

describe('revocation', () => {
  let recorder: Recorder;
  let keys: TestIssuer;
  const report = createApiKey('report');
  const spare = createApiKey('report');
  const bystander = createApiKey('bystander');
  const gates: TestGateway[] = [];

  beforeAll(async () => {
    recorder = await startRecorder();
    keys = await makeIssuer();
    recorder.on('GET', { kind: 'sse', chunks: [notice], open: true });
    recorder.on('subscriptions/listen', ({ id }) => ({
      kind: 'sse',
      chunks: [
        event({
          jsonrpc: '2.0',
          method: 'notifications/subscriptions/acknowledged',
          params: {
            _meta: { 'io.modelcontextprotocol/subscriptionId': id },
            notifications: { toolsListChanged: true },
          },
        }),
      ],
      open: true,
    }));
    recorder.on('tools/call', ({ params }) =>
      params?.['name'] === 'silent'
        ? { kind: 'hang' }
        : params?.['name'] === 'long'
          ? { kind: 'sse', chunks: [begun], open: true }
          : { kind: 'json', body: { jsonrpc: '2.0', id: 1, result: { content: [] } } },
    );
  });

  afterAll(async () => {
    for (const gate of gates) await gate.close();
    await recorder.close();
  });

  async function start(options: Partial<Parameters<typeof startTestGateway>[0]>): Promise<TestGateway> {
    const { config, ...rest } = options;
    const gate = await startTestGateway({
      upstreams: { w: recorder.url },
      ...rest,
      // What hangs on purpose need not be waited for.
      config: { drain: { deadline: '50ms' }, ...config },
    });
    gates.push(gate);
    return gate;
  }

  const deny = async (gate: TestGateway, list: object): Promise<void> => {
    gate.write('revoked.yaml', JSON.stringify(list));
    await gate.gateway.reload('files');
  };

  async function open(gate: TestGateway, { headers, tls }: Caller): Promise<Opened> {
    const before = recorder.requests.length;
    const over = tls === undefined ? {} : { tls };
    const url = gate.url('w');
    const stream = await openStream('GET', url, { headers, ...over });
    expect(await stream.next()).toBeDefined();
    const listen = modern('subscriptions/listen', { notifications: { toolsListChanged: true } });
    const listening = await openStream('POST', url, {
      headers: { ...listen.headers, ...headers },
      body: listen.body,
      ...over,
    });
    const call = await openStream('POST', url, {
      headers,
      body: legacy('tools/call', { name: 'long' }),
      ...over,
    });
    expect((await call.next())?.data).toContain('begun');
    const silentCall = post(url, legacy('tools/call', { name: 'silent' }), { headers, ...over });
    silentCall.catch(() => undefined);
    const opened = await Promise.all(
      ['GET', 'subscriptions/listen', '"long"', '"silent"'].map((what) =>
        recorder.seen(
          (request) =>
            recorder.requests.indexOf(request) >= before &&
            (request.verb === what || request.body.toString().includes(what)),
        ),
      ),
    );
    return { stream, listening, call, silentCall, abandoned: opened.map(({ abandoned }) => abandoned) };
  }

  const echo = (gate: TestGateway, { headers, tls }: Caller) => {
    const { headers: own, body } = modern('tools/call', { name: 'echo', arguments: {} });
    return post(gate.url('w'), body, {
      headers: { ...own, ...headers },
      ...(tls === undefined ? {} : { tls }),
    });
  };

  /** Everything of the revoked ends: told why where there is somebody to tell, and the upstream is let go. */
  async function expectEnded(opened: Opened): Promise<void> {
    expect(await opened.stream.rest()).toEqual([]);
    for (const waiting of [opened.listening, opened.call]) {
      const events = await waiting.rest();
      expect(JSON.parse(events.at(-1)!.data)).toMatchObject({
        error: { data: { reason: 'credential-invalid' } },
      });
    }
    const answer = await opened.silentCall;
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBeDefined();
    expect(await Promise.all(opened.abandoned)).toEqual([true, true, true, true]);
  }

  async function expectUntouched(gate: TestGateway, opened: Opened, caller: Caller): Promise<void> {
    const states = await Promise.all(
      opened.abandoned.map((over) =>
        Promise.race([over, new Promise((resolve) => setImmediate(resolve, 'open'))]),
      ),
    );
    expect(states).toEqual(['open', 'open', 'open', 'open']);
    expect((await echo(gate, caller)).status).toBe(200);
    opened.stream.abort();
    opened.listening.abort();
    opened.call.abort();
  }

  describe('of tokens and API keys', () => {
    let gate: TestGateway;
    const bearer = async (claims: object): Promise<Caller> => ({
      headers: { authorization: `Bearer ${await keys.sign({ ...fresh, ...claims })}` },
    });
    const key = (made: typeof report): Caller => ({ headers: { 'x-api-key': made.key } });

    beforeAll(async () => {
      gate = await start({
        door: 'plain',
        config: {
          insecure: {},
          identity: [{ token: { issuer, audience, keys: 'jwks.json' } }, { apiKeys: { file: 'keys.yaml' } }],
          revocations: { file: 'revoked.yaml' },
        },
        files: {
          'jwks.json': keys.jwks,
          'keys.yaml': JSON.stringify({ keys: [report.entry, spare.entry, bystander.entry] }),
          'revoked.yaml': '{}',
        },
      });
    });

    it.each<[string, () => Promise<Caller>, () => Promise<Caller>, object]>([
      [
        'a token id',
        () => bearer({ jti: 'one' }),
        () => bearer({ jti: 'two' }),
        { tokens: [{ issuer, id: 'one' }] },
      ],
      [
        'a subject',
        () => bearer({ sub: 'mallory' }),
        () => bearer({ sub: 'bob' }),
        { subjects: [{ issuer, subject: 'mallory' }] },
      ],
      [
        'the older tokens of a subject',
        () => bearer({ sub: 'carol', iat: now - 100 }),
        () => bearer({ sub: 'carol', iat: now - 10 }),
        { subjects: [{ issuer, subject: 'carol', issuedBefore: new Date((now - 50) * 1000).toISOString() }] },
      ],
      [
        'the prefix of an API key',
        async () => key(report),
        async () => key(spare),
        { apiKeys: [{ prefix: report.entry.prefix }] },
      ],
      [
        'the name of an API key',
        async () => key(report),
        async () => key(bystander),
        { apiKeys: [{ name: 'report' }] },
      ],
    ])(
      'by %s bites on the next request, on streams and on running calls, and on nobody else',
      async (_, who, other, list) => {
        await deny(gate, {});
        const revoked = await who();
        const others = await other();
        const opened = await open(gate, revoked);
        const kept = await open(gate, others);
        await deny(gate, list);
        await expectEnded(opened);
        await expectUntouched(gate, kept, others);
        const refused = await echo(gate, revoked);
        expect(refused.status).toBe(401);
        expect(refused.json()).toMatchObject({ error: { data: { reason: 'credential-invalid' } } });
        expect(
          gate.audit().filter(({ cause }) => cause === 'CredentialRefused(revoked)').length,
        ).toBeGreaterThan(4);
        // What is taken off the list again counts again.
        await deny(gate, {});
        expect((await echo(gate, revoked)).status).toBe(200);
      },
    );

    it('by a list that breaks leaves the last good one in force, and says so', async () => {
      await deny(gate, { apiKeys: [{ name: 'report' }] });
      gate.write('revoked.yaml', 'apiKeys: [{ nam: report }]');
      await gate.gateway.reload('files');
      expect((await echo(gate, key(report))).status).toBe(401);
      expect(await (await fetch(`${gate.gateway.adminUrl}/readyz`)).json()).toMatchObject({
        reload: 'failed',
        failed: ['revocations'],
      });
      expect(await gate.metrics()).toContain('sallyport_revocations_entries{kind="apiKeys"} 1');
      await deny(gate, {});
      expect((await echo(gate, key(report))).status).toBe(200);
    });

    it('of both kinds together ends what either opened, in a batch as well', async () => {
      await deny(gate, {});
      const caller = { headers: { ...(await bearer({ jti: 'three' })).headers, 'x-api-key': report.key } };
      const batch = [legacy('tools/call', { name: 'long' }, 1), legacy('tools/call', { name: 'silent' }, 2)];
      const stream = await openStream('POST', gate.url('w'), {
        headers: { 'mcp-protocol-version': '2025-03-26', ...caller.headers },
        body: batch,
      });
      expect((await stream.next())?.data).toContain('begun');
      await deny(gate, { apiKeys: [{ prefix: report.entry.prefix }] });
      const errors = (await stream.rest()).map(({ data }) => JSON.parse(data));
      expect(errors.map(({ id, error }) => [id, error.data.reason]).sort()).toEqual([
        [1, 'credential-invalid'],
        [2, 'credential-invalid'],
      ]);
    });

    it('ends the stream of a client that reads nothing of it', async () => {
      await deny(gate, {});
      // More than all the buffers on the way hold.
      const much = event({
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: { level: 'info', data: 'x'.repeat(60_000) },
      });
      recorder.on('GET', { kind: 'sse', chunks: Array.from({ length: 400 }, () => much), open: true });
      const before = recorder.requests.length;
      const { hostname, port, host } = new URL(gate.url('w'));
      const socket = connectTcp({ host: hostname, port: Number(port) });
      socket.on('error', () => undefined);
      socket.pause();
      const lines = [`host: ${host}`, `x-api-key: ${report.key}`, 'accept: text/event-stream'];
      socket.write(`GET /w/mcp HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      const request = await recorder.seen(
        (each) => recorder.requests.indexOf(each) >= before && each.verb === 'GET',
      );
      await expect.poll(() => gate.audit().at(-1)).toMatchObject({ event: 'stream-opened' });
      recorder.on('GET', { kind: 'sse', chunks: [notice], open: true });
      await deny(gate, { apiKeys: [{ prefix: report.entry.prefix }] });
      expect(await request.abandoned).toBe(true);
      await expect
        .poll(() => gate.audit().at(-1))
        .toMatchObject({ event: 'stream-ended', code: 'credential-invalid' });
      socket.destroy();
    });

    it('ends a stream that a session resumed, and leaves the session to other credentials of its principal', async () => {
      await deny(gate, {});
      const first = await post(gate.url('w'), initialize(), key(report));
      const session = { 'mcp-session-id': first.headers['mcp-session-id']! };
      const resumed = await openStream('GET', gate.url('w'), {
        headers: { ...key(report).headers, ...session },
      });
      expect(await resumed.next()).toBeDefined();
      await deny(gate, { apiKeys: [{ prefix: report.entry.prefix }] });
      expect(await resumed.rest()).toEqual([]);
      const list = (made: typeof report) =>
        post(gate.url('w'), legacy('tools/list'), { headers: { ...key(made).headers, ...session } });
      expect((await list(report)).status).toBe(401);
      expect((await list(spare)).status).toBe(200);
      expect((await list(bystander)).status).toBe(404);
    });
  });

  describe('of a key in the key file', () => {
    const file = (...entries: object[]) => JSON.stringify({ keys: entries });

    it('by taking it out ends what it has open; new roles end nothing; a nearer expiry ends streams then', async () => {
      const gate = await start({
        door: 'plain',
        config: { insecure: {}, identity: [{ apiKeys: { file: 'keys.yaml' } }] },
        files: { 'keys.yaml': file(report.entry, bystander.entry) },
      });
      const write = async (...entries: object[]) => {
        gate.write('keys.yaml', file(...entries));
        await gate.gateway.reload('files');
      };
      const caller = { headers: { 'x-api-key': report.key } };
      const other = { headers: { 'x-api-key': bystander.key } };
      const opened = await open(gate, caller);
      const kept = await open(gate, other);
      await write({ ...report.entry, roles: ['reporter'] }, bystander.entry);
      expect((await echo(gate, caller)).status).toBe(200);
      // Another key under the old prefix is another key.
      await write({ ...createApiKey('report').entry, prefix: report.entry.prefix }, bystander.entry);
      await expectEnded(opened);
      expect((await echo(gate, caller)).status).toBe(401);

      const stream = await openStream('GET', gate.url('w'), other);
      expect(await stream.next()).toBeDefined();
      await expectUntouched(gate, kept, other);
      await write({ ...bystander.entry, expiresAt: new Date(Date.now() + 300).toISOString() });
      expect(await stream.rest()).toEqual([]);
    });
  });

  describe('of certificates', () => {
    let gate: TestGateway;

    beforeAll(async () => {
      gate = await start({
        config: { revocations: { file: 'revoked.yaml' } },
        files: { 'revoked.yaml': '{}' },
      });
    });

    const names = ['fingerprint', 'serial', 'serial and root'];
    it.each(names.map((name, index) => [name, index] as const))(
      'by %s cuts their sockets, ends their calls, and leaves others alone',
      async (name, index) => {
        const who = `mallory-${index}`;
        const revoked = { headers: {}, tls: await gate.as(who) };
        const others = { headers: {}, tls: await gate.as('alice') };
        const opened = await open(gate, revoked);
        const kept = await open(gate, others);
        const { fingerprint256, serial } = await gate.certificateOf(who);
        const pairs = (hex: string) => hex.match(/../g)!.join(':').toUpperCase();
        await deny(gate, {
          certificates: [
            name === 'fingerprint'
              ? { fingerprint: pairs(fingerprint256) }
              : name === 'serial'
                ? { serial: `0x00${serial.toLowerCase()}` }
                : { serial: pairs(serial), ca: pairs(gate.ca.fingerprint256) },
          ],
        });
        for (const cut of [opened.stream, opened.listening, opened.call]) {
          // Some of it may have been told why before its socket went.
          await cut.rest().catch(() => undefined);
        }
        await expect(opened.silentCall).rejects.toThrow();
        expect(await Promise.all(opened.abandoned)).toEqual([true, true, true, true]);
        await expectUntouched(gate, kept, others);
        expect((await echo(gate, revoked)).status).toBe(401);
        // A refusal of the listener's own does not wait for its record.
        await expect
          .poll(() => gate.audit().at(-1))
          .toMatchObject({ event: 'refusal', cause: 'CredentialRefused(revoked)' });
        await deny(gate, {});
        expect((await echo(gate, revoked)).status).toBe(200);
      },
    );

    it('by a CRL ends their calls as well, those of the session era included', async () => {
      const door = await start({
        ca: gate.ca,
        files: { 'certs/ca.crl': await gate.ca.crl() },
        clients: { crl: 'certs/ca.crl' },
      });
      const others = { headers: {}, tls: await door.as('alice') };
      const opened = await open(door, { headers: {}, tls: await door.as('mallory') });
      const kept = await open(door, others);
      door.write('certs/ca.crl', await gate.ca.crl([(await door.certificateOf('mallory')).serial]));
      await door.gateway.reload('files');
      await expect(opened.silentCall).rejects.toThrow();
      expect(await Promise.all(opened.abandoned)).toEqual([true, true, true, true]);
      const ended = () => door.audit().filter(({ cause }) => cause === 'CredentialRefused(connection-cut)');
      await expect.poll(() => ended().length).toBe(4);
      await expectUntouched(door, kept, others);
    });

    it('bites where certificates are asked for by the listener alone, and name nobody', async () => {
      const door = await start({
        ca: gate.ca,
        config: { identity: [{ apiKeys: { file: 'keys.yaml' } }], revocations: { file: 'revoked.yaml' } },
        files: { 'revoked.yaml': '{}', 'keys.yaml': JSON.stringify({ keys: [report.entry] }) },
      });
      const headers = { 'x-api-key': report.key };
      const others = { headers, tls: await door.as('alice') };
      const revoked = { headers, tls: await door.as('mallory') };
      const opened = await open(door, revoked);
      const kept = await open(door, others);
      const { fingerprint256 } = await door.certificateOf('mallory');
      await deny(door, { certificates: [{ fingerprint: fingerprint256 }] });
      await expect(opened.silentCall).rejects.toThrow();
      expect(await Promise.all(opened.abandoned)).toEqual([true, true, true, true]);
      expect((await echo(door, revoked)).status).toBe(401);
      await expectUntouched(door, kept, others);
    });

    it('by the fingerprint of their root is of all that it vouches for', async () => {
      await deny(gate, { certificates: [{ fingerprint: gate.ca.fingerprint256 }] });
      for (const who of ['alice', 'bob']) {
        expect((await echo(gate, { headers: {}, tls: await gate.as(who) })).status).toBe(401);
      }
      await deny(gate, {});
    });

    it.each(['TLSv1.2', 'TLSv1.3'] as const)(
      'is not outrun by a session of %s, over HTTP/1.1 or HTTP/2',
      async (version) => {
        const door = await start({
          listener: {
            tls: {
              certificate: 'certs/server.crt',
              key: 'certs/server.key',
              clients: { ca: 'certs/ca.crt', mode: 'require' },
              minVersion: '1.2',
            },
          },
          config: { revocations: { file: 'revoked.yaml' } },
          files: { 'revoked.yaml': '{}' },
        });
        const { hostname, port } = new URL(door.url('w'));
        const { fingerprint256 } = await door.certificateOf('mallory');
        const certificate = await door.as('mallory');
        const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
        const before = recorder.requests.length;
        for (const protocol of ['http/1.1', 'h2']) {
          await deny(door, {});
          const options = {
            host: hostname,
            port: Number(port),
            ...certificate,
            minVersion: version,
            maxVersion: version,
            ALPNProtocols: [protocol],
          };
          const sessions: Buffer[] = [];
          const socket = connectTls(options);
          socket.on('session', (session: Buffer) => sessions.push(session));
          await once(socket, 'secureConnect');
          // With TLS 1.3 the client is through before the server is. What the server says shows that it knows the
          // connection: on HTTP/2 its settings, on HTTP/1.1 an answer.
          const greeted = once(socket, 'data');
          if (protocol === 'http/1.1')
            socket.write(`GET /nowhere HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
          await greeted;
          socket.resume();
          const closed = once(socket, 'close');
          const session = sessions.at(-1) ?? socket.getSession()!;
          // The connection itself, idle as it is, goes with the certificate.
          await deny(door, { certificates: [{ fingerprint: fingerprint256 }] });
          await closed;

          const again = connectTls({ ...options, session });
          await once(again, 'secureConnect');
          expect(again.isSessionReused()).toBe(false);
          const status =
            protocol === 'h2'
              ? await statusOverHttp2(again, headers, body)
              : await statusOverHttp1(again, door.url('w'), headers, body);
          expect(status).toBe(401);
          again.destroy();
        }
        expect(recorder.requests).toHaveLength(before);
      },
    );
  });
});

async function statusOverHttp2(
  socket: ReturnType<typeof connectTls>,
  headers: Headers,
  body: unknown,
): Promise<number> {
  const session = connectHttp2(`https://127.0.0.1:${socket.remotePort}`, { createConnection: () => socket });
  session.on('error', () => undefined);
  const stream: ClientHttp2Stream = session.request({ ':method': 'POST', ':path': '/w/mcp', ...headers });
  stream.on('error', () => undefined);
  stream.end(JSON.stringify(body));
  const [head] = (await once(stream, 'response')) as [{ ':status'?: number }];
  session.destroy();
  return head[':status'] ?? 0;
}

async function statusOverHttp1(
  socket: ReturnType<typeof connectTls>,
  url: string,
  headers: Headers,
  body: unknown,
): Promise<number> {
  const text = JSON.stringify(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [
    `POST /w/mcp HTTP/1.1`,
    `host: ${new URL(url).host}`,
    `content-length: ${text.length}`,
    ...lines,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
  const [data] = (await once(socket, 'data')) as [Buffer];
  return Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString())?.[1]);
}
