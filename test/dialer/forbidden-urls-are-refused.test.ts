import { afterAll, describe, expect, test } from 'vitest';
import { codeOf, dialerOf, errorOf, serve } from './support.ts';

const server = await serve((_, response) => response.end('reached'));
const { port } = server;
let asked = 0;
const dialer = dialerOf(
  {},
  {
    resolve: async () => {
      asked += 1;
      return ['127.0.0.1'];
    },
  },
);

afterAll(async () => {
  await dialer.close();
  await server.close();
});

describe('nothing is resolved or dialled for', () => {
  test.each([
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'gopher://127.0.0.1/',
    'data:application/json,{}',
    'blob:https://idp.example/1',
    'javascript:1',
    'ws://127.0.0.1/',
    'unix:/run/docker.sock',
    'http+unix://%2Frun%2Fdocker.sock/info',
    '',
    '//127.0.0.1/',
    '/jwks',
    'idp.example',
    'https://',
    'https:///',
    'https://idp.example:99999/',
    'https://user@idp.example/',
    'https://user:password@idp.example/',
    'https://:password@idp.example/',
    'https://@idp.example/',
    'https://idp.example@127.0.0.1/',
    'https://idp.example%40127.0.0.1/',
    'https://idp.example\\@127.0.0.1/',
    'https:\\\\127.0.0.1/',
    'https://idp.example/#fragment',
    'https://idp.example#',
    'https://127.0.0.1#@idp.example/',
    ' https://idp.example/',
    'https://idp.example/\n',
    'https://idp.exa\tmple/',
    'https://idp.example/a b',
    'https://idp.example\u00a0/',
    'https://idp.example\u0000/',
    'https://idp.example./',
    'https://localhost./',
    'https://[fe80::1%25eth0]/',
    'https://[fe80::1%eth0]/',
    'https://[::1]]/',
    'https://[127.0.0.1]/',
    'https://1.2.3.4.5/',
    'https://256.256.256.256/',
    'https://0x100000000/',
    `https://idp.example/${'a'.repeat(3000)}`,
  ])('%j', async (url) => {
    expect(await codeOf(dialer.dial(url))).toBe('dial-url');
    expect(asked).toBe(0);
  });
});

describe('http is dialled only where the URL names a configured address', () => {
  test.each(['127.0.0.1', '127.1', '2130706433', '0x7f.1', 'localhost', 'LOCALHOST'])('%s', async (host) => {
    const response = await dialer.dial(`http://${host}:${port}/`);
    expect(await response.text()).toBe('reached');
  });

  test.each([
    'idp.example',
    'localhost.example',
    'x.localhost',
    'localhost6',
    '127.0.0.1.nip.io',
    '127.0.0.1x',
  ])('and not for the name %s, whatever it resolves to', async (host) => {
    const before = server.connections();
    expect(await codeOf(dialer.dial(`http://${host}:${port}/`))).toBe('dial-url');
    expect(server.connections()).toBe(before);
  });

  test('nor for an address that is public', async () => {
    expect(await errorOf(dialer.dial('http://93.184.216.34/jwks?secret=1'))).toMatchObject({
      code: 'dial-url',
      message: 'http://93.184.216.34/jwks: http is dialled only in outbound.private',
    });
  });

  test('nor for localhost where it is elsewhere', async () => {
    for (const addresses of [['93.184.216.34'], ['127.0.0.1', '93.184.216.34']]) {
      const elsewhere = dialerOf({}, { resolve: async () => addresses });
      expect(await codeOf(elsewhere.dial(`http://localhost:${port}/`))).toBe('dial-url');
    }
    const none = dialerOf({ private: ['10.0.0.0/8'] });
    expect(await codeOf(none.dial(`http://localhost:${port}/`))).toBe('dial-address');
  });
});

describe('requests that are not the caller’s to make', () => {
  test.each([
    'Host',
    'Connection',
    'Content-Length',
    'Transfer-Encoding',
    'Cookie',
    'Accept-Encoding',
    'Expect',
    'TE',
    'Upgrade',
    'Proxy-Authorization',
  ])('with the header %s', async (name) => {
    const before = server.connections();
    expect(await codeOf(dialer.dial(server.url, { headers: { [name]: 'x' } }))).toBe('dial-request');
    expect(server.connections()).toBe(before);
  });

  test.each(['PUT', 'DELETE', 'CONNECT', 'TRACE', 'get', 'GET / HTTP/1.1\r\nx: y'])(
    'with the method %j',
    async (method) => {
      expect(await codeOf(dialer.dial(server.url, { method }))).toBe('dial-request');
    },
  );

  test('with a header value that splits the message, and the message does not repeat it', async () => {
    const error = await errorOf(
      dialer.dial(server.url, { headers: { authorization: 'Basic s3cret\r\nx: y' } }),
    );
    expect(error).toMatchObject({ code: 'dial-request', message: 'a header that cannot be sent' });
  });
});
