import { beforeAll, describe, expect, it } from 'vitest';
import { legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { event } from '../support/recorder-answers.ts';
import { type Arena, expectHonestCall, startArena } from './arena.ts';

const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: [allowed]
      - resources: ["file:///**", "https://host.example/**", "db://main/*"]
      - methods: [subscriptions/listen]
    deny:
      - resources: ["file:///payroll/**", "file:///secret.txt", "file:///gr%C3%B6%C3%9Fe/**", "https://host.example/admin/**", "db://main/salaries"]
bindings:
  - roles: [caller]
    to: { any: true }
`;

let arena: Arena;
beforeAll(async () => {
  arena = await startArena({ policy });
});

/** Each is, for some reader of URIs, one of the denied ones; or is outside of what is allowed. */
const disguises = [
  'file:///payroll/a',
  'file:///payroll/',
  'file:///payroll/a/b/c',
  'file:///secret.txt',
  'file:///pub/../payroll/a',
  'file:///pub/./../payroll/a',
  'file:///./payroll/a',
  'file:///payroll/./a',
  'file:///pub/%2e%2e/payroll/a',
  'file:///pub/%2E%2E/payroll/a',
  'file:///pub/.%2e/payroll/a',
  'file:///pub/%2e./payroll/a',
  'file:///pub/%252e%252e/payroll/a',
  'file:///pub/%25252e/payroll/a',
  'file:///pub/..%2fpayroll/a',
  'file:///pub/..%2Fpayroll/a',
  'file:///pub/..%5cpayroll/a',
  'file:///pub/..\\payroll\\a',
  'file:///pub\\..\\payroll/a',
  'file:\\\\\\payroll\\a',
  'file:///\\payroll/a',
  'file:///pub/..;/payroll/a',
  'file:///pub/..;x=1/payroll/a',
  'file:///pub/.../../payroll/a/..',
  'file:////payroll/a',
  'file://///payroll/a',
  'file:///pub//payroll/a',
  'file:///payroll//a',
  'file:/payroll/a',
  'file:payroll/a',
  'file://localhost/payroll/a',
  'file://127.0.0.1/payroll/a',
  'file://./payroll/a',
  'FILE:///payroll/a',
  'File:///payroll/a',
  ' file:///payroll/a',
  'file:///payroll/a ',
  '\tfile:///payroll/a',
  'file:///pay\troll/a',
  'file:///pay\nroll/a',
  'file:///pay\r\nroll/a',
  'fi\nle:///payroll/a',
  'file:///payroll/a\0',
  'file:///payroll%00/a',
  'file:///payroll/a%00.txt',
  'file:///secret.txt%00',
  'file:///%70ayroll/a',
  'file:///payrol%6c/a',
  'file:///%70%61%79%72%6f%6c%6c/a',
  'file:///payroll%2fa',
  'file:///payroll%2Fa',
  'file:///payroll%5Ca',
  'file:///secret%2etxt',
  'file:///secret.txt%20',
  'file:///secret.txt%0a',
  'file:///secret.txt.',
  'file:///secret.txt. .',
  'file:///secret.txt::$DATA',
  'file:///secret.txt:$DATA',
  'file:///payroll./a',
  'file:///payroll%20/a',
  'file:///payroll::$INDEX_ALLOCATION/a',
  'file:///payroll:$I30:$INDEX_ALLOCATION/a',
  'file:///pay%E2%80%8Croll/a',
  'file:///pay%C2%ADroll/a',
  'file:///pay\u200droll/a',
  'file:///\u202ellorYap/a',
  'file:///gro%CC%88%C3%9Fe/a',
  'file:///gro\u0308\u00dfe/a',
  'file:///secret.txt%EF%BB%BF',
  'file:///%c0%ae%c0%ae/payroll/a',
  'file:///pub/%uff0e%uff0e/payroll/a',
  'file:///pub/%2/payroll',
  'file:///pub/%zz',
  'file:///pub/\u2024\u2024/payroll/a'.normalize('NFKC'),
  'file:///pub/．．/payroll/a'.normalize('NFKC'),
  'file:///pay\u00adroll/a'.replace('\u00ad', '\u0085'),
  'file://user@/payroll/a',
  'file://user:pass@localhost/payroll/a',
  'file:///payroll/../payroll/a',
  'https://host.example/admin/a',
  'https://HOST.example/admin/a',
  'https://host.example:443/admin/a',
  'https://host.example:0443/admin/a',
  'https://user@host.example/pub',
  'https://user:pass@host.example/pub',
  'https://host.example@evil.example/pub',
  'https://evil.example#@host.example/',
  'https://evil.example\\@host.example/pub',
  'https://host.example./pub',
  'https://host.example%2eevil.example/pub',
  'https://host.example%00.evil.example/pub',
  'https://host.example%23.evil.example/pub',
  'https://ｈｏｓｔ.example/pub',
  'https://host。example/pub',
  'https:/host.example/pub',
  'https:host.example/pub',
  'https:///host.example/pub',
  'http://host.example/pub',
  'HTTPS://host.example/pub',
  'https://host.example/pub/../admin/a',
  'https://host.example/%61dmin/a',
  'https://host.example/admin%2fa',
  'https://host.example//admin/a',
  'https://host.example/.//admin/a',
  'https://host.example/pub/..;/admin/a',
  'https://host.example/pub?/../admin/../%2e%2e%2fadmin%00',
  'db://main/salaries',
  'db://main/%73alaries',
  'db://main/salaries%00',
  'db://main/./salaries',
  'db://MAIN/salaries',
  'db://main:0/salaries',
  'db://x@main/salaries',
  'db:main/salaries',
  'db://main/x/y',
  'javascript:alert(1)',
  'data:text/plain,x',
  'ui://app',
  'file',
  '/payroll/a',
  '//host.example/pub',
  '../payroll/a',
  '',
  ':',
  'file:',
  `file:///${'a'.repeat(5000)}`,
];

const isRefused = { status: expect.any(Number), rpc: expect.any(Number), reason: expect.any(String), id: 1 };

/** Hidden targets answer alike; what is no plain URI is told so. Nothing else may come back. */
const either = (uri: string) => ({
  ...isRefused,
  reason: expect.stringMatching(/^(denied|frame-params-invalid)$/),
  uri,
});

describe('a denied resource under another spelling', () => {
  for (const uri of disguises) {
    it(`should NOT bypass: ${JSON.stringify(uri).slice(0, 80)}`, async () => {
      const { uri: _said, ...refusal } = either(uri);
      for (const method of ['resources/read', 'resources/subscribe', 'resources/unsubscribe']) {
        await arena.refused(() => post(arena.url, legacy(method, { uri })), refusal);
      }
      const ref = { type: 'ref/resource', uri };
      await arena.refused(
        () => post(arena.url, legacy('completion/complete', { ref, argument: { name: 'a', value: '' } })),
        refusal,
      );
      const listen = modern('subscriptions/listen', {
        notifications: { resourceSubscriptions: ['file:///pub/a', uri] },
      });
      await arena.refused(() => post(arena.url, listen.body, { headers: listen.headers }), refusal);
    });
  }

  for (const text of [
    '"file:///pub/\\u002e\\u002e/payroll/a"',
    '"file:\\/\\/\\/payroll\\/a"',
    '"file:///p\\u0061yroll/a"',
  ]) {
    it(`should NOT bypass: escaped as ${text}`, async () => {
      const { uri: _said, ...refusal } = either(text);
      await arena.refused(
        () => post(arena.url, `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":${text}}}`),
        refusal,
      );
    });
  }

  for (const uri of [null, 1, true, ['file:///pub/a'], { href: 'file:///pub/a' }]) {
    it(`should NOT bypass: ${JSON.stringify(uri)} in the place of a URI`, async () => {
      const refusal = { status: 400, rpc: -32602, reason: 'frame-params-invalid', id: 1 };
      await arena.refused(() => post(arena.url, legacy('resources/read', { uri })), refusal);
      const listen = modern('subscriptions/listen', { notifications: { resourceSubscriptions: [uri] } });
      await arena.refused(() => post(arena.url, listen.body, { headers: listen.headers }), refusal);
    });
  }
  for (const notifications of [
    null,
    [],
    'x',
    { resourceSubscriptions: 'file:///pub/a' },
    { resourceSubscriptions: { 0: 'file:///pub/a' } },
    { resourceSubscriptions: Array.from({ length: 1025 }, (_, n) => `file:///pub/${n}`) },
  ]) {
    it(`should NOT bypass: a filter like ${JSON.stringify(notifications).slice(0, 60)}`, async () => {
      const listen = modern('subscriptions/listen', { notifications });
      await arena.refused(() => post(arena.url, listen.body, { headers: listen.headers }), {
        status: 400,
        rpc: -32602,
        reason: 'frame-params-invalid',
        id: 1,
      });
    });
  }
  for (const key of ['ResourceSubscriptions', 'resourcesubscriptions', 'resourceSubſcriptions', 'taskIDs']) {
    it(`should NOT bypass: a filter with ${key}`, async () => {
      const listen = modern('subscriptions/listen', { notifications: { [key]: ['file:///payroll/a'] } });
      await arena.refused(() => post(arena.url, listen.body, { headers: listen.headers }), {
        status: 400,
        rpc: -32600,
        reason: 'json-ambiguous-key',
        id: 1,
      });
    });
  }

  for (const uri of [
    'file:///pub/a',
    'file:///pub/a%20b',
    'file:///pub/größe',
    'https://host.example/pub?q=1',
    'db://main/prices',
  ]) {
    it(`lets through, as it is written: ${uri}`, async () => {
      const { seen } = await arena.observe(() => post(arena.url, legacy('resources/read', { uri })));
      expect(seen[0]!.messages[0]!.params).toEqual({ uri });
    });
  }
});

describe('a task that someone else began', () => {
  const listen = (taskIds: unknown) => modern('subscriptions/listen', { notifications: { taskIds } });
  it('is not listened to by whoever may not ask for tasks', async () => {
    for (const taskIds of [['t1'], ['t1', 't2']]) {
      const { headers, body } = listen(taskIds);
      await arena.refused(() => post(arena.url, body, { headers }), {
        status: 200,
        rpc: 4030,
        reason: 'denied',
        id: 1,
      });
    }
    for (const taskIds of ['t1', { 0: 't1' }, [null], [1], [['t1']], ['']]) {
      const { headers, body } = listen(taskIds);
      await arena.refused(() => post(arena.url, body, { headers }), {
        status: 400,
        rpc: -32602,
        reason: 'frame-params-invalid',
        id: 1,
      });
    }
  });
});

describe('a denied resource in what the upstream sends', () => {
  const denied = [
    'file:///payroll/a',
    'file:///secret.txt',
    'file:///pub/../payroll/a',
    'FILE:///payroll/a',
    'nonsense',
  ];
  for (const uri of denied) {
    it(`does not come back from a read of another: ${uri}`, async () => {
      arena.recorder.on('resources/read', ({ id }) => ({
        kind: 'json',
        body: {
          jsonrpc: '2.0',
          id,
          result: {
            contents: [
              { uri: 'file:///pub/a', text: 'fine' },
              { uri, text: 's3cret' },
            ],
          },
        },
      }));
      const answer = await post(arena.url, legacy('resources/read', { uri: 'file:///pub/a' }));
      expect(answer.body.toString()).not.toContain('s3cret');
      expect(answer.json()).toMatchObject({
        id: 1,
        error: { data: { reason: /result-refused|upstream-invalid/ } },
      });
      arena.recorder.on('resources/read', undefined);
    });
    it(`is in no list: ${uri}`, async () => {
      for (const [method, member, key] of [
        ['resources/list', 'resources', 'uri'],
        ['resources/templates/list', 'resourceTemplates', 'uriTemplate'],
      ] as const) {
        arena.recorder.on(method, ({ id }) => ({
          kind: 'json',
          body: {
            jsonrpc: '2.0',
            id,
            result: {
              [member]: [
                { [key]: uri, name: 'n' },
                { [key]: 'file:///pub/a', name: 'n' },
              ],
            },
          },
        }));
        const answer = await post(arena.url, legacy(method));
        expect(answer.json<{ result: object }>().result).toEqual({
          [member]: [{ [key]: 'file:///pub/a', name: 'n' }],
        });
        arena.recorder.on(method, undefined);
      }
    });
    it(`is not told of by an update: ${uri}`, async () => {
      arena.recorder.on('GET', {
        kind: 'sse',
        chunks: [uri, 'file:///pub/a'].map((told) =>
          event({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: told } }),
        ),
      });
      const stream = await openStream('GET', arena.url);
      const events = await stream.rest();
      expect(events.map(({ data }) => (JSON.parse(data) as { params: { uri: string } }).params.uri)).toEqual([
        'file:///pub/a',
      ]);
      arena.recorder.on('GET', undefined);
    });
  }
});

it('honest calls pass beside all this', () => expectHonestCall(arena));
