import { beforeAll, describe, expect, it } from 'vitest';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Arena, expectHonestCall, legacyCall, postModern, startArena } from './arena.ts';

/** Everything but what is named: the shape of policy in which a disguise pays best. */
const widePolicy = `
version: 1
roles:
  caller:
    allow:
      - tools: ["*"]
      - prompts: ["*"]
    deny:
      - tools: [forbidden, "drop_*"]
      - prompts: [forbidden]
bindings:
  - roles: [caller]
    to: { any: true }
`;

let narrow: Arena;
let wide: Arena;
beforeAll(async () => {
  [narrow, wide] = await Promise.all([startArena(), startArena({ policy: widePolicy })]);
});

const denied = { status: 200, rpc: 4030, reason: 'denied', id: 1 } as const;
const misshapen = { status: 400, rpc: -32602, reason: 'frame-params-invalid', id: 1 } as const;

describe('a name that is nearly an allowed one', () => {
  const disguises = [
    'Allowed',
    'ALLOWED',
    'allowed.',
    'allowed/',
    'allowed;forbidden',
    'allowed,forbidden',
    'allowed|forbidden',
    'forbidden',
    'xallowed',
    'allowed2',
    'allowe',
    '*',
    '**',
    'SAFE_x',
    'xsafe_x',
    'аllowed',
    'a1lowed',
    'safe',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'tools/allowed',
    'w/allowed',
    'w.allowed',
    'w__allowed',
    'allowed%00',
    'allowed%20',
    '%61llowed',
    '\\u0061llowed',
    '$allowed',
    '../allowed',
  ];
  for (const name of disguises) {
    it(`should NOT bypass: ${JSON.stringify(name)}`, async () => {
      await narrow.refused(() => post(narrow.url, legacyCall(name).body), denied);
      await narrow.refused(() => postModern(narrow, modern('tools/call', { name: encodable(name) })), denied);
    });
  }
});

/** Header values are ASCII; a name that is not travels as a sentinel, which other tests bend. */
function encodable(name: string): string {
  return /^[\x21-\x7e]+$/.test(name) ? name : 'not-ascii';
}

describe('a name that some server takes for a forbidden one', () => {
  const disguises = [
    'forbidden ',
    ' forbidden',
    'forbidden\t',
    'forbidden\u00a0',
    '\u3000forbidden',
    'forbidden\0',
    'forbidden\0x',
    'forbidden\n',
    'forbidden\r\n',
    'forbidden\u0085',
    'forbidden\u2028',
    'forbidden\x7f',
    'forbid\u00adden',
    'forbid\u200bden',
    'forbid\u200dden',
    'forbid\u2060den',
    'forbidden\ufeff',
    'forbidden\ufe0f',
    '\u202eneddibrof',
    '\u202dforbidden\u202c',
    '\u2066forbidden\u2069',
    'forbidden\u{e0020}',
    'forbidden\u034f',
    'ｆｏｒｂｉｄｄｅｎ',
    'forbidde\u{1d427}',
    'ﬀorbidden',
    'forbidden\u180e',
    'drop\u200b_table',
    'ｄrop_table',
  ];
  for (const name of disguises) {
    it(`should NOT bypass: ${JSON.stringify(name)}`, async () => {
      await wide.refused(() => post(wide.url, legacyCall(name).body), misshapen);
      await wide.refused(() => post(wide.url, legacy('prompts/get', { name })), misshapen);
    });
  }

  for (const name of ['', 'x'.repeat(257), null, 1, true, ['forbidden'], { name: 'forbidden' }, [], {}]) {
    it(`should NOT bypass: ${JSON.stringify(name).slice(0, 40)}`, async () => {
      await wide.refused(() => post(wide.url, legacy('tools/call', { name })), misshapen);
      await wide.refused(() => post(wide.url, legacy('prompts/get', { name })), misshapen);
    });
  }

  for (const text of [
    '"\\u0066orbidden"',
    '"forbidde\\u006e"',
    '"\\u0066\\u006F\\u0072bidden"',
    '"drop_\\u002a"',
  ]) {
    it(`should NOT bypass: escaped as ${text}`, async () => {
      const body = JSON.stringify(legacyCall('x').body).replace('"x"', text);
      await wide.refused(() => post(wide.url, body), denied);
    });
  }

  it('and is in no list either, while honest names of other scripts are', async () => {
    const names = [...disguises, 'forbidden', 'drop_all', 'werkzeug', 'größe', '道具', 'two words'];
    wide.recorder.on('tools/list', ({ id }) => ({
      kind: 'json',
      body: {
        jsonrpc: '2.0',
        id,
        result: { tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) },
      },
    }));
    const answer = await post(wide.url, legacy('tools/list'));
    const { tools } = answer.json<{ result: { tools: { name: string }[] } }>().result;
    expect(tools.map(({ name }) => name)).toEqual(['werkzeug', 'größe', '道具', 'two words']);
    for (const name of ['werkzeug', 'größe', '道具', 'two words']) {
      const { seen } = await wide.observe(() => post(wide.url, legacyCall(name).body));
      expect(seen).toHaveLength(1);
    }
  });
});

describe('a method that is nearly another', () => {
  const unknown = { status: 200, rpc: -32601, reason: 'method-unknown', id: 1 } as const;
  const disguises = [
    'tools/call/',
    '/tools/call',
    'tools//call',
    'Tools/Call',
    'TOOLS/CALL',
    'tools/Call',
    'tools.call',
    'tools\\call',
    'tools%2fcall',
    'tools/call?x',
    'tools/call#x',
    'tools/call;x',
    ' tools/call',
    'tools/call ',
    'tools / call',
    'tоols/call',
    'tools/caⅼl',
    'tools∕call',
    'tools／call',
    'tools/./call',
    'resources/../tools/call',
    'tools/*',
    '*',
    'rpc.discover',
    'rpc.tools/call',
    'constructor',
    '__proto__',
    'toString',
    'tools/execute',
    'tools/call_batch',
    'sampling/createMessage',
    'elicitation/create',
    'roots/list',
    'notifications/message',
    'notifications/initialized',
    'notifications/resources/updated',
    'tasks/get',
    'tasks/result',
    'tasks/list',
    'tasks/cancel',
    'tasks/update',
    'skills/list',
    'skills/get',
    'resources/directory/read',
    'subscriptions/listen',
    'server/discover',
    'interceptors/list',
    'interceptor/invoke',
    'x-vendor/anything',
    '$/cancelRequest',
    'logging/setlevel',
  ];
  for (const method of disguises) {
    it(`should NOT bypass: ${method}`, async () => {
      const refusal =
        /^ | $/.test(method) || /[／ⅼ]/.test(method)
          ? { status: 400, rpc: -32600, reason: 'frame-invalid', id: 1 }
          : unknown;
      const params = { name: 'allowed', uri: 'file:///public/a', taskId: 't' };
      await narrow.refused(() => post(narrow.url, legacy(method, params)), refusal);
    });
  }
  for (const method of [
    '',
    'a'.repeat(257),
    'tools/call\0',
    'tools/call\n',
    'tools\u200b/call',
    1,
    null,
    ['tools/call'],
    {},
  ]) {
    it(`should NOT bypass: ${JSON.stringify(method).slice(0, 40)}`, async () => {
      await narrow.refused(
        () => post(narrow.url, { jsonrpc: '2.0', id: 1, method, params: { name: 'allowed' } }),
        {
          status: 400,
          rpc: -32600,
          reason: 'frame-invalid',
          id: 1,
        },
      );
    });
  }
  it('escaped it is that method, and judged as such', async () => {
    for (const text of ['tools\\/call', 't\\u006fols/call', 'tools\\u002fcall']) {
      const body = JSON.stringify(legacyCall('forbidden').body).replace('tools/call', () => text);
      await narrow.refused(() => post(narrow.url, body), denied);
    }
  });

  const modernUnknown = { ...unknown, status: 404 };
  for (const method of [
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'resources/unsubscribe',
    'tasks/result',
    'tasks/list',
    'sampling/createMessage',
    'elicitation/create',
    'roots/list',
    'notifications/initialized',
    'Tools/Call',
    'tools/call/',
    'constructor',
  ]) {
    it(`should NOT bypass in 2026-07-28: ${method}`, () =>
      narrow.refused(
        () => postModern(narrow, modern(method, { name: 'allowed', protocolVersion: '2025-11-25' })),
        modernUnknown,
      ));
  }

  /** They exist, but nobody named them in a rule. */
  for (const [method, params] of [
    ['tasks/get', { taskId: 't' }],
    ['tasks/update', { taskId: 't', inputResponses: {} }],
    ['tasks/cancel', { taskId: 't' }],
    ['skills/list', {}],
    ['skills/get', { uri: 'file:///public/a' }],
    ['resources/directory/read', { uri: 'file:///public/a' }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: ['file:///public/a'] } }],
  ] as const) {
    it(`should NOT bypass in 2026-07-28: ${method}, which no rule names`, async () => {
      const { headers, body } = modern(method, params);
      const withTask = 'taskId' in params ? { ...headers, 'mcp-name': params.taskId } : headers;
      await narrow.refused(() => post(narrow.url, body, { headers: withTask }), denied);
    });
  }
  for (const [method, revision] of [
    ['logging/setLevel', '2025-11-25'],
    ['tasks/get', '2025-11-25'],
    ['tasks/result', '2025-11-25'],
    ['tasks/list', '2025-11-25'],
    ['tasks/cancel', '2025-11-25'],
  ] as const) {
    it(`should NOT bypass in ${revision}: ${method}, which no rule names`, () =>
      narrow.refused(
        () =>
          post(narrow.url, legacy(method, { taskId: 't', level: 'debug' }), {
            headers: { 'mcp-protocol-version': revision },
          }),
        denied,
      ));
  }
});

describe('a forbidden target by way of another method', () => {
  const attempts: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['prompts/get', { name: 'forbidden' }],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'forbidden' }, argument: { name: 'a', value: '' } },
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'Greet' }, argument: { name: 'a', value: '' } },
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'file:///secret' }, argument: { name: 'a', value: '' } },
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'file:///{+all}' }, argument: { name: 'a', value: '' } },
    ],
    [
      'completion/complete',
      {
        ref: { type: 'ref/resource', uri: 'file:///public/private/{x}' },
        argument: { name: 'a', value: '' },
      },
    ],
    ['resources/read', { uri: 'file:///secret' }],
    ['resources/subscribe', { uri: 'file:///secret' }],
    ['resources/unsubscribe', { uri: 'file:///secret' }],
  ];
  for (const [method, params] of attempts) {
    it(`should NOT bypass: ${method} ${JSON.stringify(params).slice(0, 70)}`, () =>
      narrow.refused(() => post(narrow.url, legacy(method, params)), denied));
  }
  for (const ref of [
    { type: 'ref/tool', name: 'allowed' },
    { type: 'ref/Prompt', name: 'greet' },
    { name: 'greet' },
    { type: ['ref/prompt'], name: 'greet' },
    { type: 'ref/prompt', uri: 'file:///public/a' },
    'greet',
    null,
    ['ref/prompt'],
  ]) {
    it(`should NOT bypass: a ref like ${JSON.stringify(ref)}`, () =>
      narrow.refused(
        () => post(narrow.url, legacy('completion/complete', { ref, argument: { name: 'a', value: '' } })),
        misshapen,
      ));
  }
});

describe('a request without an id, of which nobody hears', () => {
  for (const method of [
    'tools/call',
    'resources/read',
    'initialize',
    'tasks/cancel',
    'notifications/unknown',
    'Notifications/initialized',
  ]) {
    it(`should NOT bypass: ${method}`, async () => {
      const body = { jsonrpc: '2.0', method, params: { name: 'allowed', uri: 'file:///public/a' } };
      const { value, seen, audit } = await narrow.observe(() => post(narrow.url, body));
      // JSON-RPC has no answer to a notification; HTTP has 202, which says nothing of its fate.
      expect([value.status, value.body.length]).toEqual([202, 0]);
      expect(seen).toEqual([]);
      expect(audit).toEqual([expect.objectContaining({ method, dropped: { 'notification-unknown': 1 } })]);
    });
  }
});

it('honest calls pass beside all this', async () => {
  await expectHonestCall(narrow);
  await expectHonestCall(wide);
  const { seen } = await narrow.observe(() => post(narrow.url, initialize()));
  expect(seen).toHaveLength(1);
});
