import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Dial } from '../../src/dialer/contract.ts';
import type { DialReport } from '../../src/dialer/create-dialer.ts';
import { discover } from '../../src/identity/discovery.ts';
import { createIntrospector } from '../../src/identity/introspection.ts';
import { introspectionOptions } from '../../src/identity/introspection-options.ts';
import { fetchJwks } from '../../src/identity/jwks-fetch.ts';
import { credentialOptions } from '../../src/upstream/credentials/options.ts';
import { createTokenClient } from '../../src/upstream/credentials/token-client.ts';
import { dialerOf, serve } from './support.ts';

let said = '';
const server = await serve((_, response) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(said),
);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server.close();
});

const directory = mkdtempSync(join(tmpdir(), 'malformed-'));
const secret = join(directory, 'secret');
writeFileSync(secret, 's3cret');
const { signal } = new AbortController();

/** Everything that is asked of an issuer, and an answer to it. */
const questions: readonly (readonly [string, (dial: Dial) => Promise<unknown>, object])[] = [
  ['jwks', (dial) => fetchJwks(dial, server.url, signal), { keys: [] }],
  [
    'discovery',
    (dial) => discover(server.url, dial, signal),
    { issuer: server.url, jwks_uri: `${server.url}/keys` },
  ],
  [
    'introspection',
    (dial) => {
      const options = introspectionOptions.parse({ endpoint: server.url, clientId: 'gate', secret });
      return createIntrospector({ ...options, issuer: 'https://idp.example' }, dial).introspect('token', 0);
    },
    { active: false },
  ],
  [
    'token',
    (dial) => {
      const { clientCredentials } = credentialOptions.parse({
        clientCredentials: { tokenEndpoint: server.url, clientId: 'gate', secret },
      });
      return createTokenClient(clientCredentials!, dial).clientCredentials(signal);
    },
    { access_token: 'a-token', token_type: 'Bearer' },
  ],
];

describe.each(questions)('a 200 to a question for %s', (purpose, ask, good) => {
  const malformed = ['', '{', 'null', '[]', '"active"', '{}', '<html>', '{"keys":0,"active":0,"issuer":"x"}'];

  test.each(malformed)('is malformed where it is %j', async (text) => {
    expect(await outcomesOf(text)).toEqual(expect.arrayContaining([`${purpose} malformed`]));
    expect(await outcomesOf(text)).not.toContain(`${purpose} ok`);
  });

  test('is ok where it is an answer', async () => {
    expect(await outcomesOf(JSON.stringify(good))).toEqual([`${purpose} ok`]);
  });

  async function outcomesOf(text: string): Promise<readonly string[]> {
    said = text;
    const reports: DialReport[] = [];
    const dialer = dialerOf({}, { onDial: (report) => reports.push(report) });
    await ask(dialer.dial).catch(() => {});
    await dialer.close();
    return reports.map((report) => `${report.purpose} ${report.outcome}`);
  }
});
