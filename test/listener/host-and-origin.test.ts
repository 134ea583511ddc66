import { describe, expect, it } from 'vitest';
import { createHostRules, normaliseHost, normaliseOrigin } from '../../src/listener/hosts.ts';
import { listenerOptions } from '../../src/listener/options.ts';
import { post, send, sendBytes } from '../support/raw-client.ts';
import { ping, rawPost, startListener } from './support.ts';

const rules = createHostRules(
  '0.0.0.0:8443',
  ['mcp.example', '[::1]', 'ported.example:8443'],
  ['https://app.example', 'http://localhost:3000'],
);

describe('Host', () => {
  it.each([
    'mcp.example',
    'MCP.Example',
    'mcp.example:1',
    'mcp.example:8443',
    '[::1]',
    '[::1]:99',
    'ported.example:8443',
  ])('serves %s', (host) => expect(rules.allowsHost(host)).toBe(true));

  const disguises = [
    '',
    ' ',
    'evil.example',
    'mcp.example.',
    'mcp.example.evil.example',
    'evil-mcp.example',
    'mcp.example@evil.example',
    'evil.example@mcp.example',
    'user:pass@mcp.example',
    'mcp.example:',
    'mcp.example:x',
    'mcp.example:80:80',
    'mcp.example:123456',
    'mcp.example/',
    'mcp.example/path',
    'mcp.example?',
    'mcp.example#',
    'mcp.example\\',
    'http://mcp.example',
    'mcp.example,evil.example',
    'evil.example,mcp.example',
    'mcp.example evil.example',
    ' mcp.example',
    'mcp%2eexample',
    'mcp\u3002example',
    'mcp.e\u0445ample',
    'mcp.example\0',
    '::1',
    '[::1',
    '::1]',
    '[::1]]',
    '[0:0:0:0:0:0:0:1]',
    '[::1%25lo]',
    '127.0.0.1',
    'localhost',
    'ported.example',
    'ported.example:08443',
    'ported.example:80',
    'ported.example:8443:8443',
    '*',
  ];
  it.each(disguises)('refuses %j', (host) => expect(rules.allowsHost(host)).toBe(false));

  it('does not fold letters beyond ASCII', () => {
    const kelvin = createHostRules('0.0.0.0:1', ['kiosk.example'], []);
    expect(kelvin.allowsHost('\u212Aiosk.example')).toBe(false);
  });

  it('serves the loopback names by default on a loopback bind only', () => {
    const loopback = createHostRules('127.0.0.2:80', undefined, []);
    for (const host of ['localhost', 'localhost:80', '127.0.0.1', '[::1]', '127.0.0.2']) {
      expect(loopback.allowsHost(host)).toBe(true);
    }
    for (const host of ['127.1', '2130706433', '0x7f.1', '0.0.0.0', '[::ffff:127.0.0.1]', 'localhost.']) {
      expect(loopback.allowsHost(host)).toBe(false);
    }
    expect(createHostRules('0.0.0.0:80', undefined, []).allowsHost('localhost')).toBe(false);
  });

  it('must be listed where the bind is not loopback', () => {
    const parsed = listenerOptions.safeParse({ bind: '0.0.0.0:80' });
    expect(parsed.error?.issues[0]?.message).toContain('list the host names');
    expect(listenerOptions.safeParse({ bind: '0.0.0.0:80', hosts: ['a.example'] }).success).toBe(true);
  });

  it('is normalised in configuration', () => {
    expect(normaliseHost('::1')).toBe('[::1]');
    expect(normaliseHost('A.Example:1')).toBe('a.example:1');
    for (const bad of ['', 'a b', 'http://a', 'a/b', '[x]']) expect(normaliseHost(bad)).toBeUndefined();
  });
});

describe('Origin', () => {
  it('is allowed where listed', () => {
    expect(rules.allowsOrigin('https://app.example')).toBe(true);
    expect(rules.allowsOrigin('http://localhost:3000')).toBe(true);
  });

  const disguises = [
    '',
    'null',
    'NULL',
    'https://app.example/',
    'https://app.example:443',
    'HTTPS://app.example',
    'https://APP.example',
    'http://app.example',
    'https://app.example.',
    'https://app.example.evil.example',
    'https://evil.example/https://app.example',
    'https://app.example@evil.example',
    'https://evil.example#https://app.example',
    'https://app.example https://evil.example',
    'https://evil.example, https://app.example',
    'https://app.example,https://app.example',
    'app.example',
    '//app.example',
    'https:app.example',
    'https://app\u3002example',
    'https://app.example\0',
    'http://localhost',
    'http://localhost:3001',
    'http://127.0.0.1:3000',
    '*',
  ];
  it.each(disguises)('refuses %j', (origin) => expect(rules.allowsOrigin(origin)).toBe(false));

  it('is normalised in configuration', () => {
    expect(normaliseOrigin('HTTPS://App.Example:443')).toBe('https://app.example');
    expect(normaliseOrigin('vscode-webview://abc')).toBe('vscode-webview://abc');
    for (const bad of ['null', '*', 'https://a/b', 'https://a@b', 'a.example', 'https://']) {
      expect(normaliseOrigin(bad)).toBeUndefined();
    }
  });
});

describe('over sockets', () => {
  it('checks Host and Origin on the route, and before telling whether a path exists', async () => {
    const listener = await startListener({ origins: ['https://app.example'] });
    for (const path of ['/w/mcp', '/nothing']) {
      for (const verb of ['POST', 'GET', 'OPTIONS']) {
        const badHost = await send(verb, listener.address.url + path, { headers: { host: 'evil.example' } });
        expect(badHost.status).toBe(403);
        expect(badHost.json()).toMatchObject({ error: { data: { reason: 'host-refused' } } });
        const badOrigin = await send(verb, listener.address.url + path, { headers: { origin: 'null' } });
        expect(badOrigin.status).toBe(403);
        expect(badOrigin.json()).toMatchObject({ error: { data: { reason: 'origin-refused' } } });
      }
    }
    expect(listener.refusals).toHaveLength(12);
    expect(listener.arrivals).toHaveLength(0);
  });

  it('lets a request in without Origin and with an allowed one', async () => {
    const listener = await startListener({ origins: ['https://app.example'] });
    expect((await post(listener.mcp, ping)).status).toBe(200);
    expect((await post(listener.mcp, ping, { headers: { origin: 'https://app.example' } })).status).toBe(200);
    expect(listener.refusals).toHaveLength(0);
  });

  it('refuses a request with several Hosts or Origins, or none', async () => {
    const listener = await startListener({ origins: ['https://app.example'] });
    const own = `127.0.0.1:${listener.address.port}`;
    const tail = `Content-Length: ${ping.length}\r\n\r\n${ping}`;
    const repeated = [
      rawPost(listener, [`Host: ${own}`]),
      rawPost(listener, ['host: evil.example']),
      rawPost(listener, ['Origin: https://app.example', 'origin: https://app.example']),
      rawPost(listener).replace(`Host: ${own}\r\n`, ''),
      rawPost(listener).replace(`Host: ${own}\r\n`, 'Host:\r\n'),
    ];
    for (const head of repeated) {
      const { text } = await sendBytes(listener.mcp, [head + tail]);
      expect(text).toMatch(/^HTTP\/1\.1 40[03] /);
    }
    expect(listener.arrivals).toHaveLength(0);
    expect(listener.refusals).toHaveLength(repeated.length);
  });
});
