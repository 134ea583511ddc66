import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBind } from '../../src/listener/bind.ts';
import { createHostRules, normaliseHost, normaliseOrigin } from '../../src/listener/hosts.ts';
import { accepts, isPlainJson } from '../../src/listener/media.ts';
import { readRequestHeaders } from '../../src/listener/request-headers.ts';
import { splitTarget } from '../../src/listener/routes.ts';

const single = ['host', 'origin', 'expect', 'upgrade', 'content-type', 'content-length', 'transfer-encoding'];
const name = fc.oneof(
  fc.constantFrom(...single, 'accept', 'content-encoding', 'x-other', 'hosts', 'hos\u017f'),
  fc.string({ maxLength: 17 }).filter((text) => !text.startsWith(':')),
);
const spelled = fc
  .tuple(name, fc.boolean())
  .map(([text, upper]) => (upper ? text.replace(/[a-z]/g, (letter) => letter.toUpperCase()) : text));
const headerList = fc.array(fc.tuple(spelled, fc.string({ maxLength: 20 })), { maxLength: 12 });

describe('for all requests', () => {
  it('a header that must be single is read if it is there once, and fails the request if it is there twice', () => {
    fc.assert(
      fc.property(headerList, (headers) => {
        const result = readRequestHeaders(headers.flat());
        const values = (wanted: string) =>
          headers.filter(([text]) => text.toLowerCase() === wanted).map(([, value]) => value);
        expect(typeof result === 'string').toBe(single.some((wanted) => values(wanted).length > 1));
        if (typeof result === 'string') return;
        expect(result).toMatchObject({
          host: values('host')[0],
          origin: values('origin')[0],
          contentType: values('content-type')[0],
          contentLength: values('content-length')[0],
          transferEncoding: values('transfer-encoding')[0],
          expect: values('expect')[0],
          upgrade: values('upgrade')[0],
          contentEncoding: values('content-encoding').length > 0,
          accept: values('accept').length === 0 ? undefined : values('accept').join(','),
        });
      }),
    );
  });

  it('a Host is served only if it is a listed name, give or take case and port', () => {
    const rules = createHostRules('0.0.0.0:1', ['mcp.example', '[::1]'], []);
    const near = fc.tuple(
      fc.string({ maxLength: 2 }),
      fc.constantFrom('mcp.example', 'MCP.example', '[::1]', '::1', 'mcp.exampl'),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(near, ([before, host, after]) => {
        const text = before + host + after;
        const expected = /^(?:mcp\.example|\[::1\])(?::[0-9]{1,5})?$/.test(
          text.replace(/[A-Z]/g, (l) => l.toLowerCase()),
        );
        expect(rules.allowsHost(text)).toBe(expected);
      }),
    );
  });

  it('only plain JSON in UTF-8 passes for it', () => {
    const parts = fc.array(
      fc.constantFrom(
        'application/json',
        'APPLICATION/JSON',
        ';',
        ' ',
        'charset=utf-8',
        'charset=utf-16',
        ',',
        '+',
        '"',
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(parts, (pieces) => {
        const text = pieces.join('');
        if (!isPlainJson(text)) return;
        const [type, parameter, ...more] = text.split(';').map((part) => part.trim().toLowerCase());
        expect([type, more.length]).toEqual(['application/json', 0]);
        expect([undefined, 'charset=utf-8', 'charset="utf-8"']).toContain(parameter);
      }),
    );
  });

  it('no text makes the readers throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        normaliseHost(text);
        normaliseOrigin(text);
        parseBind(text);
        accepts(text, 'application/json');
        expect(new Map([['/w/mcp', 'w']]).get(splitTarget(text).path)).toBeUndefined();
      }),
    );
  });
});
