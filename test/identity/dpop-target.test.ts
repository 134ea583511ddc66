import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normaliseTarget } from '../../src/identity/dpop-target.ts';

const resource = 'https://mcp.example/warehouse/mcp';

describe('one target, in all the ways that RFC 3986 lets it be written', () => {
  test.each([
    resource,
    'HTTPS://MCP.Example/warehouse/mcp',
    'https://mcp.example:443/warehouse/mcp',
    'https://mcp.example:/warehouse/mcp',
    'https://mcp.example/warehouse/%6Dcp',
    'https://mcp.example/wareh%6fuse/mcp',
    'https://mcp.example/./warehouse/mcp',
    'https://mcp.example/x/../warehouse/mcp',
    'https://mcp.example/%2e/warehouse/mcp',
    'https://mcp.ex%61mple/warehouse/mcp',
    `${resource}?a=b`,
    `${resource}#fragment`,
    `${resource}?https://evil.example/#@evil.example`,
  ])('%s', (text) => {
    expect(normaliseTarget(text)).toBe(normaliseTarget(resource));
  });
});

describe('what is another target, or none', () => {
  test.each([
    'http://mcp.example/warehouse/mcp',
    'https://mcp.example:8443/warehouse/mcp',
    'https://mcp.example:0443/warehouse/mcp',
    'https://mcp.example:443x/warehouse/mcp',
    'https://mcp.example./warehouse/mcp',
    'https://mcp.example.evil.example/warehouse/mcp',
    'https://evil.example/warehouse/mcp',
    'https://evil.example/https://mcp.example/warehouse/mcp',
    'https://mcp.example@evil.example/warehouse/mcp',
    'https://evil.example@mcp.example/warehouse/mcp',
    'https://user:pass@mcp.example/warehouse/mcp',
    'https://mcp.example%40evil.example/warehouse/mcp',
    'https://mcp.example%2f/warehouse/mcp',
    'https://mcp.example\\warehouse\\mcp',
    'https://mcp.example/warehouse\\mcp',
    'https:\\\\mcp.example/warehouse/mcp',
    'https:mcp.example/warehouse/mcp',
    'https:/mcp.example/warehouse/mcp',
    'https:///mcp.example/warehouse/mcp',
    '//mcp.example/warehouse/mcp',
    '/warehouse/mcp',
    'mcp.example/warehouse/mcp',
    'https://mcp.example/warehouse',
    'https://mcp.example/warehouse/mcp/',
    'https://mcp.example/warehouse/mcp//',
    'https://mcp.example//warehouse/mcp',
    'https://mcp.example/warehouse//mcp',
    'https://mcp.example/warehouse/MCP',
    'https://mcp.example/warehouse%2Fmcp',
    'https://mcp.example/warehouse%2fmcp',
    'https://mcp.example/warehouse/mcp%00',
    'https://mcp.example/warehouse/mcp%20',
    'https://mcp.example/warehouse/mcp;x',
    'https://mcp.example/warehouse/mcp/.',
    'https://mcp.example/warehouse/mcp/..',
    'https://mcp.example/warehouse/mcp/x/..',
    'https://mcp.example/warehouse/other/../mcp/',
    'https://mcp.example/warehouse/mc%2570',
    ' https://mcp.example/warehouse/mcp',
    'https://mcp.example/warehouse/mcp ',
    'https://mcp.example/warehouse/mcp\n',
    'https://mcp.exa\tmple/warehouse/mcp',
    'https://ｍcp.example/warehouse/mcp',
    'https://mcp。example/warehouse/mcp',
    'https://mcp.example/warehouse/mcр',
    'https://xn--mcp.example/warehouse/mcp',
    'https://mcp.example/warehouse/mcp%',
    'https://mcp.example/warehouse/mcp%zz',
    'wss://mcp.example/warehouse/mcp',
    'javascript:https://mcp.example/warehouse/mcp',
    'file:///warehouse/mcp',
    '',
    'https://',
    `https://mcp.example/warehouse/mcp?${'x'.repeat(2048)}`,
  ])('%j', (text) => {
    expect(normaliseTarget(text)).not.toBe(normaliseTarget(resource));
  });

  test('an address in another notation', () => {
    const local = normaliseTarget('http://127.0.0.1:8080/mcp');
    expect(local).toBe('http://127.0.0.1:8080/mcp');
    for (const host of ['2130706433', '0x7f000001', '0177.0.0.1', '127.1', '[::ffff:127.0.0.1]', '[::1]']) {
      expect(normaliseTarget(`http://${host}:8080/mcp`)).not.toBe(local);
    }
  });

  test('a host with escapes that stay is none', () => {
    for (const host of [
      'mcp%2fexample',
      'mcp%40example',
      'mcp%00example',
      'mcp%3aexample',
      'mcp%25example',
    ]) {
      expect(normaliseTarget(`https://${host}/warehouse/mcp`)).toBeUndefined();
    }
  });

  test('an empty path is the root', () => {
    expect(normaliseTarget('https://mcp.example')).toBe(normaliseTarget('https://mcp.example/'));
    expect(normaliseTarget('https://mcp.example?x')).toBe('https://mcp.example:443/');
  });

  test('each scheme has its own port', () => {
    expect(normaliseTarget('http://mcp.example/')).toBe('http://mcp.example:80/');
    expect(normaliseTarget('https://mcp.example/')).toBe('https://mcp.example:443/');
  });

  test('escapes that stay are written with capitals', () => {
    expect(normaliseTarget('https://mcp.example/a%2fb')).toBe('https://mcp.example:443/a%2Fb');
  });

  test('2048 characters are taken', () => {
    const text = (length: number) => `${resource}?`.padEnd(length, 'x');
    expect(normaliseTarget(text(2048))).toBe(normaliseTarget(resource));
    expect(normaliseTarget(text(2049))).toBeUndefined();
  });
});

test('a normal form is its own normal form, and no text throws', () => {
  const piece = fc.constantFrom(
    ...[
      'https://',
      'HTTP://',
      'mcp.example',
      'MCP',
      ':443',
      ':',
      '/',
      '//',
      '.',
      '..',
      '%2e',
      '%2F',
      '%41',
      '%',
    ],
    ...['?', '#', '@', '\\', ' ', '[::1]', 'é', 'a', '-', '~'],
  );
  const path = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''));
  const url = path.map((text) => `https://mcp.example/${text}`);
  let normal = 0;
  fc.assert(
    fc.property(fc.oneof(url, path, fc.string({ maxLength: 40 })), (text) => {
      const once = normaliseTarget(text);
      if (once === undefined) return;
      normal += 1;
      expect(normaliseTarget(once)).toBe(once);
    }),
    { numRuns: 500 },
  );
  expect(normal).toBeGreaterThan(20);
});
