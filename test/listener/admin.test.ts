import { describe, expect, it } from 'vitest';
import { type AdminDependencies, createAdmin } from '../../src/listener/admin.ts';
import { adminOptions } from '../../src/listener/options.ts';
import type { Refusal } from '../../src/listener/refusal.ts';
import { send, sendBytes } from '../support/raw-client.ts';
import { afterThisTest } from './support.ts';

async function start(deps: Partial<AdminDependencies> = {}, bind = '127.0.0.1:0') {
  const refusals: Refusal[] = [];
  const admin = await createAdmin(adminOptions.parse({ bind }), {
    live: () => true,
    ready: () => ({ ready: true, body: '{"ready":true}' }),
    metrics: async () => 'up 1\n',
    metricsType: 'text/plain; version=0.0.4',
    onRefusal: (refusal) => refusals.push(refusal),
    ...deps,
  });
  afterThisTest(() => admin.close());
  return { url: `http://127.0.0.1:${admin.address.port}`, port: admin.address.port, refusals };
}

describe('the admin listener', () => {
  it('tells life, readiness and metrics', async () => {
    const { url, refusals } = await start();
    const live = await send('GET', `${url}/livez`);
    expect([live.status, live.body.toString()]).toEqual([200, 'ok\n']);
    const ready = await send('GET', `${url}/readyz`);
    expect([ready.status, ready.json()]).toEqual([200, { ready: true }]);
    const metrics = await send('GET', `${url}/metrics`);
    expect([metrics.status, metrics.body.toString(), metrics.headers['content-type']]).toEqual([
      200,
      'up 1\n',
      'text/plain; version=0.0.4',
    ]);
    expect(metrics.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect((await send('HEAD', `${url}/livez`)).status).toBe(200);
    expect(refusals).toHaveLength(0);
  });

  it('answers 503 where the process is not live or not ready', async () => {
    const { url } = await start({ live: () => false, ready: () => ({ ready: false, body: '{}' }) });
    expect((await send('GET', `${url}/livez`)).status).toBe(503);
    expect((await send('GET', `${url}/readyz`)).status).toBe(503);
  });

  it('gives nothing away where metrics fail', async () => {
    const { url, refusals } = await start({ metrics: () => Promise.reject(new Error('secret')) });
    const answer = await send('GET', `${url}/metrics`);
    expect(answer.status).toBe(500);
    expect(answer.body.toString()).not.toContain('secret');
    expect(refusals).toMatchObject([{ code: 'internal' }]);
  });

  it('refuses other paths, methods, bodies, Hosts and every Origin', async () => {
    const { url, port, refusals } = await start();
    const cases: readonly (readonly [string, string, Record<string, string>, number])[] = [
      ['GET', '/', {}, 404],
      ['GET', '/livez/', {}, 404],
      ['GET', '/livez?x', {}, 404],
      ['GET', '/metrics/../readyz', {}, 404],
      ['POST', '/livez', {}, 405],
      ['OPTIONS', '/metrics', {}, 405],
      ['GET', '/livez', { host: 'evil.example' }, 403],
      ['GET', '/livez', { host: `evil.example:${port}` }, 403],
      ['GET', '/nothing', { host: 'evil.example' }, 403],
      ['GET', '/metrics', { origin: 'null' }, 403],
      ['GET', '/metrics', { origin: `http://127.0.0.1:${port}` }, 403],
      ['GET', '/metrics', { 'content-length': '0', upgrade: 'websocket', connection: 'upgrade' }, 400],
    ];
    for (const [verb, path, headers, status] of cases) {
      const head = { host: `127.0.0.1:${port}`, ...headers };
      const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
      const { text } = await sendBytes(url, [`${verb} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`]);
      expect([verb, path, headers, text.slice(9, 12)]).toEqual([verb, path, headers, String(status)]);
    }
    expect(refusals.map(({ status }) => status)).toEqual(cases.map(([, , , status]) => status));
    const connect = await sendBytes(url, [`CONNECT a:1 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`]);
    expect(connect.text).toMatch(/^HTTP\/1\.1 405 /);
  });

  it('on an open bind serves the address that the connection came in on, and no name', async () => {
    const { url, port } = await start({}, '0.0.0.0:0');
    for (const host of ['127.0.0.1', `127.0.0.1:${port}`]) {
      expect((await send('GET', `${url}/livez`, { headers: { host } })).status).toBe(200);
    }
    for (const host of ['localhost', '127.0.0.2', `127.0.0.1:${port + 1}`, '127.1', 'rebound.example']) {
      expect([host, (await send('GET', `${url}/livez`, { headers: { host } })).status]).toEqual([host, 403]);
    }
  });
});
