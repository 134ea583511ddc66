import { beforeAll, describe } from 'vitest';
import { type Arena, startArena } from './arena.ts';
import { itLetsThrough, itRefuses, policyWithRules } from './argument-calls.ts';

const policy = policyWithRules(`
  - id: from-to
    match: { tools: [range] }
    relations: [args.from < args.to]
  - id: own-team
    match: { tools: [team] }
    relations: ["args.team == principal.claims.team"]
  - id: own-domain
    match: { tools: [domain] }
    relations: ["args.to.endsWith('@' + principal.domain)"]
  - id: not-admin
    match: { tools: [mode] }
    relations: ["args.mode != 'admin'"]
  - id: no-force
    match: { tools: [force] }
    relations: ["!has(args.force) || args.force == false"]
  - id: every
    match: { tools: [every] }
    relations: ["args.list.all(a, args.list.exists(b, b == a && a < 100))"]
  - id: member
    match: { tools: [member] }
    relations: ["args.key in args.map"]
  - id: spelt
    match: { tools: [spelt] }
    relations: ["args.text.matches('^[a-z]+$')"]
`);

let arena: Arena;
beforeAll(async () => {
  arena = await startArena({ policy });
});
const everyWay = (title: string, tool: string, args: string | undefined) =>
  itRefuses(() => arena, title, tool, args);
const arrives = (tool: string, args: string | undefined) => itLetsThrough(() => arena, tool, args);

describe('relations', () => {
  const many = (count: number) => `[${Array.from({ length: count }, (_, at) => at % 90).join(',')}]`;
  const disguises: readonly (readonly [string, readonly (string | undefined)[]])[] = [
    [
      'range',
      [
        undefined,
        '{}',
        '{"from":1}',
        '{"from":2,"to":1}',
        '{"from":1,"to":1}',
        '{"from":"1","to":2}',
        '{"from":1,"to":"2"}',
        '{"from":null,"to":1}',
        '{"from":[],"to":[1]}',
        '{"from":{},"to":1}',
        '{"from":9007199254740993,"to":9007199254740993}',
        '{"from":9007199254740993,"to":9007199254740992}',
        '{"from":true,"to":2}',
      ],
    ],
    [
      'team',
      [
        '{"team":"a"}',
        '{"team":null}',
        '{}',
        '{"team":"undefined"}',
        '{"team":{}}',
        '{"team":"constructor"}',
      ],
    ],
    ['domain', ['{"to":"a@b"}', '{"to":"@"}', '{"to":"@undefined"}', '{}']],
    [
      'mode',
      ['{"mode":"admin"}', '{"mode":["admin"]}', '{"mode":{"admin":1}}', '{}', '{"mode":1}', '{"mode":true}'],
    ],
    ['force', ['{"force":true}', '{"force":"false"}', '{"force":0}', '{"force":[]}', '{"force":{}}']],
    [
      'every',
      [
        '{"list":[1,100]}',
        '{"list":["1"]}',
        '{"list":[null]}',
        '{"list":"1"}',
        '{"list":{"1":1}}',
        '{}',
        `{"list":${many(5_000)}}`,
        `{"list":${many(9_999)}}`,
      ],
    ],
    [
      'member',
      [
        '{"key":"constructor","map":{}}',
        '{"key":"toString","map":{"a":1}}',
        '{"key":"__proto__","map":{"a":1}}',
        '{"key":"hasOwnProperty","map":{}}',
        '{"key":"length","map":["a"]}',
        '{"key":"0","map":["a"]}',
        '{"key":"size","map":{}}',
        '{"key":"a","map":"a"}',
        '{"key":0,"map":{"0":1}}',
        '{"key":["a"],"map":{"a":1}}',
      ],
    ],
    [
      'spelt',
      [
        '{"text":""}',
        '{"text":"constructor1"}',
        '{"text":"__proto__"}',
        '{"text":"a\\n"}',
        '{"text":"a\\nb"}',
        '{"text":"\\nb"}',
        '{"text":["a"]}',
        '{"text":null}',
        `{"text":"${'a'.repeat(65_537)}"}`,
      ],
    ],
  ];
  for (const [tool, all] of disguises) for (const args of all) everyWay('', tool, args);
  arrives('range', '{"from":9007199254740993,"to":9007199254740994}');
  arrives('range', '{"from":1,"to":1.5}');
  arrives('mode', '{"mode":"user"}');
  arrives('mode', '{"mode":"__proto__"}');
  arrives('force', '{}');
  arrives('force', '{"force":false}');
  arrives('every', '{"list":[]}');
  arrives('every', `{"list":${many(50)}}`);
  arrives('member', '{"key":"constructor","map":{"constructor":1}}');
  arrives('member', '{"key":"a","map":["a"]}');
  arrives('spelt', '{"text":"constructor"}');
});
