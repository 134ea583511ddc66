import { expect, it } from 'vitest';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import type { Arena } from './arena.ts';

export const argumentsRefused = { status: 200, rpc: 4030, reason: 'arguments-refused', id: 1 } as const;

/** A policy under which everybody may use everything, within these entries of `arguments:`. */
export function policyWithRules(entries: string): string {
  return `
version: 1
roles:
  caller:
    allow: [{ tools: ["*"], prompts: ["*"], methods: ["**"] }]
bindings:
  - { roles: [caller], to: { any: true } }
arguments:
${entries}`;
}

/** @param args JSON text, so that it can be what no encoder writes; undefined for a call without the member */
type Call = (arena: Arena, tool: string, args: string | undefined) => Promise<RawAnswer>;

/** Each era's way to call a tool. */
export const callsByEra: Readonly<Record<string, Call>> = {
  legacy: (arena, name, args) =>
    post(arena.url, withArguments(legacy('tools/call', { name, ARGS: 0 }), args)),
  modern: (arena, name, args) => {
    const { headers, body } = modern('tools/call', { name, ARGS: 0 });
    return post(arena.url, withArguments(body, args), { headers });
  },
};

function withArguments(message: unknown, args: string | undefined): string {
  const member = args === undefined ? '"_":0' : `"arguments":${args}`;
  return JSON.stringify(message).replace('"ARGS":0', () => member);
}

/** In both eras: the rules refuse, and the upstream sees nothing. */
export function itRefuses(arena: () => Arena, title: string, tool: string, args: string | undefined): void {
  for (const [era, call] of Object.entries(callsByEra)) {
    it(`should NOT bypass, ${era}: ${title} ${tool} ${args?.slice(0, 120)}`, () =>
      arena().refused(() => call(arena(), tool, args), argumentsRefused));
  }
}

/** In both eras: the upstream sees the arguments byte for byte. */
export function itLetsThrough(arena: () => Arena, tool: string, args: string | undefined): void {
  for (const [era, call] of Object.entries(callsByEra)) {
    it(`arrives, ${era}: ${tool} ${args?.slice(0, 120)}`, async () => {
      const { seen, value } = await arena().observe(() => call(arena(), tool, args));
      expect(seen, value.body.toString()).toHaveLength(1);
      if (args !== undefined) expect(seen[0]!.body.toString()).toContain(`"arguments":${args}`);
    });
  }
}

/** Other names that a lenient server reads as this one, as they stand in JSON text. */
export function foldedForms(name: string): readonly string[] {
  return [
    ...new Set([
      name.toUpperCase(),
      name[0]!.toUpperCase() + name.slice(1),
      `${name}\\u200b`,
      `\\ufeff${name}`,
      `${name}\\u0000`,
      `${name.slice(0, 1)}\\u00ad${name.slice(1)}`,
      [...name].map((letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)).join(''),
    ]),
  ].filter((form) => form !== name);
}
