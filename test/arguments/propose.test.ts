import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileArgumentRule } from '../../src/arguments/compile.ts';
import { readArgumentRule } from '../../src/arguments/options.ts';
import { proposeRoles } from '../../src/arguments/propose.ts';
import type { JsonObject, JsonValue } from '../../src/values/json.ts';
import '../support/sql-grammars.ts';

const place = { id: 'p', location: 'p', mode: 'shadow' } as const;
const call = { upstream: 'u', tool: 't', principal: { id: 'a' }, time: 0 };

function schema(properties: JsonObject): JsonObject {
  return { type: 'object', properties };
}

function proposed(
  name: string,
  values: readonly JsonValue[],
  of?: JsonObject,
  tool = 'do',
): JsonObject | undefined {
  const inputSchema = of === undefined ? undefined : schema({ [name]: of });
  return proposeRoles(
    { name: tool, inputSchema },
    values.map((value) => ({ [name]: value })),
  ).args[name];
}

const many = (make: (index: number) => JsonValue, count = 60): readonly JsonValue[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe('a proposal', () => {
  it('takes every call that it was made from', () => {
    const value = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.uuid(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.string(), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('path', 'id', 'x'), fc.string(), { maxKeys: 3 }),
    );
    const names = fc.constantFrom('path', 'url', 'id', 'date', 'email', 'sql', 'note', 'count', 'branch');
    const calls = fc.array(fc.dictionary(names, value, { maxKeys: 4 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(calls, (observed) => {
        const args = observed as readonly JsonObject[];
        const rule = compileArgumentRule(
          readArgumentRule({ args: proposeRoles({ name: 'do', inputSchema: undefined }, args).args }),
          place,
        );
        for (const seen of args) expect(rule.judge(seen, call).fault).toBeUndefined();
      }),
    );
  });

  it('reads roles from names, as far as the values bear it out', () => {
    expect(
      proposed(
        'path',
        many((n) => `/home/ann/p${n}/a.ts`),
      ),
    ).toEqual({ path: { within: ['/home/ann'] } });
    expect(
      proposed(
        'url',
        many((n) => `https://example.com/${n}`),
      ),
    ).toEqual({ url: {} });
    expect(
      proposed(
        'url',
        many((n) => `http://localhost:3000/${n}`),
      ),
    ).toMatchObject({ url: { addresses: 'any' } });
    expect(
      proposed(
        'issue_key',
        many((n) => `ABC-${n}`),
      ),
    ).toEqual({ id: {} });
    expect(
      proposed(
        'sql',
        many(() => 'SELECT 1'),
      ),
    ).toEqual({ sql: { dialect: 'postgresql' } });
    expect(
      proposed(
        'path',
        many((n) => `~/x${n}`),
      ),
    ).toEqual({ text: { maxLength: 16_384 } });
    expect(
      proposed(
        'branch',
        many((n) => `fix-#${n}`),
      ),
    ).toEqual({ text: { maxLength: 16_384 } });
  });

  it('asks more only where many values speak for it', () => {
    expect(
      proposed(
        'url',
        many((n) => `https://example.com/${n}`, 20),
      ),
    ).toMatchObject({
      url: { schemes: ['https', 'http'], ports: 'any' },
    });
    expect(
      proposed(
        'path',
        many((n) => `/home/ann/${n}`, 20),
      ),
    ).toMatchObject({ path: { within: ['/'] } });
    expect(
      proposed(
        'owner',
        many((n) => `a${n}`, 12),
      ),
    ).toMatchObject({ id: { preset: 'resource' } });
    expect(
      proposed(
        'branch',
        many((n) => `a${n}`, 12),
      ),
    ).toMatchObject({ text: {} });
    expect(
      proposed(
        'url',
        many((n) => `https://example.com/${n}`, 4),
      ),
    ).toBeUndefined();
  });

  it('takes no type from few values that no schema declares', () => {
    expect(proposed('n', [1, 2])).toBeUndefined();
    expect(
      proposed(
        'n',
        many((n) => n, 10),
      ),
    ).toMatchObject({ number: {} });
    expect(
      proposed(
        'n',
        many((n) => n),
      ),
    ).toEqual({ int: { min: 0, max: 1000 } });
    expect(proposed('n', [1], { type: 'integer' })).toEqual({ int: {} });
    expect(
      proposed(
        'n',
        many((n) => n),
        { type: 'number' },
      ),
    ).toEqual({ int: { min: 0, max: 1000 } });
    expect(proposed('n', [1, 'x', 2, 'y', 3])).toBeUndefined();
  });

  it('lets null through where the schema or a call does', () => {
    expect(proposed('s', ['a'], { anyOf: [{ type: 'string' }, { type: 'null' }] })).toMatchObject({
      nullable: true,
    });
    expect(proposed('s', ['a'], { type: ['string', 'null'] })).toMatchObject({ nullable: true });
    expect(proposed('s', ['a', null], { type: 'string' })).toMatchObject({ nullable: true });
    expect(proposed('s', ['a'], { type: 'string' })).toEqual({ text: { maxLength: 1_048_576 } });
  });

  it('says nothing where nothing is certain', () => {
    for (const of of [{}, { anyOf: [{ type: 'string' }, { type: 'integer' }] }, { $ref: '#/x' }]) {
      expect(proposeRoles({ name: 'do', inputSchema: schema({ x: of }) }).args).toEqual({});
    }
  });

  it('of a schema alone has types, formats and names that are nearly always right', () => {
    const text = { type: 'string' };
    const { args } = proposeRoles({
      name: 'fetch',
      inputSchema: schema({
        url: text,
        link: { type: 'string', format: 'uri' },
        path: text,
        owner: text,
        branch: text,
        since: text,
        id_or_url: text,
        start: { type: 'string', format: 'date-time' },
        mode: { enum: ['a', 'b'] },
        n: { type: 'integer' },
        edits: { type: 'array', items: { type: 'object', properties: { path: text } } },
      }),
    });
    const free = { text: { maxLength: 1_048_576 } };
    expect(args).toEqual({
      url: { url: { schemes: ['https', 'http'], ports: 'any' } },
      link: { url: { schemes: ['https', 'http'], ports: 'any' } },
      path: { path: { within: ['/'], base: '/', style: 'posix', uri: true } },
      owner: { id: { preset: 'resource' } },
      branch: free,
      since: free,
      id_or_url: free,
      start: { date: { time: 'allow', offset: 'allow' } },
      mode: { enum: ['a', 'b'] },
      n: { int: {} },
      'edits[*].path': { path: { within: ['/'], base: '/', style: 'posix', uri: true } },
    });
  });

  it('leaves pages of a browser alone until calls were seen', () => {
    const inputSchema = schema({ url: { type: 'string' } });
    expect(proposeRoles({ name: 'browser_navigate', inputSchema }).args).toEqual({
      url: { text: { maxLength: 1_048_576 } },
    });
  });
});
