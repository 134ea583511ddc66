import { describe, expect, test } from 'vitest';
import { replaceFrame } from '../../src/mcp/encode.ts';
import type { MessageFrame } from '../../src/mcp/frame.ts';
import type { JsonObject } from '../../src/values/json.ts';
import { call, makeExchange, makeGate, policyOf, told, up } from './support.ts';

/**
 * What a frame is about is worked out once, and asked for by many checks. A check that changes the frame must not leave
 * what was worked out before to those that come after it.
 */

const policy = policyOf(`
version: 1
roles:
  all:
    allow:
      - { tools: [query], when: { args: { limit: { max: 10 } } } }
      - { tools: [dear] }
bindings:
  - { roles: [all], to: [{ any: true }] }
arguments:
  - { id: shape, match: { tools: [query] }, args: { limit: { int: { max: 10 } } } }
limits:
  - { name: rows, match: { tools: [query] }, per: principal, quota: 20/day, cost: args.limit }
  - { name: dear, match: { tools: [dear] }, per: principal, quota: 5/day, cost: args.limit * 5 }
`);

const frame = (name: string, args: object): MessageFrame =>
  call('tools/call', { name, arguments: args }) as MessageFrame;

/** As a check makes the frame that takes the place of another: of the parts of the first, and encoded anew. */
function replaced(first: MessageFrame, name: string, args: JsonObject): MessageFrame {
  const params = { ...(first.value['params'] as JsonObject), name, arguments: args };
  return replaceFrame(first, { ...first.value, params });
}

const few = { name: 'query', args: { limit: 2 } };
const many = { name: 'query', args: { limit: 50 } };
const dear = { name: 'dear', args: { limit: 2 } };
const hidden = { name: 'drop', args: { limit: 2 } };

const cases = [
  { filter: 'authorize', before: few, after: many, verdict: 'arguments-refused' },
  { filter: 'authorize', before: few, after: hidden, verdict: 'denied' },
  { filter: 'authorize', before: many, after: few, verdict: 'pass' },
  { filter: 'arguments', before: few, after: many, verdict: 'arguments-refused' },
  { filter: 'arguments', before: many, after: few, verdict: 'pass' },
  { filter: 'limits', before: few, after: many, verdict: 'cost-too-high' },
  { filter: 'limits', before: few, after: dear, verdict: 'cost-too-high' },
  { filter: 'limits', before: dear, after: few, verdict: 'pass' },
] as const;

describe('a frame that took the place of another is judged by itself', () => {
  for (const { filter, before, after, verdict } of cases) {
    test(`${filter}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`, async () => {
      const gate = makeGate();
      const first = frame(before.name, before.args);
      const exchange = makeExchange({ policy, request: first });
      // All of them have been asked about the first one, and have worked out what it is about.
      for (const name of ['limits-early', 'arguments', 'flow', 'authorize']) {
        await up(gate.filter(name), exchange, first);
      }
      const second = replaced(first, after.name, after.args);
      const judged = told(await up(gate.filter(filter), exchange, second));
      expect(typeof judged === 'string' ? judged : (judged as { code: string }).code).toBe(verdict);
    });
  }
});
