import { describe, expect, test } from 'vitest';
import { createSchemaBook, type SchemaBookOptions } from '../../src/schemas/schema-book.ts';
import type { JsonObject } from '../../src/values/json.ts';

function open(options: Partial<SchemaBookOptions> = {}) {
  const due: (() => void)[] = [];
  const book = createSchemaBook({ schedule: (work) => due.push(work), ...options });
  const step = (): boolean => {
    const work = due.shift();
    work?.();
    return work !== undefined;
  };
  return { book, due, step };
}

const tool = (inputSchema?: unknown, outputSchema?: unknown) => ({
  definition: {
    name: 't',
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
  } as JsonObject,
});

describe('schemas are compiled', () => {
  test('off the path of calls, one at a time', () => {
    const { book, due, step } = open();
    const first = tool({ type: 'object' }, { type: 'array' });
    book.learn(first);
    book.learn(tool({ type: 'string' }));
    expect(due).toHaveLength(1);
    expect([step(), step(), step(), step()]).toEqual([true, true, true, false]);
    expect(book.checksOf(first)).toMatchObject({ input: { ok: true }, output: { ok: true } });
    expect(due).toHaveLength(0);
  });

  test('for a call that comes first: it waits for its own', async () => {
    const { book, step } = open();
    const early = tool({ type: 'object' });
    const checks = [book.checksOf(early), book.checksOf(early)];
    expect(checks[0]).toBeInstanceOf(Promise);
    while (step());
    for (const waited of await Promise.all(checks)) expect(waited.input.ok).toBe(true);
    expect(book.checksOf(early)).not.toBeInstanceOf(Promise);
  });

  test('once for all tools that have the same', () => {
    const { book, due, step } = open();
    book.learn(tool({ type: 'object' }, { type: 'object' }));
    book.learn(tool({ type: 'object' }));
    expect(step()).toBe(true);
    expect(due).toHaveLength(0);
    expect(book.checksOf(tool({ type: 'object' }))).toMatchObject({ output: undefined });
  });

  test('within bounds: what was used longest ago is compiled anew', () => {
    const { book, step } = open({ maximum: 2 });
    const tools = ['string', 'number', 'array'].map((type) => tool({ type }));
    for (const one of tools) book.learn(one);
    while (step());
    expect(tools.map((one) => book.checksOf(one) instanceof Promise)).toEqual([true, false, false]);
  });
});

test('a full queue forgets wishes, but nothing that a call waits for', async () => {
  const { book, step } = open({ maximum: 10_000 });
  const waited = tool({ const: 'waited' });
  const checks = book.checksOf(waited);
  const first = tool({ const: 'first' });
  book.learn(first);
  for (let index = 0; index < 4096; index += 1) book.learn(tool({ const: index }));
  let steps = 0;
  while (step()) steps += 1;
  expect(steps).toBe(4096);
  expect((await checks).input.ok).toBe(true);
  expect(book.checksOf(first)).toBeInstanceOf(Promise);
});

test('what cannot be enforced is remembered as such, and a tool without a schema has none', () => {
  const { book, step } = open();
  const broken = tool({ type: 'any' });
  book.learn(broken);
  while (step());
  expect(book.checksOf(broken)).toMatchObject({ input: { ok: false, reason: 'keyword-invalid' } });
  expect(book.checksOf(tool())).toMatchObject({
    input: { ok: false, reason: 'schema-missing' },
    output: undefined,
  });
});
