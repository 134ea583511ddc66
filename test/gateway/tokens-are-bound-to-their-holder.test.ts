import { Client, DpopSession, StreamableHTTPClientTransport, withDpop } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Holder, makeHolder } from '../identity/holder.ts';
import { makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { fetchWith } from '../support/clients.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { openStream, post, type RawAnswer, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const issuer = 'https://idp.example';
const careful = 'https://careful.example';
const resource = 'https://mcp.example/recorder/mcp';

const policy = `
version: 1
roles:
  everything:
    allow:
      - tools: ["*"]
bindings:
  - roles: [everything]
    to: [{ token: { issuer: "${issuer}" } }, { token: { issuer: "${careful}" } }]
`;

let keys: TestIssuer;
let recorder: Recorder;
let gate: TestGateway;
const now = Math.floor(Date.now() / 1000);
const fresh = { iss: issuer, aud: resource, iat: now - 5, exp: now + 300 };

beforeAll(async () => {
  [keys, recorder] = await Promise.all([makeIssuer(), startRecorder()]);
  const entry = (name: string, dpop: object) => ({ token: { issuer: name, keys: 'jwks.json', dpop } });
  const upstream = (name: string, authorization: object) => ({
    name,
    path: `/${name}/mcp`,
    authorization,
    http: { url: recorder.url },
  });
  gate = await startTestGateway({
    upstreams: {},
    policy,
    clients: { mode: 'request' },
    files: { 'jwks.json': keys.jwks },
    config: {
      identity: [entry(issuer, {}), entry(careful, { nonce: 'required' })],
      upstreams: [
        upstream('recorder', { resource }),
        upstream('other', { resource: 'https://mcp.example/other/mcp', audiences: [resource] }),
      ],
    },
  });
});

afterAll(async () => {
  await gate.close();
  await recorder.close();
});

const { headers: envelope, body } = modern('tools/call', { name: 'query', arguments: {} });

const reasons = () => gate.audit().map(({ cause }) => cause);

function expectRefused(answer: RawAnswer, reason: string): void {
  expect(answer.status).toBe(401);
  expect(answer.json()).toMatchObject({ error: { code: 4010 } });
  expect(JSON.stringify(reasons().at(-1))).toContain(reason);
}

describe('a token bound to a TLS client certificate (RFC 8705)', () => {
  const tokenOf = async (name: string) => {
    const { fingerprint256 } = await gate.certificateOf(name);
    const thumbprint = Buffer.from(fingerprint256, 'hex').toString('base64url');
    return keys.sign({ ...fresh, sub: name, cnf: { 'x5t#S256': thumbprint } });
  };
  const call = async (token: string, name?: string) =>
    post(gate.url('recorder'), body, {
      headers: { ...envelope, authorization: `Bearer ${token}` },
      tls: await gate.as(name),
    });

  it('is good on any socket of that certificate and on no other, remembered or not', async () => {
    const token = await tokenOf('alice');
    const seen = recorder.requests.length;
    for (let round = 0; round < 3; round++) {
      expectRefused(await call(token, 'mallory'), 'token-binding');
      expectRefused(await call(token), 'token-binding');
      expect((await call(token, 'alice')).json()).toHaveProperty('result');
    }
    expect(recorder.requests).toHaveLength(seen + 3);
  });

  it('is asked at each request of one socket', async () => {
    const [alice, mallory] = [await tokenOf('alice'), await tokenOf('mallory')];
    const socket = fetchWith(await gate.as('alice'));
    for (const [token, status] of [
      [alice, 200],
      [mallory, 401],
      [alice, 200],
      [mallory, 401],
    ] as const) {
      const answer = await socket.fetch(gate.url('recorder'), {
        method: 'POST',
        headers: { ...envelope, authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      });
      await answer.text();
      expect(answer.status).toBe(status);
    }
    await socket.close();
  });
});

describe('a token bound to a key (RFC 9449)', () => {
  let holder: Holder;
  let token: string;

  beforeAll(async () => {
    holder = await makeHolder();
    token = await keys.sign({ ...fresh, cnf: { jkt: holder.thumbprint } });
  });

  const prove = (claims: Record<string, unknown> = {}, by = holder) =>
    by.prove(token, { iat: Math.floor(Date.now() / 1000), htu: resource, ...claims });
  const call = async (headers: Record<string, string> | readonly string[], upstream = 'recorder') =>
    post(gate.url(upstream), body, {
      headers: Array.isArray(headers)
        ? [...Object.entries(envelope).flat(), ...headers]
        : { ...envelope, ...(headers as Record<string, string>) },
      tls: await gate.as(),
    });
  const withProof = async (proof: string, upstream?: string) =>
    call({ authorization: `DPoP ${token}`, dpop: proof }, upstream);

  it('is good with a new proof each time, on any socket', async () => {
    for (let round = 0; round < 3; round++) {
      expect((await withProof(await prove())).json()).toHaveProperty('result');
    }
    expect(gate.audit().at(-1)).toMatchObject({ who: { id: `token:${issuer}#alice` } });
  });

  it('is refused with a used proof, a foreign one, none, or two', async () => {
    const used = await prove();
    expect((await withProof(used)).status).toBe(200);
    const seen = recorder.requests.length;
    const answers: [RawAnswer, string][] = [];
    const refuse = async (answer: Promise<RawAnswer>, reason: string) => {
      answers.push([await answer, reason]);
      expectRefused(...answers.at(-1)!);
    };
    await refuse(withProof(used), 'dpop-replayed');
    await refuse(withProof(await prove({}, await makeHolder())), 'dpop-key');
    await refuse(withProof(await prove({ htm: 'GET' })), 'dpop-proof-method');
    await refuse(withProof(await prove({ htu: gate.url('recorder') })), 'dpop-proof-target');
    await refuse(withProof(await prove(), 'other'), 'dpop-proof-target');
    await refuse(withProof(await prove({ iat: now - 3600 })), 'dpop-proof-time');
    await refuse(call({ authorization: `DPoP ${token}` }), 'dpop-proof-missing');
    for (const [answer] of answers) {
      expect(answer.headers['www-authenticate']).toMatch(/^DPoP .*error="invalid_dpop_proof"/);
    }
    const stolen = await call({ authorization: `Bearer ${token}`, dpop: await prove() });
    expectRefused(stolen, 'dpop-scheme');
    const twice = ['authorization', `DPoP ${token}`, 'dpop', await prove(), 'dpop', await prove()];
    expect((await call(twice)).status).toBe(400);
    expect(recorder.requests).toHaveLength(seen);
  });

  it('lets one of many in that show the same proof at once', async () => {
    const proof = await prove();
    const answers = await Promise.all(Array.from({ length: 8 }, () => withProof(proof)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401, 401, 401]);
  });

  it('needs a proof for each verb', async () => {
    const accept = 'text/event-stream';
    const headers = { accept, authorization: `DPoP ${token}`, dpop: await prove({ htm: 'POST' }) };
    const tls = await gate.as();
    for (const verb of ['GET', 'DELETE']) {
      expectRefused(await send(verb, gate.url('recorder'), { headers, tls }), 'dpop-proof-method');
    }
    const stream = await openStream('GET', gate.url('recorder'), {
      headers: { authorization: `DPoP ${token}`, dpop: await prove({ htm: 'GET' }) },
      tls,
    });
    expect(stream.status).not.toBe(401);
    stream.abort();
  });

  it('goes no further than the gate, and neither do its proofs', () => {
    expect(recorder.requests.length).toBeGreaterThan(0);
    for (const { rawHeaders } of recorder.requests) {
      const names = rawHeaders.filter((_text, index) => index % 2 === 0).map((name) => name.toLowerCase());
      expect(names).not.toContain('dpop');
      expect(names).not.toContain('authorization');
    }
  });

  it('works for an official client, which is told of nonces', async () => {
    const session = await DpopSession.create();
    const own = await keys.sign({ ...fresh, iss: careful, cnf: { jkt: session.thumbprint } });
    const { fetch, close } = fetchWith(await gate.as());
    const statuses: number[] = [];
    // Stands for whatever in front of the gate is reached under its public name.
    const atGate = async (input: string | URL, init?: RequestInit) => {
      expect(String(input)).toBe(resource);
      const answer = await fetch(gate.url('recorder'), init);
      statuses.push(answer.status);
      return answer;
    };
    const client = new Client(
      { name: 'dpop-client', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const proving = withDpop(session, async () => own)(atGate as typeof globalThis.fetch);
    await client.connect(new StreamableHTTPClientTransport(new URL(resource), { fetch: proving }));
    for (let round = 0; round < 3; round++) {
      expect((await client.callTool({ name: 'query', arguments: {} })).isError).toBeFalsy();
    }
    await client.close();
    await close();
    expect(statuses[0]).toBe(401);
    expect(statuses.slice(1)).not.toContain(401);
  });
});
