import { beforeAll, describe, expect, it } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import type { RecordedRequest } from '../support/recorder.ts';
import { type Arena, legacyCall, postModern, startArena } from './arena.ts';

const open = `
version: 1
roles:
  caller:
    allow: [{ tools: ["*"] }]
bindings:
  - { roles: [caller], to: { any: true } }
arguments:
`;

const policy = `${open}
  - id: all
    match: { tools: [all] }
    args:
      limit: { int: { min: 1 }, clamp: { max: 1000 } }
      huge: { int: { max: "9007199254740993" }, clamp: { max: "9007199254740993" } }
      region: { set: eu }
      tier: { default: basic }
      debug: { drop: true }
      note: { text: { ban: [control, bidi, invisible] }, strip: [control, bidi, invisible, ansi] }
      title: { normalize: [trim, nfc] }
      "deep.place": { default: here }
  - id: unlisted
    match: { tools: [unlisted] }
    args: { region: { set: eu } }
  - id: path
    match: { tools: [stripped_path] }
    args: { path: { path: { within: /workspace }, strip: [invisible, bidi, control, ansi] } }
  - id: normalized
    match: { tools: [normalized_path] }
    args: { path: { path: { within: /workspace }, normalize: path } }
  - id: drops
    match: { tools: [both] }
    args: { key: { drop: true } }
  - id: needs
    match: { tools: [both] }
    args: { key: { required: true } }
  - id: up
    match: { tools: [undo] }
    args: { n: { clamp: { min: 10 } } }
  - id: down
    match: { tools: [undo] }
    args: { n: { clamp: { max: 5 } } }
  - id: first
    match: { tools: [chain] }
    args: { text: { strip: invisible } }
  - id: second
    match: { tools: ["ch*"] }
    args: { text: { normalize: trim } }
  - id: third
    match: { tools: ["*hain"] }
    args: { text: { enum: [good] } }
  - id: earlier
    match: { tools: [order] }
    args: { n: { int: { max: 5 } } }
  - id: later
    match: { tools: [order] }
    args: { n: { default: 7 } }
`;

const annotated = {
  type: 'object',
  properties: {
    limit: { type: 'integer', 'x-mcp-header': 'Limit' },
    huge: { type: 'integer', 'x-mcp-header': 'Huge' },
    region: { type: 'string', 'x-mcp-header': 'Region' },
    tier: { type: 'string', 'x-mcp-header': 'Tier' },
    debug: { type: 'boolean', 'x-mcp-header': 'Debug' },
    note: { type: 'string', 'x-mcp-header': 'Note' },
    title: { type: 'string', 'x-mcp-header': 'Title' },
    path: { type: 'string', 'x-mcp-header': 'Path' },
    deep: { type: 'object', properties: { place: { type: 'string', 'x-mcp-header': 'Place' } } },
  },
};

const sentinel = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;
/** As a header of the specification: plain where it is visible ASCII. */
const headerText = (value: unknown) =>
  typeof value === 'string' && !/^[\x21-\x7e]+$/.test(value) ? sentinel(value) : String(value);
const suffixes = ['limit', 'huge', 'region', 'tier', 'debug', 'note', 'title', 'path'];

function honestHeaders(args: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const suffix of suffixes) {
    const value = args[suffix];
    if (value !== undefined && value !== null) headers[`mcp-param-${suffix}`] = headerText(value);
  }
  const deep = args['deep'] as { place?: string } | undefined;
  if (deep?.place !== undefined) headers['mcp-param-place'] = headerText(deep.place);
  return headers;
}

function paramHeaders({ rawHeaders }: RecordedRequest): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (!name.startsWith('mcp-param-')) continue;
    expect(found, 'each header once').not.toHaveProperty(name);
    found[name] = rawHeaders[at + 1]!;
  }
  return found;
}

const argumentsOf = ({ messages }: RecordedRequest) =>
  messages[0]!.params!['arguments'] as Record<string, unknown>;

let arena: Arena;
beforeAll(async () => {
  arena = await startArena({ policy });
  arena.recorder.on('tools/list', ({ id }) => ({
    kind: 'json',
    body: {
      jsonrpc: '2.0',
      id,
      result: {
        resultType: 'complete',
        ttlMs: 0,
        cacheScope: 'private',
        tools: ['all', 'stripped_path', 'normalized_path', 'both', 'undo', 'chain', 'order'].map((name) => ({
          name,
          inputSchema: annotated,
        })),
      },
    },
  }));
});

async function sendModern(name: string, args: Readonly<Record<string, unknown>>) {
  const { headers, body } = modern('tools/call', { name, arguments: args });
  return postModern(arena, { headers: { ...headers, ...honestHeaders(args) }, body });
}

// First of all: nobody has asked for the annotations yet.
it('headers mirror what is filled in for a tool not seen before', async () => {
  const { seen } = await arena.observe(() => sendModern('all', {}));
  const filled = { region: 'eu', tier: 'basic', deep: { place: 'here' } };
  expect(seen.map(argumentsOf)).toEqual([filled]);
  expect(paramHeaders(seen[0]!)).toEqual(honestHeaders(filled));
});

describe('headers that mirror rewritten arguments', () => {
  const filled = { region: 'eu', tier: 'basic', deep: { place: 'here' } };
  const cases: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>])[] = [
    ['clamp', { limit: 5000 }, { ...filled, limit: 1000 }],
    ['set', { region: 'us' }, filled],
    ['set over text that no header can hold', { region: 'us\u00e9' }, filled],
    ['default', {}, filled],
    ['drop', { debug: true }, filled],
    ['strip', { note: 'a\u202eb\u200bc\u001b[31md' }, { ...filled, note: 'abcd' }],
    ['strip to nothing', { note: '\u200b' }, { ...filled, note: '' }],
    ['strip, and what is left needs a sentinel', { note: 'é\u200b' }, { ...filled, note: 'é' }],
    ['trim', { title: ' \u3000a ' }, { ...filled, title: 'a' }],
    ['nfc', { title: 'e\u0301' }, { ...filled, title: '\u00e9' }],
    [
      'what becomes a sentinel by itself',
      { note: '=?base64?\u200bZXZpbA==?=' },
      { ...filled, note: '=?base64?ZXZpbA==?=' },
    ],
    ['default beside a neighbour', { deep: { other: 1 } }, { ...filled, deep: { other: 1, place: 'here' } }],
    ['nothing to do', { ...filled, limit: 5 }, { ...filled, limit: 5 }],
    [
      'all at once',
      { limit: 1e6, region: 'x', debug: false, note: '\u200bn', title: ' t', tier: 'gold' },
      { ...filled, limit: 1000, note: 'n', title: 't', tier: 'gold' },
    ],
  ];
  for (const [name, sent, arrives] of cases) {
    it(`say what the body says: ${name}`, async () => {
      const { value, seen } = await arena.observe(() => sendModern('all', sent));
      expect(value.status, value.body.toString()).toBe(200);
      expect(seen).toHaveLength(1);
      expect(argumentsOf(seen[0]!)).toEqual(arrives);
      const expected = honestHeaders(arrives);
      if (arrives['note'] === '=?base64?ZXZpbA==?=') expected['mcp-param-note'] = sentinel(arrives['note']);
      if (arrives['note'] === '') expected['mcp-param-note'] = sentinel('');
      expect(paramHeaders(seen[0]!)).toEqual(expected);
    });
  }

  it('keep digits that no double can hold', async () => {
    const { headers, body } = modern('tools/call', { name: 'all', arguments: { huge: 1 } });
    const text = JSON.stringify(body).replace('"huge":1', '"huge":9007199254740995');
    const { seen } = await arena.observe(() =>
      post(arena.url, text, { headers: { ...headers, 'mcp-param-huge': '9007199254740995' } }),
    );
    expect(seen[0]!.body.toString()).toContain('"huge":9007199254740993');
    expect(paramHeaders(seen[0]!)['mcp-param-huge']).toBe('9007199254740993');
  });

  for (const [name, args, header] of [
    ['of the value to come', { limit: 5000 }, { 'mcp-param-limit': '1000' }],
    ['of a value that is filled in', {}, { 'mcp-param-tier': 'basic' }],
    ['of the value that is set', { region: 'us' }, { 'mcp-param-region': 'eu' }],
    ['none for what will be dropped', { debug: true }, {}],
  ] as const) {
    it(`should NOT bypass: a header ${name}`, () =>
      arena.refused(
        () => {
          const { headers, body } = modern('tools/call', { name: 'all', arguments: args });
          return postModern(arena, { headers: { ...headers, ...(header as object) }, body });
        },
        { status: 400, rpc: -32020, reason: 'header-mismatch', id: 1 },
      ));
  }

  it('should NOT bypass: headers of a tool that is not listed, whose arguments are rewritten', async () => {
    const { headers, body } = modern('tools/call', { name: 'unlisted', arguments: { region: 'us' } });
    await arena.refused(
      () => postModern(arena, { headers: { ...headers, 'mcp-param-region': 'us' }, body }),
      { status: 400, rpc: -32020, reason: 'header-mismatch', id: 1 },
    );
    const { seen } = await arena.observe(() => postModern(arena, { headers, body }));
    expect(seen.map(argumentsOf)).toEqual([{ region: 'eu' }]);
    expect(paramHeaders(seen[0]!)).toEqual({});
  });

  it('of no argument go on as they came', async () => {
    const { headers, body } = modern('tools/call', { name: 'all', arguments: { limit: 5000 } });
    const { seen } = await arena.observe(() =>
      postModern(arena, {
        headers: { ...headers, 'mcp-param-limit': '5000', 'mcp-param-other': 'x' },
        body,
      }),
    );
    expect(paramHeaders(seen[0]!)).toEqual({
      ...honestHeaders({ ...filled, limit: 1000 }),
      'mcp-param-other': 'x',
    });
  });
});

const refused = { status: 200, rpc: 4030, reason: 'arguments-refused', id: 1 } as const;

const eras = {
  legacy: (name: string, args: Record<string, unknown>) =>
    post(arena.url, legacyCall(name, { arguments: args }).body),
  modern: sendModern,
} as const;

for (const [era, call] of Object.entries(eras)) {
  describe(`text that a rewrite makes, ${era} era`, () => {
    const hidden = [
      '\u200b',
      '\u00ad',
      '\u2060',
      '\u{e0041}',
      '\ufe0f',
      '\u202e',
      '\u0000',
      '\u001b[0m',
      '\u009b1m',
    ];
    const disguises = hidden.flatMap((mark) => [
      `/workspace/.${mark}./x`,
      `/workspace/..${mark}/x`,
      `/workspace/${mark}../x`,
      `/workspace/a/%2${mark}e%2e/../../x`,
      `..${mark}/`,
      `/work${mark}space/../etc`,
      `${mark}/etc/passwd`,
    ]);
    disguises.push(
      '/workspace/.\u200b\u202e\u001b[0m./x',
      '/workspace/.\u001b[\u200b0m./x',
      '/workspace/.\u001b\u0000[0m./x',
    );
    for (const text of disguises) {
      it(`should NOT bypass: ${JSON.stringify(text)}`, async () => {
        await arena.refused(() => call('stripped_path', { path: text }), refused);
      });
    }
    for (const text of [
      '/workspace/a/../../etc',
      '/workspace/../etc',
      '/workspace//..//../etc',
      '/workspace/./../etc',
      '/workspace/a/b/../../../etc/x',
      '/workspace/%2e%2e/etc',
      '//workspace/a',
      'file:/workspace/a',
      '/workspace\\..\\etc',
      '/workspace2/a',
      '/workspace/a/../../workspace2',
    ]) {
      it(`should NOT bypass, normalised: ${text}`, () =>
        arena.refused(() => call('normalized_path', { path: text }), refused));
    }
    for (const [tool, sent, arrives] of [
      ['stripped_path', '/workspace/a\u200bb', '/workspace/ab'],
      ['stripped_path', '/workspace/ab', '/workspace/ab'],
      ['normalized_path', '/workspace//a/./b/../c', '/workspace/a/c'],
    ] as const) {
      it(`arrives as it is judged: ${tool} ${JSON.stringify(sent)}`, async () => {
        const { seen } = await arena.observe(() => call(tool, { path: sent }));
        expect(seen.map(argumentsOf)).toEqual([{ path: arrives }]);
        if (era === 'modern') expect(paramHeaders(seen[0]!)).toEqual({ 'mcp-param-path': arrives });
      });
    }
  });

  describe(`several rules on one argument, ${era} era`, () => {
    for (const [name, tool, args] of [
      ['one drops what another needs', 'both', { key: 'x' }],
      ['one drops what another needs, and it is not there', 'both', {}],
      ['they undo each other, from below', 'undo', { n: 1 }],
      ['they undo each other, from above', 'undo', { n: 100 }],
      ['they undo each other, between', 'undo', { n: 7 }],
      ['not a number', 'undo', { n: '7' }],
      ['strip and trim leave what is not listed', 'chain', { text: ' \u200bbad ' }],
      ['strip and trim of another type', 'chain', { text: ['good'] }],
      ['filled in after it was judged', 'order', {}],
    ] as const) {
      it(`should NOT bypass: ${name}`, () => arena.refused(() => call(tool, args), refused));
    }
    for (const text of [' good', '\u200bgood', 'good\u200b ', '\u2060 good']) {
      it(`all judge the result: ${JSON.stringify(text)}`, async () => {
        const { seen } = await arena.observe(() => call('chain', { text }));
        expect(seen.map(argumentsOf)).toEqual([{ text: 'good' }]);
      });
    }
  });
}
