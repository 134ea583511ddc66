import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/values/json.ts';
import { caller, faultIn, ruleOf } from './support.ts';

const told = (relation: unknown, args: JsonObject) => faultIn({ relations: [relation] }, args);

describe('a relation', () => {
  test.each<[string, JsonObject, string | undefined]>([
    ["args.to.endsWith('@' + principal.domain)", { to: 'bob@acme.example' }, undefined],
    ["args.to.endsWith('@' + principal.domain)", { to: 'bob@evil.example' }, 'does-not-hold'],
    ["args.to.endsWith('@' + principal.domain)", {}, 'cannot-be-evaluated'],
    ["args.to.endsWith('@' + principal.domain)", { to: 5 }, 'cannot-be-evaluated'],
    ['args.from < args.to', { from: 1, to: 2 }, undefined],
    ['args.from < args.to', { from: 2, to: 1 }, 'does-not-hold'],
    ["!has(args.force) || 'admin' in principal.roles", {}, undefined],
    ["!has(args.force) || 'admin' in principal.roles", { force: true }, 'does-not-hold'],
    ["call.tool == 'probe' && call.upstream == 'warehouse'", {}, undefined],
    ["principal.claims.team == 'x'", {}, 'cannot-be-evaluated'],
  ])('%s of %j: %s', (relation, args, fault) => {
    expect(told(relation, args)).toBe(fault === undefined ? undefined : `relation:${fault}`);
  });

  test('has a name and words for the caller', () => {
    const relations = ['true', { that: 'args.a == 1', id: 'a-is-one', message: 'set a to 1' }];
    const { fault } = ruleOf({ relations }).judge({ a: 2 }, caller);
    expect(fault).toEqual({
      rule: 'r',
      location: 'test.yaml:1',
      path: '(arguments)',
      role: 'relation',
      fault: 'does-not-hold',
      allow: 'set a to 1',
    });
    const unnamed = ruleOf({ relations: ['true', 'args.a == 1'] }).judge({ a: 2 }, caller);
    expect(unnamed.fault?.allow).toBe('the relation relations[1] must hold');
  });

  test('sees the rewritten arguments, and comes after the roles', () => {
    const document = { args: { n: { int: {}, clamp: { max: 5 } } }, relations: ['args.n <= 5'] };
    expect(faultIn(document, { n: 99 })).toBeUndefined();
    expect(faultIn({ ...document, relations: ['false'] }, { n: 'x' })).toBe('int:type');
  });

  test('is not asked of a part of the arguments', () => {
    expect(ruleOf({ relations: ['false'] }).judgePart({}, caller).fault).toBeUndefined();
  });
});
