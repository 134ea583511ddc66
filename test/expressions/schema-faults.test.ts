import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/expressions/expression.ts';
import { expressionFaults } from '../../src/expressions/schema-faults.ts';

const schema = {
  type: 'object',
  properties: {
    to: { type: 'string' },
    limit: { type: 'integer' },
    ratio: { type: 'number' },
    force: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
    options: { type: 'object', properties: { depth: { type: 'integer' } } },
    either: { type: ['string', 'null'] },
    constructor: { type: 'string' },
    free: { type: 'object' },
  },
};

function faults(text: string, of: Parameters<typeof expressionFaults>[1] = schema): string | undefined {
  const compiled = compileExpression(text, ['args', 'principal']);
  if (!compiled.ok) throw new Error(compiled.message);
  return expressionFaults(compiled.expression, of);
}

describe('an expression beside the schema of its arguments', () => {
  it.each([
    [`args.to.endsWith('@' + principal.domain)`],
    ['args.limit <= 100 && args.limit < 1.5'],
    ['args.ratio <= 1 && args.ratio < 0.5 && args.ratio == 1'],
    ['!args.force'],
    [`args.tags.all(tag, tag.startsWith('x'))`],
    ['args.options.depth <= 3'],
    [`has(args.options.depth) && 'depth' in args.options && size(args) < 5`],
    [`args.either == null || args.either == 'a'`],
    [`args.constructor == 'a'`],
    [`args.free.anything == 'a'`],
    [`args[principal.id] == 'a'`],
    ['principal.unheard == 1'],
  ])('fits: %s', (text) => {
    expect(faults(text)).toBeUndefined();
  });

  it.each([
    ['args.limt <= 100', 'args.limt is not in the schema'],
    ['!has(args.limt) || true', 'args.limt is not in the schema'],
    ['args.options.depht <= 3', 'args.options.depht is not in the schema'],
    [`args.limit == '5'`, `no such overload: int == string (at character 1)`],
    ['args.to <= 5', 'no such overload: string <= int (at character 1)'],
    ['args.to.name == 1', `Cannot index type 'string' (at character 9)`],
    ['args.force > 1', 'no such overload: bool > int (at character 1)'],
    ['args.tags.all(tag, tag < 5)', 'no such overload: string < int (at character 20)'],
  ])('does not fit: %s', (text, message) => {
    expect(faults(text)).toBe(message);
  });

  it('says nothing of what the schema leaves open', () => {
    for (const open of [
      true,
      {},
      { type: 'object' },
      { $ref: '#/$defs/a' },
      { type: 'object', properties: {}, anyOf: [{ properties: { to: { type: 'string' } } }] },
      { type: 'object', properties: {}, patternProperties: { '^t': {} } },
      { type: 'object', properties: { to: { oneOf: [{ type: 'string' }] } } },
      'nonsense',
      null,
    ]) {
      expect(faults(`args.to == 'a'`, open)).toBeUndefined();
    }
  });
});
