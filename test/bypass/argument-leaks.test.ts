import { beforeAll, describe, expect, it } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { type Arena, postModern, startArena } from './arena.ts';
import { policyWithRules, callsByEra as ways } from './argument-calls.ts';

const policy = policyWithRules(`
  - id: flat
    match: { tools: ["t*"] }
    args:
      n: { int: { max: 10 }, required: true }
  - id: nested
    match: { tools: [nested] }
    args:
      "edits[*].path": { id: {}, required: true }
      "options.depth": { int: { max: 3 } }
      "options.deep.place": { enum: [here], required: true }
      "argv[0]": { enum: [ls] }
  - id: not-admin
    match: { tools: [mode] }
    relations: ["args.mode != 'admin'"]
  - id: member
    match: { tools: [member] }
    relations: ["args.key in args.map"]
  - id: fetching
    match: { tools: [fetch] }
    args: { url: { url: { hosts: [good.example] } } }
  - id: running
    match: { tools: [run] }
    args:
      command:
        command:
          allow:
            - words: [git, [status, log]]
              options: { -n: { int: { max: 100 } }, --oneline: flag }
  - id: writing
    match: { tools: [write] }
    args: { path: { path: { within: /workspace, mode: write } } }
  - id: keeping
    match: { tools: [keep] }
    args: { pin: { secret: { maxLength: 8 } }, "list[*].pin": { secret: {} }, n: { int: {} } }
  - id: outer
    match: { tools: [sign] }
    args:
      auth: { default: {} }
      "auth.pin": { secret: {}, strip: invisible }
      note: { strip: invisible }
  - id: other
    match: { tools: [sign] }
    args: { "auth.pin": { normalize: trim }, "keys[*]": { strip: invisible } }
  - id: watched
    mode: shadow
    match: { tools: [sign] }
    args: { "keys[*]": { secret: {} } }
  - id: all-of-it
    match: { tools: [seal] }
    args: { auth: { set: { fixed: true } } }
  - id: inside
    match: { tools: [seal] }
    args: { "auth.pin": { secret: {} } }
`);

let arena: Arena;
beforeAll(async () => {
  arena = await startArena({ policy });
});

describe('what is refused is not told', () => {
  const marker = 'mark5f1cer';
  const pin = 'p1n-Kd93jfLq-secret';
  for (const [name, tool, args] of [
    ['a value', 't', { n: marker }],
    ['a key', 't', { [marker]: 1 }],
    ['a nested key and value', 't', { n: { [marker]: [marker] } }],
    ['an element', 'nested', { edits: [{ path: `-${marker}` }] }],
    ['a key beside elements', 'nested', { edits: [{ path: 'a', [`Path${marker}`]: 1 }, { [marker]: 1 }] }],
    ['a key instead of a list', 'nested', { edits: { [marker]: marker } }],
    ['a relation', 'mode', { mode: [marker] }],
    ['a key of a map', 'member', { key: marker, map: {} }],
    ['a host', 'fetch', { url: `https://${marker}.example/${marker}` }],
    ['a command', 'run', { command: `git ${marker}` }],
    ['an option', 'run', { command: `git log --${marker}` }],
    ['a path', 'write', { path: `/workspace/../away/${marker}` }],
    ['a sibling', 't', { N: marker, n: 1 }],
    ['a secret too long', 'keep', { pin: `${pin}${marker}` }],
    ['a secret under another name', 'keep', { PIN: `${pin}${marker}` }],
    ['a secret in an object', 'keep', { pin: { deep: [`${pin}${marker}`] } }],
    ['a secret in a list', 'keep', { n: 'x', list: [{ pin: `${pin}${marker}` }] }],
    ['a secret where a list should be', 'keep', { list: { pin: `${pin}${marker}` } }],
    ['a secret echoed elsewhere', 'keep', { n: pin + marker, list: [{ pin: pin + marker }] }],
  ] as const) {
    for (const [way, call] of Object.entries(ways)) {
      it(`${name}, ${way}`, async () => {
        const { value, seen, audit } = await arena.observe(() => call(arena, tool, JSON.stringify(args)));
        expect(seen).toEqual([]);
        const { error } = value.json<{ error: { data: Record<string, unknown> } }>();
        expect(Object.keys(error.data).sort()).toEqual(
          expect.arrayContaining(['allow', 'fault', 'path', 'reason', 'role', 'rule']),
        );
        expect(String(error.data['path']).length).toBeLessThanOrEqual(256);
        for (const text of [value.body.toString(), JSON.stringify(audit), await arena.gate.metrics()]) {
          expect(text).not.toContain(marker);
          expect(text).not.toContain(pin);
        }
        expect(audit[0]).toMatchObject({
          findings: expect.arrayContaining([expect.objectContaining({ effect: 'refused' })]),
        });
      });
    }
  }
});

describe('what is rewritten is not told where it is secret', () => {
  interface Finding {
    readonly effect: string;
    readonly path: string;
    readonly before?: string;
    readonly after?: string;
  }
  for (const [tool, args, hashed] of [
    ['sign', { auth: { pin: ' 12\u200b34 ' }, note: 'a\u200b' }, ['note']],
    ['sign', { keys: ['12\u200b34'], note: 'a\u200b' }, ['note']],
    ['seal', { auth: { pin: '1234' } }, []],
  ] as const) {
    it(`has no hash to guess from: ${tool} ${JSON.stringify(args)}`, async () => {
      const { seen, audit } = await arena.observe(() =>
        postModern(arena, modern('tools/call', { name: tool, arguments: args })),
      );
      expect(seen).toHaveLength(1);
      const findings = (audit[0]!['findings'] as readonly Finding[]).filter(
        ({ effect }) => effect === 'rewritten',
      );
      expect(findings.length).toBeGreaterThan(hashed.length);
      const paths = findings.filter(({ before, after }) => before ?? after).map(({ path }) => path);
      expect(paths).toEqual(hashed);
    });
  }
});
