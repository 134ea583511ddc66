import { createRemoteJWKSet, customFetch as joseFetch, jwtVerify } from 'jose';
import {
  allowInsecureRequests,
  ClientSecretBasic,
  customFetch,
  introspectionRequest,
  processIntrospectionResponse,
} from 'oauth4webapi';
import { afterAll, expect, test } from 'vitest';
import { dialFor } from '../../src/dialer/contract.ts';
import { audience, issuer, makeIssuer, now } from '../identity/issuer.ts';
import { dialerOf, serve } from './support.ts';

const dialer = dialerOf();
const keys = await makeIssuer();
const seen: Record<string, unknown>[] = [];
const server = await serve((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    seen.push({ method: request.method, url: request.url, body, ...request.headers });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(request.url === '/jwks' ? keys.jwks : '{"active":true,"sub":"alice"}');
  });
});
afterAll(async () => {
  await dialer.close();
  await server.close();
});

test('the dial fits where jose takes a fetch', async () => {
  const set = createRemoteJWKSet(new URL(`${server.url}/jwks`), {
    [joseFetch]: dialFor(dialer.dial, 'jwks'),
  });
  const { payload } = await jwtVerify(await keys.sign(), set, {
    issuer,
    audience,
    currentDate: new Date(now * 1000),
  });
  expect(payload.sub).toBe('alice');
});

test('the dial fits where oauth4webapi takes a fetch', async () => {
  const server_ = { issuer: server.url, introspection_endpoint: `${server.url}/introspect?a=b` };
  const client = { client_id: 'gate way' };
  const response = await introspectionRequest(server_, client, ClientSecretBasic('se:cret'), 'tok', {
    [customFetch]: dialFor(dialer.dial, 'introspection'),
    [allowInsecureRequests]: true,
  });
  expect(await processIntrospectionResponse(server_, client, response)).toEqual({
    active: true,
    sub: 'alice',
  });
  expect(seen.at(-1)).toMatchObject({
    method: 'POST',
    url: '/introspect?a=b',
    body: 'token=tok',
    'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    'accept-encoding': 'identity',
    connection: 'close',
    'content-length': '9',
  });
  expect(Object.keys(seen.at(-1)!)).not.toContain('cookie');
});
