import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const issuer = 'https://idp.example';
const awayIssuer = 'https://away.example';
const audience = 'https://mcp.example/w';
const now = Math.floor(Date.now() / 1000);

describe('an office of many clients behind one address', () => {
  let keys: TestIssuer;
  let jwks: Server;
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    keys = await makeIssuer();
    jwks = createServer((request, response) => {
      if (request.url === '/away') request.socket.destroy();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(keys.jwks);
    });
    await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}`;
    recorder = await startRecorder();
    gate = await startTestGateway({
      upstreams: { w: recorder.url },
      door: 'plain',
      // Loopback is trusted as it comes, and would not be counted.
      listener: { limits: { trusted: [] } },
      config: {
        insecure: {},
        outbound: { private: ['127.0.0.0/8'] },
        identity: [
          { token: { issuer, audience, jwks: `${origin}/jwks` } },
          { token: { issuer: awayIssuer, audience, jwks: `${origin}/away` } },
        ],
        control: { socket: 'control.sock' },
      },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
    jwks.closeAllConnections();
    await new Promise((resolve) => jwks.close(resolve));
  });

  const token = (from: string, exp: number, sub = 'alice'): Promise<string> =>
    keys.sign({ iss: from, sub, aud: audience, iat: exp - 300, exp });
  const call = (bearer: string): Promise<RawAnswer> => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    return post(gate.url('w'), body, { headers: { ...headers, authorization: `Bearer ${bearer}` } });
  };
  const statuses = async (times: number, bearer: string): Promise<Set<number>> =>
    new Set(
      (await Promise.all(Array.from({ length: times }, () => call(bearer)))).map(({ status }) => status),
    );
  const blocks = async (): Promise<number> =>
    Number(/^sallyport_address_blocks_total (\d+)$/m.exec(await gate.metrics())?.[1] ?? 0);

  it('may begin all at once: a hundred fresh official clients, 401, token, call', async () => {
    let challenges = 0;
    const begin = async (name: string, mode: 'legacy' | { pin: '2026-07-28' }): Promise<unknown> => {
      let held: string | undefined;
      const client = new Client({ name: 'fresh', version: '1' }, { versionNegotiation: { mode } });
      const transport = new StreamableHTTPClientTransport(new URL(gate.url('w')), {
        authProvider: {
          token: async () => held,
          async onUnauthorized() {
            challenges += 1;
            held = await token(issuer, now + 300, name);
          },
        },
      });
      await client.connect(transport);
      try {
        return await client.callTool({ name: 'echo', arguments: {} });
      } finally {
        await client.close();
      }
    };
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        begin(`user-${index}`, index % 2 === 0 ? 'legacy' : { pin: '2026-07-28' }),
      ),
    );
    expect(answers.map((answer) => (answer as { content?: unknown }).content !== undefined)).toEqual(
      answers.map(() => true),
    );
    expect(challenges).toBeGreaterThanOrEqual(100);
    expect(await blocks()).toBe(0);
  });

  it('may come back after a night with tokens that have all expired', async () => {
    expect(await statuses(300, await token(issuer, now - 3600))).toEqual(new Set([401]));
    expect(await blocks()).toBe(0);
    expect((await call(await token(issuer, now + 300))).status).toBe(200);
  });

  it('does not answer for an issuer that is away', async () => {
    expect(await statuses(300, await token(awayIssuer, now + 300))).toEqual(new Set([401]));
    expect(await blocks()).toBe(0);
  });

  it('is blocked where one of them guesses, for all that: nothing tells them apart', async () => {
    const other = await makeIssuer();
    const forged = await other.sign({ iss: issuer, sub: 'alice', aud: audience, exp: now + 300 });
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    const guess = (): Promise<number | undefined> =>
      post(gate.url('w'), body, { headers: { ...headers, authorization: `Bearer ${forged}` } }).then(
        ({ status }) => status,
        () => undefined,
      );
    const seen: (number | undefined)[] = [];
    // The calls of the office above count against the share.
    while (seen.length < 1500 && (await blocks()) === 0) {
      seen.push(...(await Promise.all(Array.from({ length: 50 }, guess))));
    }
    expect(await blocks()).toBe(1);
  });
});
