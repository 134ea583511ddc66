import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import type { DialPurpose } from '../../src/dialer/contract.ts';
import type { DialReport } from '../../src/dialer/create-dialer.ts';
import { codeOf, dialerOf, errorOf, serve } from './support.ts';

const slow = await serve(() => {});
const quick = await serve((_, response) => response.end('ok'));
afterAll(async () => {
  await slow.close();
  await quick.close();
});

describe('dials at one time', () => {
  test('beyond the number fail at once, and leave their place when they end', async () => {
    const dialer = dialerOf({ concurrency: 3, timeout: '300ms' });
    const running = Array.from({ length: 3 }, () => codeOf(dialer.dial(slow.url)));
    for (let index = 0; index < 10; index++) expect(await codeOf(dialer.dial(slow.url))).toBe('dial-busy');
    expect(await Promise.all(running)).toEqual(Array(3).fill('dial-timeout'));
    expect((await dialer.dial(quick.url)).status).toBe(200);
  });

  test('of one host and purpose do not keep others from their first', async () => {
    const dialer = dialerOf({ concurrency: 2, timeout: '300ms' });
    const ask = (url: string, purpose: DialPurpose) => codeOf(dialer.dial(url, { purpose }));
    const running = [1, 2].map(() => ask(slow.url, 'introspection'));
    expect(await ask(slow.url, 'introspection')).toBe('dial-busy');
    for (let index = 0; index < 5; index++) expect((await dialer.dial(quick.url)).status).toBe(200);
    running.push(ask(slow.url, 'jwks'), ask(slow.url, 'discovery'));
    // Twice the number is the end, whoever asks.
    expect(await ask(quick.url, 'jwks')).toBe('dial-busy');
    expect(await Promise.all(running)).toEqual(Array(4).fill('dial-timeout'));
    expect((await dialer.dial(quick.url)).status).toBe(200);
  });

  test('resolve one name once at a time, so that one which hangs leaves threads to the others', async () => {
    const asked: string[] = [];
    let letGo = () => {};
    const hanging = new Promise<string[]>((done) => {
      letGo = () => done(['127.0.0.1']);
    });
    const resolve = (host: string) => {
      asked.push(host);
      return host === 'idp.example' ? hanging : Promise.resolve(['127.0.0.1']);
    };
    const dialer = dialerOf({ timeout: '30ms' }, { resolve });
    const dials = Array.from({ length: 10 }, () => codeOf(dialer.dial(`https://idp.example:${quick.port}/`)));
    expect((await dialer.dial(`http://localhost:${quick.port}/`)).status).toBe(200);
    expect(await Promise.all(dials)).toEqual(Array(10).fill('dial-timeout'));
    expect(await codeOf(dialer.dial(`https://idp.example:${quick.port}/`))).toBe('dial-timeout');
    expect(asked).toEqual(['idp.example', 'localhost']);
    letGo();
    await expect.poll(() => codeOf(dialer.dial(`https://idp.example:${quick.port}/`))).toBe('dial-tls');
  });

  test('count names that are still being resolved for dials that gave up', async () => {
    const letGo: (() => void)[] = [];
    const resolve = () => new Promise<string[]>((done) => letGo.push(() => done(['127.0.0.1'])));
    const dialer = dialerOf({ concurrency: 2, timeout: '20ms' }, { resolve });
    const urls = ['https://a.example/', 'https://b.example/'];
    expect(await Promise.all(urls.map((url) => codeOf(dialer.dial(url))))).toEqual([
      'dial-timeout',
      'dial-timeout',
    ]);
    expect(await codeOf(dialer.dial('https://c.example/'))).toBe('dial-busy');
    for (const done of letGo) done();
    await expect.poll(() => codeOf(dialer.dial(quick.url.replace('http', 'https')))).toBe('dial-tls');
  });

  test('each have their own connection, which ends with them', async () => {
    const dialer = dialerOf();
    const before = quick.connections();
    for (let index = 0; index < 5; index++) await dialer.dial(quick.url);
    expect(quick.connections()).toBe(before + 5);
  });

  test('try the next address when one does not answer, and no more than four', async () => {
    const dialer = dialerOf({}, { resolve: async () => ['127.0.0.9', '127.0.0.8', '127.0.0.1'] });
    expect((await dialer.dial(`http://localhost:${quick.port}/`)).status).toBe(200);
    const many = dialerOf({}, { resolve: async () => [2, 3, 4, 5, 1].map((n) => `127.0.0.${n}`) });
    expect(await codeOf(many.dial(`http://localhost:${quick.port}/`))).toBe('dial-connect');
  });

  test('to a closed port fail', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await new Promise((done) => server.close(done));
    expect(await errorOf(dialerOf().dial(`http://127.0.0.1:${port}/?secret=1`))).toMatchObject({
      code: 'dial-connect',
      message: `http://127.0.0.1:${port}/: no connection (ECONNREFUSED)`,
    });
  });
});

describe('giving up', () => {
  test('whoever asked may give up before and in between', async () => {
    const dialer = dialerOf();
    expect(await codeOf(dialer.dial(slow.url, { signal: AbortSignal.abort() }))).toBe('dial-aborted');
    const giveUp = new AbortController();
    const before = slow.requests();
    const waiting = codeOf(dialer.dial(slow.url, { signal: giveUp.signal }));
    await expect.poll(() => slow.requests()).toBe(before + 1);
    giveUp.abort(new Error('with a secret'));
    expect(await waiting).toBe('dial-aborted');
  });

  test('closing ends what is under way, and nothing is dialled afterwards', async () => {
    const dialer = dialerOf();
    const waiting = [codeOf(dialer.dial(slow.url)), codeOf(dialer.dial(slow.url))];
    await dialer.close();
    expect(await Promise.all(waiting)).toEqual(['dial-closed', 'dial-closed']);
    expect(await codeOf(dialer.dial(quick.url))).toBe('dial-closed');
    await dialer.close();
  });
});

test('every dial is reported once, in a closed vocabulary and without its secrets', async () => {
  const reports: DialReport[] = [];
  const dialer = dialerOf({ timeout: '100ms' }, { onDial: (report) => reports.push(report) });
  const missing = await serve((_, response) => response.writeHead(404).end());
  const secret = 's3cret';
  await dialer.dial(`${quick.url}/a?code=${secret}`, { purpose: 'jwks' });
  await dialer.dial(`${missing.url}/b?code=${secret}`, {
    purpose: 'token',
    method: 'POST',
    headers: { authorization: secret },
    body: new URLSearchParams({ secret }),
  });
  await codeOf(dialer.dial(`${slow.url}/c?code=${secret}`, { purpose: 'discovery' }));
  await codeOf(dialer.dial(`https://user:${secret}@idp.example/`));
  expect(reports).toEqual([
    { purpose: 'jwks', outcome: 'ok', status: 200, shown: `${quick.url}/a`, message: undefined },
    { purpose: 'token', outcome: 'status', status: 404, shown: `${missing.url}/b`, message: undefined },
    {
      purpose: 'discovery',
      outcome: 'dial-timeout',
      status: undefined,
      shown: `${slow.url}/c`,
      message: `${slow.url}/c: more than 100 ms`,
    },
    {
      purpose: 'other',
      outcome: 'dial-url',
      status: undefined,
      shown: undefined,
      message: 'will not dial a URL with user info',
    },
  ]);
  expect(JSON.stringify(reports)).not.toContain(secret);
  await missing.close();
});
