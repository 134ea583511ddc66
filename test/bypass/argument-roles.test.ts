import { beforeAll, describe, expect, it } from 'vitest';
import { post } from '../support/raw-client.ts';
import { type Arena, startArena } from './arena.ts';

const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: ["*"]
bindings:
  - roles: [caller]
    to: { any: true }
arguments:
  - match: { tools: ["*"] }
    args:
      path: { path: { within: /workspace } }
      id: { id: {} }
      sql: { sql: { dialect: postgresql, tables: [orders] } }
      count: { int: { min: 0, max: 100 } }
`;

const marker = 'MARKER5f1c';

/** What must not arrive, by argument. As JSON text: numbers have more spellings than values. */
const disguises: Readonly<Record<string, readonly string[]>> = {
  path: [
    `/workspace/../${marker}`,
    `/workspace/%2e%2e/${marker}`,
    `/workspace/%252e%252e/${marker}`,
    `/workspace/\u2025/${marker}`,
    `/workspace2/${marker}`,
    `file:///etc/${marker}`,
    `\\\\host\\${marker}`,
  ].map((text) => JSON.stringify(text)),
  id: [`--${marker}`, `${marker};id`, `$(${marker})`, `a\n${marker}`].map((text) => JSON.stringify(text)),
  sql: [
    `SELECT '${marker}' FROM secret`,
    `TABLE secret -- ${marker}`,
    `SELECT 1 FROM orders; SELECT '${marker}'`,
    `SELECT pg_catalog."pg_read_file"('${marker}')`,
    `SELECT t.pg_read_file FROM unnest(ARRAY['${marker}']) t`,
    `SELECT ('${marker}'::text).pg_read_file`,
    `SELECT '${marker}'::regclass`,
    `SELECT query_to_xml('${marker}', true, true, '')`,
    `SELECT id AS "${marker}" FROM orders FOR UPDATE`,
    `SELECT id INTO ${marker} FROM orders`,
  ].map((text) => JSON.stringify(text)),
  count: ['101', '-1', '1.01e2', '"1"', '9007199254740993', '1.5', '"\u0661"', 'null', '[1]'],
};

const honest: Readonly<Record<string, readonly string[]>> = {
  path: ['"/workspace/a.txt"'],
  id: ['"build-42"'],
  sql: ['"SELECT o.id FROM orders o"'],
  count: ['100'],
};

const body = (name: string, value: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"allowed","arguments":{"${name}":${value}}}}`;

let arena: Arena;
beforeAll(async () => {
  arena = await startArena({ policy });
});

describe('an argument with a role', () => {
  for (const [name, values] of Object.entries(disguises)) {
    for (const value of values) {
      it(`should NOT bypass: ${name} ${value}`, async () => {
        const refusal = { status: 200, rpc: 4030, reason: 'arguments-refused', id: 1 };
        const answer = await arena.refused(() => post(arena.url, body(name, value)), refusal);
        expect(JSON.stringify(answer)).not.toContain(marker);
        expect(JSON.stringify(arena.gate.audit())).not.toContain(marker);
      });
    }
  }

  for (const [name, values] of Object.entries(honest)) {
    for (const value of values) {
      it(`arrives byte for byte: ${name} ${value}`, async () => {
        const sent = body(name, value);
        const { seen } = await arena.observe(() => post(arena.url, sent));
        // The gateway numbers requests to the upstream itself.
        const params = (text: string) => text.slice(text.indexOf('"method"'));
        expect(seen.map(({ body: bytes }) => params(bytes.toString()))).toEqual([params(sent)]);
      });
    }
  }
});
