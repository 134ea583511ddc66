import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isShowableUrl } from '../../src/mcp/question-url.ts';

describe('a URL that a server wants a person to open', () => {
  for (const url of [
    'https://idp.example',
    'https://idp.example/',
    'https://login.idp.example:8443/authorize?client_id=a&state=%20b#x',
    'https://a-b.example/path/%2F..;x',
  ]) {
    it(`may be shown: ${url}`, () => expect(isShowableUrl(url)).toBe(true));
  }

  for (const url of [
    '',
    'http://idp.example/',
    'HTTPS://idp.example/',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'java\tscript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'vscode://x/y',
    'https:idp.example',
    'https:/idp.example',
    'https:///idp.example',
    'https:\\\\idp.example',
    'https://idp.example\\@evil.example/',
    'https://idp.example@evil.example/',
    'https://user:password@idp.example/',
    'https://:@idp.example/',
    'https://@idp.example/',
    'https://idp.example%40evil.example/',
    'https://idp.example%2F@evil.example/',
    'https://xn--80ak6aa92e.com/',
    'https://login.xn--pple-43d.com/',
    'https://аpple.com/',
    'https://ｉdp.example/',
    'https://IDP.example/',
    'https://idp.example./',
    'https://idp..example/',
    'https://.example/',
    'https://-idp.example/',
    'https://idp-.example/',
    'https://idp_a.example/',
    'https://localhost/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0x7f.0x1/',
    'https://127.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://idp.example:0/',
    'https://idp.example:99999/',
    'https://idp.example:44 3/',
    'https://idp.example:443:443/',
    'https://idp.example:/',
    ' https://idp.example/',
    'https://idp.example/ ',
    'https://idp.example/a b',
    'https://idp.example/\n',
    'https://idp.example/\u0000',
    'https://idp.example/\u202egpj.exe',
    'https://idp\u200b.example/',
    'https://idp\u00ad.example/',
    'https://idp。example/',
    `https://idp.example/${'a'.repeat(2048)}`,
  ]) {
    it(`should NOT be shown: ${JSON.stringify(url).slice(0, 60)}`, () =>
      expect(isShowableUrl(url)).toBe(false));
  }

  it('has the host that it seems to have, for whoever reads it', () => {
    const part = fc.oneof(
      fc.constantFrom(
        'https://',
        '@',
        ':',
        '/',
        '\\',
        '?',
        '#',
        '.',
        '%',
        'xn--',
        'idp.example',
        'evil.example',
        '[',
        ']',
      ),
      fc.string({ maxLength: 4, unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const url = `https://${parts.join('')}`;
        if (!isShowableUrl(url)) return;
        const seen = /^https:\/\/([a-z0-9.-]+)(?::\d+)?(?:[/?#]|$)/.exec(url)?.[1];
        const parsed = new URL(url);
        expect([parsed.protocol, parsed.hostname, parsed.username]).toEqual(['https:', seen, '']);
      }),
      { numRuns: 2000 },
    );
  });
});
