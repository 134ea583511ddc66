import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MethodRow, methods } from '../../src/mcp/methods.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

/**
 * Every method that names something, in both eras, under every way in which policy can refuse, where denials are hidden
 * and where they are explained: what the server has and what nobody has get the same bytes, and neither reaches it.
 */
const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: [shown, "rule_*", "acl_*"]
        prompts: [shown, "rule_*", "acl_*"]
        resources: ["test://open/**"]
        methods: ["**"]
    deny:
      - { id: by-rule, tools: ["rule_*"], prompts: ["rule_*"], resources: ["test://open/rule/**"] }
      - { id: on-trial, mode: shadow, tools: ["*"], prompts: ["*"] }
  nobody:
    allow:
      - { tools: ["unheld_*"], prompts: ["unheld_*"], resources: ["test://unheld/**"] }
bindings:
  - { roles: [caller], to: { any: true } }
acl:
  - { tool: "acl_*", allow: [{ roles: [nobody] }] }
  - { prompt: "acl_*", allow: [{ roles: [nobody] }] }
  - { resource: "test://open/acl/**", allow: [{ roles: [nobody] }] }
arguments:
  - { match: { tools: ["rule_*"] }, args: { a: { int: { min: 1 } } }, unknown: refuse }
`;

/** Way of refusing -> what the server has, and what is made up. */
const ways = {
  'a deny rule': {
    names: ['rule_real', 'rule_made'],
    uris: ['test://open/rule/real', 'test://open/rule/made'],
  },
  'an ACL': { names: ['acl_real', 'acl_made'], uris: ['test://open/acl/real', 'test://open/acl/made'] },
  'no rule': { names: ['other_real', 'other_made'], uris: ['test://other/real', 'test://other/made'] },
} as const;

type Params = Readonly<Record<string, unknown>>;

/** One question for each place in which a method names something. */
const askings: Readonly<Record<string, readonly ((name: string, uri: string) => Params)[]>> = {
  'tools/call': [
    (name) => ({ name, arguments: { a: 'too long', b: 1 } }),
    (name) => ({ name, arguments: {}, task: { ttl: 1 } }),
    (name) => ({ name, arguments: {}, requestState: 's', inputResponses: {} }),
    (name) => ({ name, arguments: {}, _meta: { progressToken: 1 } }),
  ],
  'prompts/get': [(name) => ({ name, arguments: { a: '1' } })],
  'resources/read': [(_name, uri) => ({ uri })],
  'resources/subscribe': [(_name, uri) => ({ uri })],
  'resources/unsubscribe': [(_name, uri) => ({ uri })],
  'skills/get': [(_name, uri) => ({ uri })],
  'resources/directory/read': [(_name, uri) => ({ uri }), (_name, uri) => ({ uri, cursor: 'c' })],
  'completion/complete': [
    (name) => ({ ref: { type: 'ref/prompt', name }, argument: { name: 'a', value: '' } }),
    (_name, uri) => ({ ref: { type: 'ref/resource', uri }, argument: { name: 'a', value: '' } }),
    (_name, uri) => ({
      ref: { type: 'ref/resource', uri: `${uri}/{x}` },
      argument: { name: 'x', value: '' },
    }),
  ],
  'subscriptions/listen': [
    (_name, uri) => ({ notifications: { resourceSubscriptions: [uri] } }),
    (_name, uri) => ({ notifications: { resourceSubscriptions: ['test://open/shown', uri] } }),
    (_name, uri) => ({ notifications: { resourceSubscriptions: [uri], taskIds: ['t'] } }),
  ],
};

const named = (row: MethodRow): boolean =>
  row.direction !== 'toClient' &&
  row.kind === 'request' &&
  row.targets.some((source) => !['method', 'tasks', 'augmentation'].includes(source));

let recorder: Recorder;
let gate: TestGateway;

beforeAll(async () => {
  recorder = await startRecorder();
  const real = ['rule_real', 'acl_real', 'other_real', 'shown'];
  const lists = {
    'tools/list': { tools: real.map((name) => ({ name, inputSchema: { type: 'object' } })) },
    'prompts/list': { prompts: real.map((name) => ({ name })) },
    'resources/list': {
      resources: Object.values(ways).map(({ uris: [uri] }) => ({ uri, name: 'r' })),
    },
    'resources/templates/list': {
      resourceTemplates: Object.values(ways).map(({ uris: [uri] }) => ({
        uriTemplate: `${uri}/{x}`,
        name: 'r',
      })),
    },
  };
  for (const [method, result] of Object.entries(lists)) {
    recorder.on(method, ({ id }) => ({ kind: 'json', body: { jsonrpc: '2.0', id, result } }));
  }
  const upstream = (name: string, more: object = {}) => ({
    name,
    path: `/${name}/mcp`,
    http: { url: recorder.url },
    ...more,
  });
  gate = await startTestGateway({
    upstreams: {},
    policy,
    door: 'plain',
    schemas: 'enforce',
    config: {
      upstreams: [
        upstream('hidden'),
        upstream('explained', { disclosure: { mode: 'explained', contact: 'ask@acme.example' } }),
      ],
    },
  });
});

afterAll(async () => {
  await gate.close();
  await recorder.close();
});

function ask(era: 'modern' | 'legacy', upstream: string, method: string, params: Params): Promise<RawAnswer> {
  const url = gate.url(upstream);
  if (era === 'legacy') {
    const headers = { 'mcp-protocol-version': '2025-11-25' };
    return post(url, legacy(method, params), { headers });
  }
  const { headers, body } = modern(method, params);
  return post(url, body, { headers });
}

/** All that a client can see of an answer, but for the clock. */
function shown({ status, headers, body }: RawAnswer, real: string, made: string): string {
  const { date: _date, ...rest } = headers;
  return `${status} ${JSON.stringify(rest)} ${body.toString()}`.replaceAll(real, made);
}

const calls = () =>
  recorder.messages.filter(({ method }) => method !== undefined && method in askings).length;

it('every method that names something is asked here', () => {
  const names = [...new Set(methods.filter(named).map(({ method }) => method))];
  expect(Object.keys(askings).sort()).toEqual(names.sort());
});

describe('what the server has and what nobody has', () => {
  for (const upstream of ['hidden', 'explained']) {
    for (const era of ['modern', 'legacy'] as const) {
      it(`answer alike and reach nothing (${upstream}, ${era})`, async () => {
        // The gateway knows what the server has before anybody asks for it.
        for (const list of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']) {
          const listed = await ask(era, upstream, list, {});
          expect(listed.body.toString()).not.toMatch(/real/);
        }
        const before = calls();
        for (const [way, { names, uris }] of Object.entries(ways)) {
          for (const [method, questions] of Object.entries(askings)) {
            for (const question of questions) {
              const [real, made] = [0, 1].map((index) =>
                question(names[index as 0 | 1], uris[index as 0 | 1]),
              ) as [Params, Params];
              const answers = [
                await ask(era, upstream, method, real),
                await ask(era, upstream, method, made),
              ];
              const [one, other] = answers.map((answer) => shown(answer, 'real', 'made'));
              expect({ way, method, said: one }).toEqual({ way, method, said: other });
              expect(answers[0]!.json()).toMatchObject({ error: { code: expect.any(Number) } });
            }
          }
        }
        expect(calls()).toBe(before);
        const refused = gate.audit().filter(({ code }) => code === 'denied');
        expect(refused.length).toBeGreaterThan(10);
      });
    }
  }

  it('are told apart by no more than policy says of their names', async () => {
    const data = async (name: string): Promise<unknown> => {
      const answer = await ask('modern', 'explained', 'tools/call', { name, arguments: {} });
      return answer.json<{ error: { data: unknown } }>().error.data;
    };
    const contact = 'ask@acme.example';
    const byRule = { reason: 'denied', why: 'denied-by-rule', rule: 'by-rule', contact };
    expect(await data('rule_real')).toEqual(byRule);
    expect(await data('rule_made')).toEqual(byRule);
    expect(await data('acl_real')).toEqual(await data('acl_made'));
  });
});
