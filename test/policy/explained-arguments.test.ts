import { describe, expect, it } from 'vitest';
import { explain } from '../../src/policy/explain.ts';
import { policyOf, requestOf } from './support/build.ts';

const text = `version: 1
roles: { caller: { allow: [{ tools: [login, save, page] }] } }
bindings: [{ roles: caller, to: { any: true } }]
arguments:
  - id: logging-in
    match: { tools: [login] }
    schema: alert
    unknown: allow
    args: { password: { secret: {} } }
  - id: saving
    match: { tools: [save] }
    args: { "items[*].name": { text: {}, normalize: [trim] } }
  - id: paging
    match: { tools: [page] }
    args: { limit: { int: {}, clamp: { max: 10 } } }
`;
const of = (tool: string, args: Record<string, unknown>) =>
  explain(requestOf({ tool, args }), policyOf(text)).arguments!;

describe('explained arguments', () => {
  it('say what a rule does with the schema and with unknown arguments, and nothing where it says nothing', () => {
    expect(of('login', { password: 'hunter2' }).rules).toStrictEqual([
      { rule: 'logging-in', location: 'a.yaml:5', shadow: false, schema: 'alert', unknown: 'allow' },
    ]);
    expect(of('page', { limit: 1 }).rules).toStrictEqual([
      { rule: 'paging', location: 'a.yaml:13', shadow: false },
    ]);
  });

  it('show what is sent in a place inside a list', () => {
    expect(of('save', { items: [{ name: 'a' }, { name: ' b ' }] }).rewrites).toEqual([
      { rule: 'saving', path: 'items[1].name', rewrite: 'normalize', sent: 'b' },
    ]);
  });

  it('show nothing of what would have been sent where the call is refused', () => {
    const refused = of('page', { limit: 'x' });
    expect(Object.keys(refused).sort()).toEqual(['lookups', 'refused', 'rewrites', 'rules', 'wouldRefuse']);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['inside other texts', { note: 'my hunter2!' }, { note: 'my [secret]!' }],
    ['in lists', { notes: ['a', 'hunter2', ['hunter2']] }, { notes: ['a', '[secret]', ['[secret]']] }],
    ['in members of members', { a: { b: 'hunter2' } }, { a: { b: '[secret]' } }],
    ['in names', { a: { 'x-hunter2': 1 } }, { a: { 'x-[secret]': 1 } }],
    ['and leave alone what is no text', { n: 7, b: true, z: null }, { n: 7, b: true, z: null }],
  ])('hide a secret %s', (_title, others, shown) => {
    expect(of('login', { password: 'hunter2', ...others }).sent).toEqual({ password: '[secret]', ...shown });
  });

  it.each([
    ['12345', 'a 12345 b', 'a 12345 b'],
    ['12345', '12345', '[secret]'],
    ['123456', 'a 123456 b', 'a [secret] b'],
  ])('hide the secret %s in %j as %j: a short one only as a whole', (password, note, shown) => {
    expect(of('login', { password, note }).sent).toEqual({ password: '[secret]', note: shown });
  });

  it('hide a number that is the secret', () => {
    expect(of('login', { password: '4711', pin: 4711, other: 4712 }).sent).toEqual({
      password: '[secret]',
      pin: '[secret]',
      other: 4712,
    });
  });
});
