import { beforeAll, describe, expect, it } from 'vitest';
import { type Arena, startArena } from './arena.ts';
import {
  foldedForms as folded,
  itLetsThrough,
  itRefuses,
  policyWithRules,
  callsByEra as ways,
} from './argument-calls.ts';

const policy = policyWithRules(`
  - id: flat
    match: { tools: ["t*"] }
    args:
      n: { int: { max: 10 }, required: true }
  - id: overlap
    match: { tools: ["*x"] }
    args:
      n: { int: { min: 5 } }
  - id: tried
    mode: shadow
    match: { tools: ["*"] }
    args: { n: { set: 1 }, m: { drop: true } }
`);

let arena: Arena;
beforeAll(async () => {
  arena = await startArena({ policy });
});
const everyWay = (title: string, tool: string, args: string | undefined) =>
  itRefuses(() => arena, title, tool, args);
const arrives = (tool: string, args: string | undefined) => itLetsThrough(() => arena, tool, args);

describe('rules that overlap', () => {
  for (const args of [
    undefined,
    '{}',
    '{"n":11}',
    '{"n":"1"}',
    '{"n":null}',
    '{"n":[1]}',
    '{"n":{"n":1}}',
    '{"$.n":1}',
    '{"[\\"n\\"]":1}',
    ...folded('n').flatMap((key) => [`{"n":1,"${key}":99}`, `{"${key}":1}`, `{"${key}":99,"n":1}`]),
  ]) {
    everyWay('one rule', 't', args);
  }
  for (const args of ['{"n":4}', '{"n":11}', '{"n":4.5}', '{}', '{"n":5,"N":11}'])
    everyWay('two rules', 'tx', args);
  for (const args of ['{"n":4}', '{"n":1e0}']) everyWay('the second alone', 'yx', args);
  for (const args of ['{"n":10,"m":1}', '{"n":5}']) arrives('tx', args);
  arrives('t', '{"n":1.0}');
  arrives('yx', '{}');

  for (const args of ['null', '[]', '[{"n":1}]', '"{}"', '0', 'false']) {
    for (const [way, call] of Object.entries(ways)) {
      it(`should NOT bypass, ${way}: arguments ${args}`, () =>
        arena.refused(() => call(arena, 't', args), {
          status: 400,
          rpc: -32602,
          reason: 'frame-params-invalid',
          id: 1,
        }));
    }
  }
  for (const member of ['Arguments', 'ARGUMENTS', 'argument\\u017f', 'arguments\\u200b']) {
    for (const [way, call] of Object.entries(ways)) {
      it(`should NOT bypass, ${way}: a second member ${member}`, async () => {
        const { seen, value } = await arena.observe(() => call(arena, 't', `{"n":1},"${member}":{"n":99}`));
        expect(seen).toEqual([]);
        expect(value.json()).toHaveProperty('error');
      });
    }
  }
});
