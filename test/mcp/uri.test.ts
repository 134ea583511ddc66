import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourceName, resourceTemplateName } from '../../src/mcp/uri.ts';

function nameOf(uri: string): string {
  const name = resourceName(uri);
  return name.ok ? name.value : name.failure.code;
}
const refused = 'frame-params-invalid';

describe('one resource has one name', () => {
  it.each([
    'file:///workspace/report.txt',
    'file:///workspace/',
    'test://static-text',
    'test://template/123/data',
    'demo://resource/static/document/features.md',
    'skill://acme/pdf/SKILL.md',
    'ui://weather/widget.html',
    'postgres://db/public/customers/schema',
    'https://example.com/a?b=c&d=e%26f#part',
    'https://example.com:8443/x',
    'http://127.0.0.1:3000/x',
    'http://[::1]/x',
    'note:today',
    'urn:isbn:0451450523',
    'data:text/plain,hello',
    'jira://PROJ-123/comments',
    'file:///a.b/..c/.d/..e',
    'res://h/a?path=../x',
  ])('%s is its own', (uri) => {
    expect(nameOf(uri)).toBe(uri);
  });

  it.each([
    ['https://example.com', 'https://example.com/'],
    ['file:///r%C3%A4ume/x', 'file:///r%C3%A4ume/x'],
    ['file:///räume/x', 'file:///r%C3%A4ume/x'],
    ['file:///r%c3%a4ume/x', 'file:///r%C3%A4ume/x'],
    ['file:///my docs/x', 'file:///my%20docs/x'],
    ['file:///my%20docs/x', 'file:///my%20docs/x'],
    ['users://x/a%40b.com', 'users://x/a@b.com'],
    ['users://x/a%3Ab%2Cc', 'users://x/a:b,c'],
    ['file:///x%7Cy', 'file:///x%7Cy'],
    ['file:///x%3Fy', 'file:///x%3Fy'],
    ['file:///100%25', 'file:///100%25'],
    ['res://h/x?path=a%2Fb', 'res://h/x?path=a/b'],
    ['res://h/x?q=a%26b', 'res://h/x?q=a%26b'],
  ])('%s is named %s', (uri, name) => {
    expect(nameOf(uri)).toBe(name);
  });
});

describe('a URI that can be read as another resource is refused', () => {
  const disguises: readonly string[] = [
    // Dot segments, in every spelling.
    'file:///workspace/../payroll/x',
    'file:///workspace/./x',
    'file:///workspace/..',
    'file:///workspace/%2e%2e/payroll/x',
    'file:///workspace/%2E%2E/payroll/x',
    'file:///workspace/.%2e/payroll/x',
    'file:///workspace/%2e./payroll/x',
    'file:///workspace/..%2fpayroll/x',
    'file:///workspace/..%5cpayroll/x',
    'file:///workspace/..\\payroll/x',
    'file:///workspace/..;/payroll/x',
    'file:///workspace/%252e%252e/payroll/x',
    'file:///workspace/%25%32%65/x',
    'test://h/a/../b',
    'note:a/../b',
    'test://../payroll',
    'test://./payroll',
    'https://..',
    'https://example.com/a/../b',
    // Hidden letters and delimiters.
    'file:///%70ayroll/x',
    'file:///payroll%2Fx',
    'file:///payroll%2fx',
    'file:///payroll%5Cx',
    'file:///x%2541',
    'file:///x%00.txt',
    'file:///x%0a',
    'file:///x%7f',
    'file:///x%C0%AFy',
    'file:///x%FF',
    'file:///x%zz',
    'file:///x%4',
    'file:///x%',
    'https://example.com/%7Euser',
    // Slashes.
    'file:////payroll/x',
    'file:///workspace//x',
    'file://///payroll',
    'file:/payroll/x',
    'file:payroll/x',
    'file:\\\\payroll\\x',
    'https:/example.com/x',
    'https:example.com/x',
    'https:///example.com/x',
    'https:\\\\example.com/x',
    // Scheme and host.
    'FILE:///payroll/x',
    'File:///payroll/x',
    'HTTPS://example.com/',
    'https://EXAMPLE.com/',
    'file://localhost/payroll/x',
    'file:///C|/x',
    'https://example.com:443/',
    'http://example.com:80/',
    'http://example.com:080/',
    'http://example.com:/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://127.1/',
    'http://[0:0::1]/',
    'https://ex%61mple.com/',
    'https://b\u00fccher.example/',
    'https://\uff45xample.com/',
    'https://allowed.example@evil.example/',
    'https://user:secret@example.com/',
    'test://allowed@evil/x',
    'test://allowed%40evil/x',
    'test://h%2Fx/y',
    'test://h%3Ax/y',
    // Controls, white space and nothing.
    ' file:///x',
    'file:///x ',
    'file:///x\n',
    'fi\nle:///x',
    'file:///a\tb',
    'file:///a\0b',
    'file:///a\u0085b',
    'file:///a\u2028b',
    'file:///\ud800',
    '',
    ':',
    '/payroll/x',
    '//host/x',
    'payroll',
    'x:',
    '1x://h/y',
    `file:///${'x'.repeat(5000)}`,
  ];
  it.each(disguises)('%j', (uri) => {
    expect(nameOf(uri)).toBe(refused);
  });
});

describe('names, for any URI', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '//',
      '.',
      '..',
      '%2e',
      '%2F',
      '%',
      '%25',
      '?',
      '#',
      '@',
      ':',
      '\\',
      'ä',
      '%C3%A4',
      'a',
      'B',
      ' ',
      ';',
    ),
    fc.string({ unit: 'binary', maxLength: 2 }),
  );
  const anyUri = fc
    .tuple(
      fc.constantFrom('file:///', 'https://h/', 'test://h/', 'note:', 'https://'),
      fc.array(piece, { maxLength: 8 }),
    )
    .map(([start, pieces]) => start + pieces.join(''));

  it('are their own names', () => {
    fc.assert(
      fc.property(anyUri, (uri) => {
        const name = resourceName(uri);
        if (name.ok) expect(nameOf(name.value)).toBe(name.value);
      }),
      { numRuns: 2000 },
    );
  });

  it('are plain ASCII without dot segments or escaped letters, and mean the same to WHATWG', () => {
    fc.assert(
      fc.property(anyUri, (uri) => {
        const name = resourceName(uri);
        if (!name.ok) return;
        expect(name.value).toMatch(/^[\x21-\x7e]+$/);
        const path = name.value.replace(/[?#].*$/s, '');
        expect(path.split('/')).not.toContain('..');
        expect(path.split('/')).not.toContain('.');
        expect(decodeURIComponent(new URL(uri).href)).toBe(decodeURIComponent(new URL(name.value).href));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('URI templates', () => {
  it.each([
    'test://template/{id}/data',
    'file:///{+path}',
    'res://h/x{?q,r}',
    '{scheme}://h/x',
    'test://{host}/x',
    'test://h/x',
  ])('%s is its own name', (template) => {
    const name = resourceTemplateName(template);
    expect(name.ok && name.value).toBe(template);
  });
  it.each([
    'file:///workspace/../{x}',
    'file:///%2e%2e/{x}',
    'file:////{x}',
    'FILE:///{x}',
    'file:///{x',
    'file:///x}',
    'file:///{a{b}}',
    'file:///{x}\n',
    'file:///{\0}',
    'https://a@{host}/',
    'test://h/x%2F{y}',
    '',
  ])('%j is refused', (template) => {
    expect(resourceTemplateName(template).ok).toBe(false);
  });
});
