import { describe, expect, test } from 'vitest';
import { namedArguments } from '../../src/arguments/compile.ts';
import { createOutstanding } from '../../src/filters/outstanding.ts';
import { schema } from '../../src/filters/schema.ts';
import { createTaskBook } from '../../src/filters/task-book.ts';
import type { Frame } from '../../src/mcp/frame.ts';
import { methodRow } from '../../src/mcp/methods.ts';
import type { Revision } from '../../src/mcp/revision.ts';
import type { Catalog } from '../../src/pipeline/catalog.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import { learnTools } from '../../src/pipeline/learn-tools.ts';
import type { RefreshOutcome } from '../../src/pipeline/refresh-catalog.ts';
import type { CompiledPolicy } from '../../src/policy/compile.ts';
import { createSchemaBook } from '../../src/schemas/schema-book.ts';
import {
  call,
  down,
  frameOf,
  makeExchange,
  modernCall,
  modernExchange,
  note,
  policyOf,
  resultOf,
  told,
  up,
} from './support.ts';

const query = {
  name: 'query',
  inputSchema: {
    type: 'object',
    properties: {
      sql: { type: 'string' },
      limit: { type: 'integer', maximum: 100 },
      options: { type: 'object', properties: { depth: {} } },
    },
    required: ['sql'],
  },
  outputSchema: {
    type: 'object',
    properties: { rows: { type: 'array', items: { type: 'object' } } },
    required: ['rows'],
  },
};
const unenforceable = {
  name: 'odd',
  inputSchema: { type: 'object', properties: { a: { pattern: '(?!x)' } } },
};

interface Setup {
  readonly rules?: string;
  readonly listed?: readonly object[];
  /** What the upstream lists when it is asked. */
  readonly offers?: readonly object[];
  readonly outcome?: RefreshOutcome;
  readonly maxAge?: number;
}

function open({
  rules = '',
  listed = [query, unenforceable],
  offers = [],
  outcome = 'learnt',
  maxAge = 300_000,
}: Setup = {}) {
  const policy: CompiledPolicy = policyOf(`
version: 1
roles:
  everything:
    allow:
      - { tools: ["*"] }
bindings:
  - { roles: [everything], to: [{ any: true }] }
${rules === '' ? '' : `arguments:\n${rules}`}
`);
  const catalog: Catalog = createCatalog();
  learnTools(catalog, listed as never);
  catalog.freshness.readAt = 0;
  const looks: string[] = [];
  const outstanding = createOutstanding({ requests: 10, requestsPerSession: 10, lateAnswers: 1000 }, () => 0);
  const filter = schema({
    book: createSchemaBook({ schedule: setImmediate }),
    outstanding,
    tasks: createTaskBook(),
    async refreshCatalog(upstream) {
      looks.push(upstream);
      learnTools(catalog, offers as never);
      if (outcome === 'learnt') catalog.freshness.stale = false;
      return outcome;
    },
    namedArguments,
    maxAge,
  });
  const begin = (request: Frame, revision: Revision): Exchange =>
    revision === '2026-07-28'
      ? modernExchange(request, { policy, catalog })
      : makeExchange({ request, policy, catalog, revision });
  return {
    catalog,
    looks,
    filter,
    async call(args?: object, name = 'query', revision: Revision = '2025-11-25') {
      const params = args === undefined ? { name } : { name, arguments: args };
      const request =
        revision === '2026-07-28' ? modernCall('tools/call', params) : call('tools/call', params);
      const exchange = begin(request, revision);
      return { told: told(await up(filter, exchange)), findings: exchange.facts.findings };
    },
    async result(result: object, name = 'query', revision: Revision = '2025-11-25') {
      const request = call('tools/call', { name, arguments: {} });
      const exchange = begin(request, revision);
      const row = methodRow('tools/call', revision, 'toUpstream', 'request')!;
      const asked = outstanding.ask(exchange, { clientId: 1, row, target: name, progressToken: undefined });
      if (typeof asked === 'string') throw new Error(asked);
      const verdict = await down(filter, exchange, resultOf(asked.gatewayId, result));
      return { told: told(verdict), findings: exchange.facts.findings };
    },
  };
}

const invalid = (path: string, keyword: string) => ({ code: 'arguments-invalid', path, keyword });
const undeclared = (path: string) => ({
  code: 'arguments-refused',
  path,
  role: 'unknown',
  fault: 'not-declared',
  allow: 'name it under args, or unknown: allow',
});

describe('a call', () => {
  test.each<[string, object | undefined, unknown]>([
    ['that fits passes', { sql: 'select 1', limit: 5 }, 'pass'],
    ['of another type is refused', { sql: 7 }, invalid('sql', 'type')],
    ['beyond a bound is refused', { sql: 'x', limit: 101 }, invalid('limit', 'maximum')],
    ['that lacks an argument is refused', {}, invalid('sql', 'required')],
    ['without arguments lacks them all', undefined, invalid('sql', 'required')],
    ['with an argument that nothing names is refused', { sql: 'x', shell: 'y' }, undeclared('shell')],
    ['with a prototype for a name is refused', { sql: 'x', constructor: 'y' }, undeclared('constructor')],
    ['with such a name inside is refused', { sql: 'x', options: { deep: 1 } }, undeclared('options.deep')],
    ['with a look-alike of a name is refused', { sql: 'x', Limit: 101 }, undeclared('Limit')],
  ])('%s', async (_what, args, expected) => {
    for (const revision of ['2025-03-26', '2025-11-25', '2026-07-28'] as const) {
      const { told, findings } = await open().call(args, 'query', revision);
      expect(told).toEqual(expected);
      expect(findings.map(({ check, effect }) => [check, effect])).toEqual(
        expected === 'pass' ? [] : [['schema', 'refused']],
      );
    }
  });

  test('leaves a finding that names place and keyword, and no value', async () => {
    const { findings } = await open().call({ sql: 'x', limit: 4242 });
    expect(findings).toEqual([
      { check: 'schema', effect: 'refused', rule: undefined, path: 'limit', detail: 'maximum' },
    ]);
  });

  test('of a tool whose schema cannot be enforced is refused, and says how to let it', async () => {
    const { told, findings } = await open().call({ a: 'b' }, 'odd');
    expect(told).toEqual({
      code: 'arguments-invalid',
      path: '(arguments)',
      keyword: 'schema',
      fault: 'pattern-not-linear',
      allow: 'schema: alert',
    });
    expect(findings[0]).toMatchObject({ detail: 'schema-pattern-not-linear', path: 'properties.a.pattern' });
    expect((await open({ listed: [{ name: 'query' }] }).call({})).told).toMatchObject({
      fault: 'schema-missing',
    });
  });

  test('of nothing else is looked at', async () => {
    const { filter } = open();
    for (const frame of [
      call('tools/list'),
      call('prompts/get', { name: 'query' }),
      note('notifications/initialized'),
      resultOf(1, {}),
    ]) {
      expect(told(await up(filter, makeExchange({ request: frame })))).toBe('pass');
    }
  });
});

describe('rules', () => {
  const rule = (text: string) => `  - { id: r, match: { tools: [query, odd] }, ${text} }`;

  test.each<[string, string, object, unknown, unknown]>([
    ['may let unknown names pass', 'unknown: allow', { sql: 'x', shell: 'y' }, 'pass', []],
    ['may name arguments themselves', 'args: { shell: { text: {} } }', { sql: 'x', shell: 'y' }, 'pass', []],
    [
      'may refuse unknown names in their own name',
      'unknown: refuse',
      { sql: 'x', a: 1 },
      undeclared('a'),
      [['refused', 'r']],
    ],
    ['may only watch the schema', 'schema: alert', { sql: 7 }, 'pass', [['alert', 'r']]],
    ['that only watch do so with names too', 'schema: alert', { sql: 'x', a: 1 }, 'pass', [['alert', 'r']]],
    [
      'may watch the schema and refuse names',
      'schema: alert, unknown: refuse',
      { sql: 'x', a: 1 },
      undeclared('a'),
      [['refused', 'r']],
    ],
    ['may turn it off', 'schema: off', { sql: 7, a: 1 }, 'pass', []],
    [
      'may turn it off and still name what may come',
      'schema: off, unknown: refuse, args: { sql: { text: {} } }',
      { sql: 7, a: 1 },
      undeclared('a'),
      [['refused', 'r']],
    ],
    [
      'may ask for it in their own name',
      'schema: enforce',
      { sql: 7 },
      invalid('sql', 'type'),
      [['refused', 'r']],
    ],
    [
      'in shadow mode loosen nothing',
      'mode: shadow, schema: off, unknown: allow',
      { sql: 'x', a: 1 },
      undeclared('a'),
      [['refused', undefined]],
    ],
    [
      'in shadow mode name nothing',
      'mode: shadow, args: { a: { text: {} } }',
      { sql: 'x', a: 1 },
      undeclared('a'),
      [['refused', undefined]],
    ],
  ])('%s', async (_what, text, args, expected, findings) => {
    const done = await open({ rules: rule(text) }).call(args);
    expect(done.told).toEqual(expected);
    expect(done.findings.map(({ effect, rule: id }) => [effect, id])).toEqual(findings);
  });

  test('may only watch a schema that cannot be enforced', async () => {
    const { told, findings } = await open({ rules: rule('schema: alert') }).call({ a: 'b' }, 'odd');
    expect(told).toBe('pass');
    expect(findings).toMatchObject([{ effect: 'alert', detail: 'schema-pattern-not-linear' }]);
  });

  test('of which the last that speaks decides, and one in shadow mode notes what it would refuse', async () => {
    const two = (first: string, second: string) =>
      `  - { id: a, match: { tools: [query] }, ${first} }\n  - { id: b, match: { tools: ["*"] }, ${second} }`;
    const judged = async (first: string, second: string) => {
      const { told, findings } = await open({ rules: two(first, second) }).call({ sql: 7 });
      return [
        typeof told === 'string' ? told : 'refused',
        ...findings.map(({ effect, rule: id }) => `${effect} ${id}`),
      ];
    };
    expect(await judged('schema: off', 'schema: enforce')).toEqual(['refused', 'refused b']);
    expect(await judged('schema: enforce', 'schema: alert')).toEqual(['pass', 'alert b']);
    expect(await judged('schema: off', 'unknown: allow')).toEqual(['pass']);
    expect(await judged('schema: off', 'mode: shadow, schema: enforce')).toEqual(['pass', 'would-refuse b']);
    expect(await judged('schema: alert', 'mode: shadow, schema: enforce')).toEqual([
      'pass',
      'would-refuse b',
    ]);
  });
});

describe('a tool that was in no list yet', () => {
  test('makes the gateway look once, and is checked by what it finds', async () => {
    const gate = open({ listed: [], offers: [query] });
    expect((await gate.call({ sql: 'x' })).told).toBe('pass');
    expect((await gate.call({ sql: 7 })).told).toEqual(invalid('sql', 'type'));
    expect(gate.looks).toEqual(['warehouse']);
  });

  test('is refused where the look does not bring it', async () => {
    for (const outcome of ['learnt', 'failed'] as const) {
      const { told, findings } = await open({ listed: [], outcome }).call({});
      expect(told).toBe('definition-unknown');
      expect(findings).toMatchObject([{ effect: 'refused', detail: 'definition-unknown' }]);
    }
    expect((await open({ listed: [], outcome: 'unreachable' }).call({})).told).toBe('upstream-unreachable');
  });

  test('passes where rules only watch, or do not look', async () => {
    for (const text of ['schema: alert', 'schema: off']) {
      const rules = `  - { id: r, match: { tools: ["*"] }, ${text} }`;
      expect((await open({ rules, listed: [], outcome: 'failed' }).call({})).told).toBe('pass');
    }
  });
});

describe('a list that may be old', () => {
  test('is read anew before a call where the upstream says that it changed', async () => {
    const changed = { ...query, inputSchema: { type: 'object', properties: { sql: { type: 'integer' } } } };
    const gate = open({ offers: [changed] });
    const told = note('notifications/tools/list_changed', {}, 'toClient');
    expect(await down(gate.filter, makeExchange({ catalog: gate.catalog }), told)).toEqual({ kind: 'pass' });
    expect((await gate.call({ sql: 7 })).told).toBe('pass');
    expect((await gate.call({ sql: 'x' })).told).toEqual(invalid('sql', 'type'));
    expect(gate.looks).toHaveLength(1);
  });

  test('that cannot be read anew is gone by as it is', async () => {
    const gate = open({ outcome: 'failed' });
    gate.catalog.freshness.stale = true;
    expect((await gate.call({ sql: 'x' })).told).toBe('pass');
  });

  test('is read anew beside a call where it is too old, and the call does not wait', async () => {
    // Exchanges of tests begin at 1000.
    for (const [maxAge, looks] of [
      [1000, 0],
      [999, 1],
    ] as const) {
      const gate = open({ maxAge });
      expect((await gate.call({ sql: 'x' })).told).toBe('pass');
      expect(gate.looks).toHaveLength(looks);
    }
  });
});

describe('a result', () => {
  const rows = { rows: [{ a: 1 }] };

  test.each<[string, object, unknown, Revision?]>([
    ['that fits passes', { content: [], structuredContent: rows }, 'pass'],
    ['that does not is refused', { content: [], structuredContent: { rows: [7] } }, 'result-invalid'],
    ['without what was promised is refused', { content: [] }, 'result-invalid'],
    ['with nothing in its place is refused', { content: [], structuredContent: null }, 'result-invalid'],
    ['that is an error needs none', { content: [], isError: true }, 'pass'],
    ['that says so otherwise needs it', { content: [], isError: 'true' }, 'result-invalid'],
    [
      'that asks for input needs none',
      { resultType: 'input_required', inputRequests: {} },
      'pass',
      '2026-07-28',
    ],
    ['that is a task needs none', { resultType: 'task', taskId: 't' }, 'pass', '2026-07-28'],
    ['that is a task of 2025-11-25 needs none', { task: { taskId: 't' } }, 'pass'],
    ['that only carries a task needs it', { task: { taskId: 't' }, content: [] }, 'result-invalid'],
  ])('%s', async (_what, result, expected, revision) => {
    const { told, findings } = await open().result(result, 'query', revision);
    expect(told).toEqual(expected);
    expect(findings.map(({ effect }) => effect)).toEqual(expected === 'pass' ? [] : ['refused']);
  });

  test('is no less judged for calling itself unfinished in words that its client does not read', async () => {
    const wrong = { structuredContent: { rows: [7] } };
    const disguises: readonly object[] = [
      { resultType: 'input_required' },
      { resultType: 'input_required', inputRequests: {}, requestState: 's' },
      { resultType: 'task', taskId: 't', status: 'working' },
      { task: { taskId: 't', status: 'working' } },
      { task: {} },
    ];
    for (const disguise of disguises) {
      for (const content of [{}, { content: [] }]) {
        for (const revision of ['2025-06-18', '2025-11-25', '2026-07-28'] as const) {
          const { told } = await open().result({ ...disguise, ...content, ...wrong }, 'query', revision);
          expect(told).toBe('result-invalid');
        }
      }
      // An older client takes the lack of structured content for the whole answer.
      const { told } = await open().result({ ...disguise, content: [] }, 'query', '2025-06-18');
      expect(told).toBe('result-invalid');
    }
  });

  test('leaves a finding that names the place, which the client is not told', async () => {
    const { told, findings } = await open().result({ structuredContent: { rows: [{}, 7] } });
    expect(told).toBe('result-invalid');
    expect(findings).toEqual([
      {
        check: 'schema',
        effect: 'refused',
        rule: undefined,
        path: 'structuredContent.rows[1]',
        detail: 'type',
      },
    ]);
  });

  test('of a tool that promises nothing may be anything, as may one of a revision without such promises', async () => {
    const plain = { ...query, outputSchema: undefined };
    expect((await open({ listed: [plain] }).result({ structuredContent: 7 })).told).toBe('pass');
    expect((await open().result({ content: [] }, 'query', '2025-03-26')).told).toBe('pass');
    expect((await open().result({ structuredContent: 7 }, 'query', '2025-03-26')).told).toBe(
      'result-invalid',
    );
  });

  test('is held to rules as a call is', async () => {
    const rules = (text: string) => `  - { id: r, match: { tools: [query] }, ${text} }`;
    const alert = await open({ rules: rules('schema: alert') }).result({ structuredContent: 7 });
    expect(alert.told).toBe('pass');
    expect(alert.findings).toMatchObject([{ effect: 'alert', rule: 'r' }]);
    const off = await open({ rules: rules('schema: off') }).result({ structuredContent: 7 });
    expect([off.told, off.findings]).toEqual(['pass', []]);
  });

  test('with a schema that cannot be enforced is refused', async () => {
    const odd = { ...query, outputSchema: { $ref: 'https://elsewhere.example' } };
    const { told, findings } = await open({ listed: [odd] }).result({ structuredContent: {} });
    expect(told).toBe('result-invalid');
    expect(findings).toMatchObject([{ detail: 'schema-reference-remote' }]);
  });

  test('that answers no question ends here, and errors pass', async () => {
    const { filter } = open();
    expect(told(await down(filter, makeExchange(), resultOf(99, {})))).toBe('drop answer-unasked');
    const error = frameOf({ jsonrpc: '2.0', id: 99, error: { code: 1, message: 'x' } }, 'toClient');
    expect(told(await down(filter, makeExchange(), error))).toBe('pass');
  });

  test('that comes late on another stream of the session is held to the same tool', async () => {
    const policy = policyOf('version: 1\nroles: {}\nbindings: []');
    const catalog = createCatalog();
    learnTools(catalog, [query] as never);
    const outstanding = createOutstanding(
      { requests: 10, requestsPerSession: 10, lateAnswers: 1000 },
      () => 0,
    );
    const filter = schema({
      book: createSchemaBook({ schedule: setImmediate }),
      outstanding,
      tasks: createTaskBook(),
      refreshCatalog: async () => 'learnt',
      namedArguments,
      maxAge: 1000,
    });
    const session = { key: 's', upstreamId: 'u', revision: '2025-11-25' } as const;
    const asking = makeExchange({ request: call('tools/call', { name: 'query' }), policy, catalog });
    asking.facts.session = session;
    const row = methodRow('tools/call', '2025-11-25', 'toUpstream', 'request')!;
    const asked = outstanding.ask(asking, { clientId: 1, row, target: 'query', progressToken: undefined });
    if (typeof asked === 'string') throw new Error(asked);
    outstanding.end(asking, true);
    const resumed = makeExchange({ request: { kind: 'stream-open', lastEventId: 'e' }, policy, catalog });
    resumed.facts.session = session;
    expect(told(await down(filter, resumed, resultOf(asked.gatewayId, { content: [] })))).toBe(
      'result-invalid',
    );
  });
});
