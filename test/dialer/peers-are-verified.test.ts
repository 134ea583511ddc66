import { afterAll, describe, expect, test } from 'vitest';
import { makeTestCa } from '../support/certificates.ts';
import { codeOf, dialerOf, errorOf, serve } from './support.ts';

const ca = await makeTestCa();
const other = await makeTestCa({ name: 'another CA' });
const files = new Map([
  ['ca', ca.caPem],
  ['other', other.caPem],
]);
const readFile = (path: string) => {
  const text = files.get(path);
  if (text === undefined) throw new Error(`ENOENT ${path}`);
  return text;
};
const resolve = async () => ['127.0.0.1'];
const hour = 3_600_000;
const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

async function secure(certificate: Parameters<typeof ca.issue>[0], authority = ca) {
  const { certPem: cert, keyPem: key } = await authority.issue({ eku: ['serverAuth'], ...certificate });
  const server = await serve((_, response) => response.end('reached'), { tls: { cert, key } });
  closers.push(server.close);
  return server;
}

const trusting = (...names: string[]) => dialerOf({ ca: names }, { resolve, readFile });

describe('TLS', () => {
  test('a certificate of a configured root for the very name', async () => {
    const { port } = await secure({ san: ['idp.example'] });
    expect(await (await trusting('ca').dial(`https://idp.example:${port}/`)).text()).toBe('reached');
    expect(await (await trusting('ca').dial(`https://IDP.example:${port}/`)).text()).toBe('reached');
  });

  test('a certificate for the address, where the URL has one', async () => {
    const { port } = await secure({ san: ['127.0.0.1'] });
    expect(await (await trusting('ca').dial(`https://127.0.0.1:${port}/`)).text()).toBe('reached');
    expect(await (await trusting('ca').dial(`https://0x7f.1:${port}/`)).text()).toBe('reached');
    expect(await codeOf(trusting('ca').dial(`https://127.0.0.2:${port}/`))).toMatch(/^dial-(?:tls|connect)$/);
  });

  test('the server is told the name that was meant', async () => {
    const seen: unknown[] = [];
    const { certPem: cert, keyPem: key } = await ca.issue({ san: ['idp.example'], eku: ['serverAuth'] });
    const server = await serve(
      (request, response) => {
        const { servername } = request.socket as unknown as { servername: unknown };
        seen.push(request.headers.host, servername);
        response.end();
      },
      { tls: { cert, key } },
    );
    closers.push(server.close);
    await trusting('ca').dial(`https://idp.example:${server.port}/`);
    expect(seen).toEqual([`idp.example:${server.port}`, 'idp.example']);
  });

  test.each([
    ['for another name', { san: ['other.example'] }],
    ['for the name above', { san: ['example'] }],
    ['for a name below', { san: ['x.idp.example'] }],
    ['for the address that the name has', { san: ['127.0.0.1'] }],
    ['that expired', { san: ['idp.example'], notAfter: new Date(Date.now() - hour / 2) }],
    ['that is not valid yet', { san: ['idp.example'], notBefore: new Date(Date.now() + hour) }],
    ['for clients', { san: ['idp.example'], eku: ['clientAuth' as const] }],
  ])('a certificate %s is refused', async (_, certificate) => {
    const server = await secure(certificate);
    const error = await errorOf(trusting('ca').dial(`https://idp.example:${server.port}/a?b=c`));
    expect(error.code).toBe('dial-tls');
    expect(error.message).toMatch(
      new RegExp(`^https://idp\\.example:${server.port}/a: no trusted TLS \\([A-Z_]+\\)$`),
    );
    expect(server.requests()).toBe(0);
  });

  test('a root that is not configured is none, whatever the environment says', async () => {
    const server = await secure({ san: ['idp.example'] }, other);
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      expect(await codeOf(trusting('ca').dial(`https://idp.example:${server.port}/`))).toBe('dial-tls');
      expect(await codeOf(trusting().dial(`https://idp.example:${server.port}/`))).toBe('dial-tls');
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
    expect(server.requests()).toBe(0);
  });

  test('plain HTTP behind https is refused', async () => {
    const server = await serve((_, response) => response.end());
    closers.push(server.close);
    expect(await codeOf(trusting('ca').dial(`https://idp.example:${server.port}/`))).toBe('dial-tls');
  });

  test('proxies of the environment are not used', async () => {
    const proxy = await serve((_, response) => response.end('proxy'));
    closers.push(proxy.close);
    const { port } = await secure({ san: ['idp.example'] });
    const names = [
      'http_proxy',
      'https_proxy',
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'all_proxy',
      'NODE_USE_ENV_PROXY',
    ];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = name.startsWith('NODE') ? '1' : proxy.url;
    try {
      expect(await (await trusting('ca').dial(`https://idp.example:${port}/`)).text()).toBe('reached');
    } finally {
      for (const [index, name] of names.entries()) {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      }
    }
    expect(proxy.connections()).toBe(0);
  });
});

describe('roots from files', () => {
  test('are read again, for the next dial', async () => {
    const { port } = await secure({ san: ['idp.example'] }, other);
    const contents = { text: ca.caPem };
    const dialer = dialerOf({ ca: ['x'] }, { resolve, readFile: () => contents.text });
    const url = `https://idp.example:${port}/`;
    expect(await codeOf(dialer.dial(url))).toBe('dial-tls');
    contents.text = `${ca.caPem}\n${other.caPem}`;
    expect(await codeOf(dialer.dial(url))).toBe('dial-tls');
    await dialer.reload();
    expect((await dialer.dial(url)).status).toBe(200);
    // What does not load changes nothing.
    contents.text = 'garbage';
    await expect(dialer.reload()).rejects.toThrow('x: there is no certificate in it');
    expect((await dialer.dial(url)).status).toBe(200);
    contents.text = ca.caPem;
    await dialer.reload();
    expect(await codeOf(dialer.dial(url))).toBe('dial-tls');
  });

  test.each([
    ['empty', '', 'x: there is no certificate in it'],
    ['a key', ca.caKey, 'x: there is no certificate in it'],
    [
      'a torn certificate',
      '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
      'x: holds a certificate that cannot be read',
    ],
  ])('are refused at the start: %s', (_, text, message) => {
    expect(() => dialerOf({ ca: ['x'] }, { readFile: () => text })).toThrow(message);
  });
});
