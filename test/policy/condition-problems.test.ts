import { describe, expect, it } from 'vitest';
import { ask, oneRole, problemsOf } from './support/build.ts';

const messages = (when: string) =>
  problemsOf(`version: 1\nroles: { r: { allow: [{ tools: t, when: ${when} }] } }\n`).map((problem) =>
    problem.replace(/^a\.yaml:\d+:\d+: roles\.r\.allow\[0\]\.when:? ?\.?/, ''),
  );
const path = 'not an argument path: write name, a.b, a[0], a[*] or ["odd name"], with or without "$."';
const claim = 'not a claim: write name, a.b, ["odd name"] or a name that begins with https://';
const regex = 'not a valid regular expression (RE2 syntax)';
const clock = 'expected a time of day such as "08:00"';

describe('a condition that cannot be meant is a problem', () => {
  it.each<readonly [string, string]>([
    ['{}', 'names no condition'],
    ['{ args: {} }', 'args: names no argument'],
    ['{ claims: {} }', 'claims: names no claim'],
    ['{ args: { a: {} } }', 'args.a: names no operator'],
    ['{ args: { a: { optional: true } } }', 'args.a: "optional" needs another operator beside it'],
    ['{ args: { a: { optional: true, present: true } } }', 'args.a: "optional" contradicts "present"'],
    [
      '{ args: { a: { present: false, min: 1 } } }',
      'args.a: "present: false" leaves nothing for other operators',
    ],
    ['{ args: { a: { min: 2, max: 1 } } }', 'args.a: "min" is greater than "max"'],
    ['{ args: { a: { minLength: 2, maxLength: 1 } } }', 'args.a: "minLength" is greater than "maxLength"'],
    ['{ args: { "a[": { min: 1 } } }', `args["a["]: ${path}`],
    ['{ claims: { "a[": x } }', `claims["a["]: ${claim}`],
    ['{ args: { a: { pattern: "(" } } }', `args.a.pattern: ${regex}`],
    [
      `{ args: { a: { pattern: "${'a'.repeat(1001)}" } } }`,
      'args.a.pattern: a pattern must not be longer than 1000 characters',
    ],
    [
      '{ args: { a: { max: 9007199254740993 } } }',
      'args.a.max: a whole number beyond 2^53 cannot be compared exactly',
    ],
    ['{ time: { zone: UTC } }', 'time: needs "days" or "between"'],
    ['{ time: { between: ["08:00", "08:00"] } }', 'time.between: begins when it ends'],
    ['{ time: { days: mon, zone: Mars/Olympus } }', 'time.zone: not an IANA time zone'],
    ...['8:00', '25:00', '24:01', '08:60', '08:5', '08:00:00', 'x08:00', '08.00', '-1:00', ''].map(
      (text) => [`{ time: { between: ["${text}", "18:00"] } }`, `time.between[0]: ${clock}`] as const,
    ),
  ])('%s', (when, message) => {
    expect(messages(when)).toEqual([message]);
  });

  it('of no network too', () => {
    expect(messages('{ network: {} }')).toEqual(['network: needs "in" or "notIn"']);
    expect(messages('{ network: { in: [] } }')).toEqual([
      'network.in: the list is empty: leave the key out, or name something',
    ]);
  });

  it.each([
    '{ args: { a: { min: 1, max: 1 } } }',
    '{ args: { a: { min: 1 } } }',
    '{ args: { a: { max: -1 } } }',
    '{ args: { a: { minLength: 1, maxLength: 1 } } }',
    '{ args: { a: { minLength: 3 } } }',
    '{ args: { a: { maxLength: 0 } } }',
    '{ args: { a: { present: false } } }',
    '{ args: { a: { present: true, min: 1 } } }',
    '{ args: { a: { optional: true, min: 1 } } }',
    '{ args: { a: { max: 9007199254740991 } } }',
    '{ args: { a: { max: 1.5 } } }',
    `{ args: { a: { pattern: "${'a'.repeat(1000)}" } } }`,
    '{ network: { in: 10.0.0.0/8 } }',
    '{ network: { notIn: 10.0.0.0/8 } }',
    '{ time: { days: mon } }',
    '{ time: { between: ["00:00", "24:00"] } }',
    '{ time: { between: ["19:59", "20:59"] } }',
    '{ claims: { "https://idp.example/a b": x } }',
  ])('%s is none', (when) => {
    expect(messages(when)).toEqual([]);
  });
});

it('a time is read as it is written', () => {
  const effect = (between: string, at: string) =>
    ask(oneRole(`[{ tools: t, when: { time: { between: ${between} } } }]`), {
      tool: 't',
      time: Date.parse(at),
    }).effect;
  for (const [between, inside, outside] of [
    ['["08:30", "08:31"]', ['08:30:00', '08:30:59.999'], ['08:29:59.999', '08:31:00']],
    ['["00:00", "00:01"]', ['00:00:00'], ['00:01:00', '23:59:59']],
    ['["23:59", "24:00"]', ['23:59:00', '23:59:59'], ['23:58:59', '00:00:00']],
    ['["23:59", "00:01"]', ['23:59:00', '00:00:59'], ['23:58:59', '00:01:00']],
  ] as const) {
    for (const time of inside)
      expect(effect(between, `2026-01-01T${time}Z`), `${between} ${time}`).toBe('allow');
    for (const time of outside)
      expect(effect(between, `2026-01-01T${time}Z`), `${between} ${time}`).toBe('deny');
  }
});

it('lengths are from the least to the greatest', () => {
  const effect = (operators: string, a: unknown) =>
    ask(oneRole(`[{ tools: t, when: { args: { a: ${operators} } } }]`), { tool: 't', args: { a } }).effect;
  expect(['', 'a', 'ab', 'abc'].map((text) => effect('{ minLength: 1, maxLength: 2 }', text))).toEqual([
    'deny',
    'allow',
    'allow',
    'deny',
  ]);
  expect([[], [1], [1, 2], [1, 2, 3]].map((list) => effect('{ minLength: 1, maxLength: 2 }', list))).toEqual([
    'deny',
    'allow',
    'allow',
    'deny',
  ]);
});
