import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reloadInputs } from '../../bench/stalls/reloads.ts';
import { richPolicy } from '../../bench/stalls/rich-gateway.ts';
import '../support/sql-grammars.ts';
import { parseDocument } from '../../src/document/parse-document.ts';
import { readPolicyDocuments, readRevocationDocument } from '../../src/gateway/read-documents.ts';
import { revocationFile } from '../../src/identity/revocation-list.ts';
import { compileParsed, compilePolicy } from '../../src/policy/compile.ts';
import { policyDocument } from '../../src/policy/document.ts';
import { finish } from '../../src/values/steps.ts';

/** Longer than what is read at once, and of no meaning. */
const padding = `\n# ${'x'.repeat(9000)}\n`;

function paths(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const members: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [path, ...members.flatMap(([key, member]) => paths(member, [...path, key]))];
}

const policies = [
  ...globSync('policies/*.yaml').map((file) => ({ file, text: readFileSync(file, 'utf8') })),
  { file: 'policies/rich.yaml', text: richPolicy },
].map(({ file, text }) => ({ file, text: text + padding }));

describe('operators’ files that are read on a thread of their own', () => {
  it('say what they say when they are read at once, each member with its place', async () => {
    const apart = await readPolicyDocuments(policies);
    expect(apart.length).toBeGreaterThan(2);
    for (const [index, source] of policies.entries()) {
      const here = parseDocument(source, policyDocument);
      const there = apart[index]!;
      if (!here.ok || !there.ok) throw new Error(`${source.file} does not follow the schema`);
      expect(there.value).toEqual(here.value);
      for (const path of paths(here.value)) expect(there.locate(path)).toEqual(here.locate(path));
      expect(there.locate(['roles', 'nobody', 'toString'])).toEqual(
        here.locate(['roles', 'nobody', 'toString']),
      );
    }
  });

  it('compile to the same policy, with the same warnings', async () => {
    const sources = [{ file: 'policies/rich.yaml', text: richPolicy + padding }];
    const parsed = await readPolicyDocuments(sources);
    const there = finish(compileParsed(sources.map((source, index) => ({ source, parsed: parsed[index]! }))));
    const here = compilePolicy(sources);
    if (!here.ok || !there.ok) throw new Error('does not compile');
    expect(there.policy.hash).toBe(here.policy.hash);
    expect(there.warnings).toEqual(here.warnings);
    const rules = (policy: typeof here.policy) =>
      policy.parts.rules.map(({ id, location, order, effect }) => ({ id, location, order, effect }));
    expect(rules(there.policy)).toEqual(rules(here.policy));
    expect(rules(there.policy).length).toBeGreaterThan(2);
  });

  it.each([
    ['no YAML', 'version: 1\nroles: ['],
    ['an unknown key', 'version: 1\nrolez: {}'],
    ['a wrong value', 'version: 1\nroles: { a: { allow: [{ tools: 7 }] } }'],
    ['nothing', ''],
  ])('have the same problems: %s', async (_, text) => {
    const source = { file: 'policies/wrong.yaml', text: text + padding };
    const [there] = await readPolicyDocuments([source]);
    const here = parseDocument(source, policyDocument);
    expect(here.ok).toBe(false);
    expect(there).toEqual(here);
  });

  it('read a deny list as it is read at once', async () => {
    const source = {
      file: 'revoked.yaml',
      text: reloadInputs
        .find(({ file }) => file === 'revoked.yaml')!
        .text()
        .slice(0, 60_000)
        .replace(/\n[^\n]*$/, '\n'),
    };
    const there = await readRevocationDocument(source);
    const here = parseDocument(source, revocationFile);
    if (!here.ok || !there.ok) throw new Error('does not follow the schema');
    expect(there.value).toEqual(here.value);
    expect(there.value.tokens.length).toBeGreaterThan(100);
    expect(there.locate(['tokens', 100, 'id'])).toEqual(here.locate(['tokens', 100, 'id']));
  });

  it('leave others their turn, long before all is read', async () => {
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns += 1;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    const [first] = reloadInputs;
    const sources = [{ file: 'policies/roles.yaml', text: first!.text() }];
    const parsed = await readPolicyDocuments(sources);
    const whileRead = turns;
    const steps = compileParsed(sources.map((source, index) => ({ source, parsed: parsed[index]! })));
    let places = 0;
    while (!steps.next().done) places += 1;
    running = false;
    expect(parsed[0]!.ok).toBe(true);
    expect(whileRead).toBeGreaterThan(50);
    expect(places).toBeGreaterThan(10_000);
  }, 120_000);
});
