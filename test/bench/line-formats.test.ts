import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSamples, type Sample, samplesOf, type Unusable } from '../../bench/content/sample.ts';
import type { JsonObject, JsonValue } from '../../src/values/json.ts';

function read(value: JsonValue): readonly (Sample | Unusable)[] {
  return samplesOf({ line: 1, value, text: JSON.stringify(value) }, 'lines.jsonl');
}

const args = { path: '/data/x' };
const text = JSON.stringify(args);

const callLines: readonly (readonly [string, JsonObject])[] = [
  ['tool and arguments', { tool: 'read', arguments: args }],
  ['tool and args', { tool: 'read', args }],
  ['tool_name and tool_input', { tool_name: 'read', tool_input: args }],
  ['toolName and Parameters', { toolName: 'read', Parameters: args }],
  ['name and arguments', { name: 'read', arguments: args }],
  ['name and arguments as text', { name: 'read', arguments: text }],
  ['tool and input', { tool: 'read', input: args }],
  ['tool as an object', { tool: { name: 'read', inputSchema: { type: 'object' } }, arguments: args }],
  ['function_name and kwargs', { function_name: 'read', kwargs: args }],
  ['an agent step', { action: 'read', action_input: args }],
  ['JSON-RPC', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: args } }],
  ['a flat message', { method: 'tools/call', name: 'read', arguments: args }],
  [
    'JSON-RPC within',
    { frame: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: args } } },
  ],
  [
    'JSON-RPC as text',
    {
      raw: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'read', arguments: args },
      }),
    },
  ],
  [
    'chat messages',
    {
      messages: [
        { role: 'user', content: 'Read it.' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'read', arguments: text } }],
        },
      ],
    },
  ],
  ['tool_calls alone', { tool_calls: [{ function: { name: 'read', arguments: text } }] }],
  ['function_call', { messages: [{ role: 'assistant', function_call: { name: 'read', arguments: text } }] }],
  ['choices', { choices: [{ message: { tool_calls: [{ function: { name: 'read', arguments: text } }] } }] }],
  [
    'tool_use',
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'So.' },
        { type: 'tool_use', id: 't', name: 'read', input: args },
      ],
    },
  ],
  ['functionCall', { parts: [{ functionCall: { name: 'read', args } }] }],
  ['output items', { output: [{ type: 'function_call', name: 'read', arguments: text }] }],
  [
    'answers',
    {
      query: 'Read it.',
      tools: [{ name: 'read', description: 'd', parameters: { path: { type: 'str' } } }],
      answers: [{ name: 'read', arguments: args }],
    },
  ],
  [
    'answers and tools as text',
    {
      query: 'Read it.',
      tools: JSON.stringify([
        { name: 'read', description: 'd', parameters: { path: { type: 'str', description: 'p' } } },
      ]),
      answers: JSON.stringify([{ name: 'read', arguments: args }]),
    },
  ],
  [
    'tagged text',
    {
      conversations: [
        { from: 'gpt', value: `<tool_call>\n{"name": "read", "arguments": ${text}}\n</tool_call>` },
      ],
    },
  ],
  ['a dump of runs', { tool_call_function: 'read', tool_call_args: text, label: 0 }],
  ['a wrapped row', { row_idx: 3, row: { tool: 'read', arguments: args } }],
  ['a wrapped call', { id: 'x', call: { name: 'read', arguments: args }, label: 'benign' }],
  ['a record of audit', { time: 't', code: 'ok', target: { kind: 'tool', name: 'read' }, arguments: args }],
];

describe('a line of a call', () => {
  it.each(callLines)('may be %s', (_, line) => {
    expect(read(line)).toMatchObject([{ kind: 'call', tool: 'read', arguments: args }]);
  });

  it('may have no arguments', () => {
    for (const line of [
      { tool: 'list' },
      { tool: 'list', arguments: null },
      { tool_name: 'list', args: '{}', label: 0 },
    ]) {
      expect(read(line)).toMatchObject([{ kind: 'call', tool: 'list', arguments: {} }]);
    }
    expect(read({ tool: 'sqlmap', payload: 'x' })).toMatchObject([{ kind: 'value', value: 'x' }]);
  });

  it('may hold several', () => {
    const line = {
      answers: [
        { name: 'a', arguments: {} },
        { name: 'b', arguments: { n: 1 } },
      ],
    };
    expect(read(line)).toMatchObject([{ tool: 'a' }, { tool: 'b', arguments: { n: 1 } }]);
  });

  it('may bring schemas in either form', () => {
    const schema = { type: 'object', properties: { path: { type: 'string' } } };
    const call = { name: 'read', arguments: args };
    for (const tools of [
      [{ name: 'read', inputSchema: schema }],
      [{ name: 'read', input_schema: schema }],
      [{ type: 'function', function: { name: 'read', parameters: schema } }],
      [{ name: 'read', description: 'd', parameters: { path: { type: 'str, optional' } } }],
    ]) {
      expect(read({ tools, answers: [call] })).toMatchObject([{ schema }]);
      expect(read({ tools: JSON.stringify(tools), answers: [call] })).toMatchObject([{ schema }]);
    }
    expect(read({ ...call, schema })).toMatchObject([{ schema }]);
  });

  it('may declare roles', () => {
    expect(read({ tool: 'read', args, roles: { path: 'path' } })).toMatchObject([
      { roles: { path: 'path' } },
    ]);
    expect(read({ tool: 'read', args, role: { path: { within: '/data' } } })).toMatchObject([
      { role: { path: { within: '/data' } } },
    ]);
  });

  it.each<readonly [string, JsonValue]>([
    ['a definition', { name: 'read', description: 'd', inputSchema: { type: 'object' } }],
    ['another message', { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }],
    ['nothing known', { a: 1, b: 2 }],
    ['nothing', []],
    ['a list of lists', [[1]]],
    ['null', { payload: null }],
  ])('is none where it is %s', (_, line) => {
    for (const found of read(line)) expect(found).toHaveProperty('unusable');
    expect(read(line)).toHaveLength(1);
  });
});

describe('a line of a value', () => {
  it.each<readonly [JsonValue, object]>([
    [
      { payload: 'x', class: 'sqli', source: 's' },
      { value: 'x', class: 'sqli', source: 's' },
    ],
    [
      { Payload: 'x', Category: 'SSRF' },
      { value: 'x', class: 'SSRF' },
    ],
    [
      { id: 1, source: 's', class: 'lfi', label: 'attack', text: 'x' },
      { value: 'x', class: 'lfi', side: 'attack' },
    ],
    [
      { value: 'x', role: 'id', expect: 'refuse' },
      { value: 'x', role: 'id', side: 'attack' },
    ],
    [
      { value: 'x', role: 'path', options: { within: '/d' }, expect: 'allow' },
      { role: { path: { within: '/d' } }, side: 'honest' },
    ],
    [{ url: 'https://example.com/' }, { value: 'https://example.com/', class: 'url' }],
    [
      { sql: 'SELECT 1', label: 0 },
      { value: 'SELECT 1', class: 'sql', side: 'honest' },
    ],
    [
      { tool: 'read', argument: 'path', payload: '../x' },
      { value: '../x', argument: 'path' },
    ],
    [
      { attack_type: 'path_traversal', input: '../x', is_attack: true },
      { value: '../x', class: 'path_traversal', side: 'attack' },
    ],
    [
      { odd_name: 'x', class: 'ssrf' },
      { value: 'x', class: 'ssrf' },
    ],
    [{ payload: 2130706433, class: 'ssrf' }, { value: 2130706433 }],
    ['x', { value: 'x', class: 'unclassified' }],
  ])('may be %j', (line, expected) => {
    expect(read(line)).toMatchObject([{ kind: 'value', ...expected }]);
  });

  it('may hold several', () => {
    expect(read({ class: 'lfi', payloads: ['a', 'b'] })).toMatchObject([{ value: 'a' }, { value: 'b' }]);
  });
});

describe('the side of a line', () => {
  it.each<readonly [JsonObject, string | undefined]>([
    [{ label: 'attack' }, 'attack'],
    [{ label: 'benign' }, 'honest'],
    [{ label: 1 }, 'attack'],
    [{ label: 0 }, 'honest'],
    [{ label: '1' }, 'attack'],
    [{ label: 'LABEL_0' }, 'honest'],
    [{ is_attack: true }, 'attack'],
    [{ isAttack: false }, 'honest'],
    [{ malicious: true }, 'attack'],
    [{ benign: true }, 'honest'],
    [{ attack: false }, 'honest'],
    [{ attack: 'none' }, 'honest'],
    [{ expected: 'refuse' }, 'attack'],
    [{ expected: 'ALLOW' }, 'honest'],
    [{ verdict: 'block' }, 'attack'],
    [{ type: 'norm', label: 'norm' }, 'honest'],
    [{ class: 'benign_sql' }, 'honest'],
    [{ class: 'honest' }, 'honest'],
    [{ category: 'ssrf-attack' }, 'attack'],
    [{ class: 'path_traversal' }, undefined],
    [{}, undefined],
  ])('of %j', (members, side) => {
    expect(read({ payload: 'x', ...members })).toMatchObject([{ value: 'x', side }]);
  });

  it('is refused where a line says both', () => {
    expect(read({ payload: 'x', label: 'benign', is_attack: true })).toMatchObject([
      { unusable: 'says both that it is honest and that it is an attack' },
    ]);
  });

  it('is no class', () => {
    expect(read({ payload: 'x', label: 'attack', class: 'sqli' })).toMatchObject([{ class: 'sqli' }]);
    expect(read({ payload: 'x', class: 'benign_sql' })).toMatchObject([{ class: 'sql' }]);
    expect(read({ payload: 'x', label: 'sqli' })).toMatchObject([{ class: 'sqli' }]);
  });
});

describe('a file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lines-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  async function readFile(name: string, content: string): Promise<readonly (Sample | Unusable)[]> {
    const file = join(folder, name);
    await writeFile(file, content);
    return collect(readSamples(file));
  }

  it('of plain text holds a value a line, of the class that its name says', async () => {
    const found = await readFile(
      'ssrf.txt',
      'http://127.0.0.1/\r\n\n2130706433\n[::1]\n{"payload": "x"}\n{{7*7}}\n',
    );
    expect(found).toMatchObject([
      { value: 'http://127.0.0.1/', class: 'ssrf', line: 1 },
      { value: '2130706433', line: 3 },
      { value: '[::1]', line: 4 },
      { value: 'x', line: 5 },
      { value: '{{7*7}}', line: 6 },
    ]);
  });

  it('of JSON Lines says which lines are bad', async () => {
    const found = await readFile('a.jsonl', '\ufeff{"payload":"x"}\n{"payload":\n\n"y"\n');
    expect(found).toMatchObject([
      { value: 'x', line: 1 },
      { unusable: 'not JSON', line: 2 },
      { value: 'y', line: 4 },
    ]);
  });

  it('may be one JSON array over many lines', async () => {
    const rows = [{ payload: 'x' }, { tool: 't', arguments: {} }];
    expect(await readFile('a.json', JSON.stringify(rows, undefined, 2))).toMatchObject([
      { value: 'x' },
      { tool: 't' },
    ]);
  });

  it('keeps integers exact', async () => {
    const [found] = await readFile('b.jsonl', '{"tool":"t","arguments":{"n":12345678901234567890}}\n');
    expect(JSON.stringify((found as { arguments: object }).arguments)).toBe('{"n":12345678901234567890}');
  });
});

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
