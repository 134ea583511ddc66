import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emailRole } from '../../../src/arguments/roles/email.ts';
import { emailOptions } from '../../../src/arguments/roles/email-options.ts';
import type { JsonValue } from '../../../src/values/json.ts';

function faultOf(value: JsonValue, options: object = {}): string | undefined {
  return emailRole.compile(emailOptions.parse(options)).judge(value)?.fault;
}

describe('email', () => {
  it.each([
    'a@b.co',
    'someone@example.com',
    'Some.One@Example.COM',
    'some.one+tag@example.co.uk',
    "o'brien@example.ie",
    'first_last@example.com',
    'first-last@sub.example.com',
    '123@example.com',
    'a=b@example.com',
    'x#y@example.com',
    'bounce+a=b.example@lists.example.com',
    'postmaster@xn--mnchen-3ya.de',
    'someone@example.museum',
    'someone@1and1.com',
    'someone@123.com',
    `${'a'.repeat(64)}@example.com`,
  ])('passes %s', (value) => {
    expect(faultOf(value)).toBeUndefined();
  });

  it.each([
    [1, 'not-text'],
    [['a@b.co'], 'not-text'],
    ['', 'not-an-address'],
    ['a', 'not-an-address'],
    ['@', 'not-an-address'],
    ['@b.co', 'not-an-address'],
    ['a@', 'domain'],
    ['a@b', 'domain'],
    ['a@localhost', 'domain'],
    ['a@@b.co', 'not-an-address'],
    ['a@b@c.co', 'not-an-address'],
    ['a@b.co,c@d.co', 'not-an-address'],
    ['a@b.co;c@d.co', 'not-an-address'],
    ['a@b.co c@d.co', 'not-an-address'],
    ['a@b.co,evil', 'domain'],
    ['a@b.co ', 'domain'],
    [' a@b.co', 'not-an-address'],
    ['a b@c.co', 'not-an-address'],
    ['a@b.co\r\nBcc: c@d.co', 'control-character'],
    ['a@b.co\nBcc: c@d.co', 'control-character'],
    ['a@b.co\r', 'control-character'],
    ['a@b.co%0d%0aBcc:c', 'domain'],
    ['a%0d%0aBcc:c@b.co', 'not-an-address'],
    ['a\u0000@b.co', 'control-character'],
    ['a\t@b.co', 'control-character'],
    ['a@b.co\u2028', 'control-character'],
    ['a@b.co\u0085', 'control-character'],
    ['"a"@b.co', 'not-an-address'],
    ['"a b"@c.co', 'not-an-address'],
    ['"a@evil.example"@b.co', 'not-an-address'],
    ['a(comment)@b.co', 'not-an-address'],
    ['a@b.co(comment)', 'domain'],
    ['a@(comment)b.co', 'domain'],
    ['.a@b.co', 'not-an-address'],
    ['a.@b.co', 'not-an-address'],
    ['a..b@c.co', 'not-an-address'],
    ['-oQ/tmp@b.co', 'not-an-address'],
    ['a%evil.example@b.co', 'not-an-address'],
    ['evil.example!a@b.co', 'not-an-address'],
    ['|id@b.co', 'not-an-address'],
    ['`id`@b.co', 'not-an-address'],
    ['$(id)@b.co', 'not-an-address'],
    ['a\\@b.co', 'not-an-address'],
    ['a:b@c.co', 'not-an-address'],
    ['mailto:a@b.co', 'not-an-address'],
    ['@relay.example:a@b.co', 'not-an-address'],
    ['<a@b.co>', 'display-name'],
    ['A <a@b.co>', 'display-name'],
    ['a@b.co <c@d.co>', 'display-name'],
    ['a@[127.0.0.1]', 'domain'],
    ['a@[IPv6:::1]', 'domain'],
    ['a@127.0.0.1', 'domain'],
    ['a@2130706433', 'domain'],
    ['a@b..co', 'domain'],
    ['a@.b.co', 'domain'],
    ['a@b.co.', 'domain'],
    ['a@-b.co', 'domain'],
    ['a@b-.co', 'domain'],
    ['a@b_c.co', 'domain'],
    ['a@b.c0', 'domain'],
    ['a@b/c.co', 'domain'],
    ['a@b%2eco', 'domain'],
    ['\u00e4@b.co', 'other-than-ascii'],
    ['a@\u00e4.co', 'other-than-ascii'],
    ['a@b\u3002co', 'other-than-ascii'],
    ['a\uff20b.co', 'not-an-address'],
    ['\u202ea@b.co', 'other-than-ascii'],
    [`${'a'.repeat(65)}@b.co`, 'not-an-address'],
    [`a@${'b'.repeat(64)}.co`, 'domain'],
    [`a@${'b.'.repeat(130)}co`, 'too-long'],
  ] as const)('refuses %j: %s', (value, fault) => {
    expect(faultOf(value as JsonValue)).toBe(fault);
  });

  it.each([
    ['a@acme.example', undefined],
    ['a@ACME.example', undefined],
    ['a@x.acme.example', 'domain-not-listed'],
    ['a@x.sub.example', undefined],
    ['a@sub.example', 'domain-not-listed'],
    ['a@y.x.sub.example', 'domain-not-listed'],
    ['a@y.x.deep.example', undefined],
    ['a@xsub.example', 'domain-not-listed'],
    ['a@acme.example.evil.example', 'domain-not-listed'],
    ['acme.example@evil.example', 'domain-not-listed'],
    ['a@xacme.example', 'domain-not-listed'],
    ['a@acme.exampl', 'domain-not-listed'],
  ])('with listed domains %s: %s', (value, fault) => {
    expect(faultOf(value, { domains: ['acme.example', '*.sub.example', '**.deep.example'] })).toBe(fault);
  });

  it.each([
    ['Some One <a@acme.example>', undefined],
    ["Miles O'Brien <a@acme.example>", undefined],
    ['<a@acme.example>', undefined],
    ['a@acme.example', undefined],
    ['"Some, One" <a@acme.example>', 'not-an-address'],
    ['Some, One <a@acme.example>', 'not-an-address'],
    ['b@evil.example <a@acme.example>', 'not-an-address'],
    ['Some <b@evil.example> <a@acme.example>', 'not-an-address'],
    ['Some <a@evil.example>', 'domain-not-listed'],
    ['Some <a@acme.example', 'not-an-address'],
    ['Some <a@acme.example>, b@evil.example', 'not-an-address'],
    ['Some\r\n <a@acme.example>', 'control-character'],
    ['\u00c4 <a@acme.example>', 'not-an-address'],
  ])('with a display name %j: %s', (value, fault) => {
    expect(faultOf(value, { displayName: 'allow', domains: ['acme.example'] })).toBe(fault);
  });

  it.each([
    ['j\u00fcrgen@m\u00fcnchen.example', undefined],
    ['\u7528\u6237@\u4f8b\u3048.example', undefined],
    ['a@\uff4d.example', 'domain'],
    ['\uff41@m.example', 'not-an-address'],
    ['a\u200b@m.example', 'not-an-address'],
    ['a\u202e@m.example', 'not-an-address'],
    ['a@m\u3002example', 'domain'],
  ])('with other letters %j: %s', (value, fault) => {
    expect(faultOf(value, { unicode: 'allow' })).toBe(fault);
  });

  it('compares international domains in one form', () => {
    const options = { unicode: 'allow', domains: ['m\u00fcnchen.example'] };
    expect(faultOf('a@xn--mnchen-3ya.example', options)).toBeUndefined();
    expect(faultOf('a@M\u00dcNCHEN.example', options)).toBeUndefined();
    expect(faultOf('a@munchen.example', options)).toBe('domain-not-listed');
  });

  it('passes nothing that has two recipients, or more than one line', () => {
    const piece = fc.constantFrom(
      'a',
      'b.co',
      '@',
      '<',
      '>',
      ',',
      ';',
      ' ',
      '\r\n',
      '"',
      '(',
      ')',
      '.',
      '\\',
      ':',
      '%',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        if (faultOf(text) === undefined) expect(text).toMatch(/^[a-z.]+@[a-z.]+$/);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    [{ domains: ['10.0.0.1'] }, 'expected a domain'],
    [{ domains: ['a@b.co'] }, 'expected a domain'],
    [{ domains: ['*'] }, 'expected a domain'],
    [{ domain: 'b.co' }, 'domain'],
  ])('does not accept %j', (options, message) => {
    const parsed = emailOptions.safeParse(options);
    expect(parsed.success ? '' : parsed.error.message).toContain(message);
  });
});
