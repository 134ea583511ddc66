import { describe, expect, it } from 'vitest';
import { healthOf, httpUpstreamOptions } from '../../src/upstream/options.ts';

const url = 'https://mcp.internal/mcp';

describe('options of an upstream', () => {
  it('have these defaults', () => {
    expect(httpUpstreamOptions.parse({ url })).toEqual({
      url,
      timeouts: {
        connect: 5_000,
        headers: 30_000,
        idle: 300_000,
        total: 60_000,
        longest: 900_000,
        stream: 3_600_000,
      },
      limits: {
        resultBytes: 16_777_216,
        eventBytes: 4_194_304,
        callBytes: 134_217_728,
        streamBytes: 2_147_483_648,
        connections: 256,
        queued: 1024,
        streams: 1024,
      },
      stick: 'session',
      addresses: 'auto',
      panic: 50,
      ejection: { failures: 5, share: 50, calls: 20, time: 10_000, most: 300_000 },
      breaker: { failures: 5, silence: 10_000, open: 2_000, most: 10_000, pace: 1_000 },
      retries: { share: 20, perSecond: 3 },
    });
  });

  it('check several endpoints by default, and one only where that is asked for', () => {
    const health = { interval: 10_000, timeout: 2_000, unhealthy: 3, healthy: 2 };
    const other = 'https://mcp-2.internal/mcp';
    const healthIn = (given: object) => healthOf(httpUpstreamOptions.parse(given));
    expect(healthIn({ url })).toBeUndefined();
    expect(healthIn({ urls: [url] })).toBeUndefined();
    expect(healthIn({ urls: [url, other] })).toEqual(health);
    expect(healthIn({ url, health: { interval: '1m' } })).toEqual({ ...health, interval: 60_000 });
  });

  const refused: readonly [Record<string, unknown>, string][] = [
    [{ url: 'mcp.internal' }, 'not an absolute URL'],
    [{ url: 'file:///etc/passwd' }, 'the URL must begin with http:// or https://'],
    [{ url: 'https://user:pass@mcp.internal/' }, 'no user name or password in the URL: use credential'],
    [{ url: 'https://mcp.internal/#x' }, 'no fragment in the URL'],
    [{}, 'give either url (one server) or urls (a list of several that serve the same)'],
    [{ url, urls: [url] }, 'give either url (one server) or urls (a list of several that serve the same)'],
    [{ urls: [] }, 'Too small: expected array to have >=1 items'],
    [{ urls: Array(33).fill(url) }, 'Too big: expected array to have <=32 items'],
    [
      { urls: ['https://a/', url, 'HTTPS://mcp.internal:443/mcp'] },
      'one URL stands there twice: urls[1] is the same endpoint',
    ],
    [{ url, ejection: { time: '10m' } }, 'is longer than "most" beside it, which would cut it: give both'],
    [
      { url, breaker: { open: '6s', most: '5s' } },
      'is longer than "most" beside it, which would cut it: give both',
    ],
    [{ urls: [url, 'mcp.internal'] }, 'not an absolute URL'],
    [{ urls: ['http://a/', 'http://b/'], ca: 'ca.crt' }, 'only has a meaning for an https url'],
    [{ url: 'http://mcp.internal/', ca: 'ca.crt' }, 'only has a meaning for an https url'],
    [{ url: 'http://mcp.internal/', serverName: 'x' }, 'only has a meaning for an https url'],
    [{ url, credential: {} }, 'give exactly one of value, file, clientCredentials and tokenExchange'],
    [
      { url, credential: { value: 'a', file: 'b' } },
      'give exactly one of value, file, clientCredentials and tokenExchange',
    ],
    [{ url, credential: { value: 'a\r\nx: y' } }, 'not one line of visible ASCII'],
    [{ url, credential: { value: '' } }, 'not one line of visible ASCII'],
    [{ url, credential: { header: 'a b', value: 'v' } }, 'not a header name'],
    [{ url, timeouts: { idle: '0' } }, 'must be at least 1ms'],
  ];
  for (const [options, text] of refused) {
    it(`refuse ${JSON.stringify(options)}`, () => {
      const result = httpUpstreamOptions.safeParse(options);
      expect(result.error?.issues.map((issue) => issue.message)).toContain(text);
    });
  }

  for (const header of ['Host', 'content-length', 'Transfer-Encoding', 'mcp-session-id', 'Accept-Encoding']) {
    it(`refuse a credential in ${header}`, () => {
      const result = httpUpstreamOptions.safeParse({ url, credential: { header, value: 'v' } });
      expect(result.error?.issues.map((issue) => issue.message)).toContain(
        'this header belongs to the transport or the protocol',
      );
    });
  }
});
