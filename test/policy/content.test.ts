import { describe, expect, it } from 'vitest';
import type { SubjectCredential } from '../../src/policy/access-request.ts';
import {
  argumentRulesAbout,
  argumentRulesFor,
  type ContentQuestion,
  flowRulesFor,
  hasMarks,
  longestHold,
  marksOf,
  resultRulesFor,
} from '../../src/policy/content.ts';
import { policyOf } from './support/build.ts';

const policy = policyOf(
  `version: 1
roles: { r: { allow: [{ tools: "*" }] }, guest: {} }
bindings:
  - { roles: r, to: { apiKey: k } }
  - { roles: guest, to: { apiKey: g } }
arguments:
  - { id: late, match: { tools: "sql_*" }, args: { q: { path: { within: /w } } } }
  - { id: exact, match: { tools: [sql_run, "sql_r*"], upstreams: [u, "u*"] }, args: { q: { path: { within: /w } } } }
  - { id: guests, match: { tools: sql_run, roles: guest }, args: { q: { path: { within: /w } } } }
  - { match: { tools: sql_run, upstreams: "v*" }, args: { q: { path: { within: /w } } } }
results:
  - { id: all, match: {}, maxBytes: 1KiB }
  - { match: { tools: one, upstreams: "v*" }, maxBytes: 2KiB }
  - { id: guests-results, match: { prompts: p, roles: guest }, maxBytes: 2KiB }
tools:
  - { match: { tools: "web_*" }, untrusted: true }
  - { match: { tools: [web_send, send], upstreams: "u*" }, egress: true }
  - { match: { tools: guested, roles: guest }, egress: true, untrusted: true }
`,
  `version: 1
flows:
  - { id: u-only, match: { upstreams: "u*" }, per: principal, hold: 1m, effect: deny }
  - { id: guests-flow, match: { roles: guest }, per: session, hold: 2h, effect: deny }
  - { per: principal, hold: 30s, effect: deny, mode: shadow }
`,
);
const bare = policyOf('version: 1\nroles: { r: {} }\nbindings: []');

const by = (name: string) => ({ id: name, credentials: [{ kind: 'apiKey', name }] as SubjectCredential[] });
const about = (name: string, more: Partial<ContentQuestion> = {}) => ({
  upstream: 'u',
  kind: 'tool' as const,
  name,
  subject: by('k'),
  time: 0,
  ...more,
});
const ids = (rules: readonly { readonly id: string }[]) => rules.map(({ id }) => id);

describe('entries of `arguments:`', () => {
  it('are those that name the target, each once, as they are written', () => {
    expect(ids(argumentRulesFor(policy, about('sql_run')))).toEqual(['late', 'exact']);
    expect(ids(argumentRulesFor(policy, about('sql_walk')))).toEqual(['late']);
    expect(ids(argumentRulesFor(policy, about('other')))).toEqual([]);
    expect(ids(argumentRulesFor(policy, about('sql_run', { kind: 'prompt' })))).toEqual([]);
  });

  it('are those of the upstream', () => {
    expect(ids(argumentRulesFor(policy, about('sql_run', { upstream: 'v7' })))).toEqual([
      'late',
      'arguments[3]',
    ]);
    expect(ids(argumentRulesFor(policy, about('sql_run', { upstream: 'w' })))).toEqual(['late']);
  });

  it('are those of the roles of the caller', () => {
    expect(ids(argumentRulesFor(policy, about('sql_run', { subject: by('g') })))).toEqual([
      'late',
      'exact',
      'guests',
    ]);
    expect(ids(argumentRulesFor(policy, about('sql_run', { subject: by('nobody') })))).toEqual([
      'late',
      'exact',
    ]);
  });

  it('are there to be shown whoever calls', () => {
    expect(ids(argumentRulesAbout(policy, 'u', 'sql_run')).sort()).toEqual(['exact', 'guests', 'late']);
    expect(ids(argumentRulesAbout(policy, 'v', 'sql_run')).sort()).toEqual([
      'arguments[3]',
      'guests',
      'late',
    ]);
    expect(ids(argumentRulesAbout(policy, 'u', 'other'))).toEqual([]);
  });

  it('say where they stand', () => {
    expect(argumentRulesFor(policy, about('sql_run', { upstream: 'v' }))).toMatchObject([
      { id: 'late', location: 'a.yaml:7', mode: 'enforce' },
      { id: 'arguments[3]', location: 'a.yaml:10', mode: 'enforce' },
    ]);
  });
});

describe('entries of `results:`', () => {
  it('apply to every kind of target unless they name one', () => {
    for (const kind of ['tool', 'resource', 'prompt', 'method'] as const) {
      expect(ids(resultRulesFor(policy, about('one', { kind }))), kind).toEqual(['all']);
    }
  });

  it('apply on their upstreams and to their roles', () => {
    expect(ids(resultRulesFor(policy, about('one', { upstream: 'v' })))).toEqual(['all', 'results[1]']);
    expect(ids(resultRulesFor(policy, about('p', { kind: 'prompt' })))).toEqual(['all']);
    expect(ids(resultRulesFor(policy, about('p', { kind: 'prompt', subject: by('g') })))).toEqual([
      'all',
      'guests-results',
    ]);
  });

  it('say where they stand', () => {
    expect(resultRulesFor(policy, about('one', { upstream: 'v' }))[1]).toMatchObject({
      id: 'results[1]',
      location: 'a.yaml:13',
      mode: 'enforce',
    });
  });
});

describe('marks of tools', () => {
  it('are those of all entries together', () => {
    expect(marksOf(policy, about('web_read'))).toEqual({ untrusted: true, egress: false });
    expect(marksOf(policy, about('send'))).toEqual({ untrusted: false, egress: true });
    expect(marksOf(policy, about('web_send'))).toEqual({ untrusted: true, egress: true });
    expect(marksOf(policy, about('web_send', { upstream: 'v' }))).toEqual({ untrusted: true, egress: false });
    expect(marksOf(policy, about('send', { upstream: 'v' }))).toEqual({ untrusted: false, egress: false });
    expect(marksOf(policy, about('other'))).toEqual({ untrusted: false, egress: false });
    expect(marksOf(policy, about('guested'))).toEqual({ untrusted: false, egress: false });
    expect(marksOf(policy, about('guested', { subject: by('g') }))).toEqual({
      untrusted: true,
      egress: true,
    });
  });

  it('are known to be there or not', () => {
    expect(hasMarks(policy)).toBe(true);
    expect(hasMarks(bare)).toBe(false);
  });
});

describe('entries of `flows:`', () => {
  it('hold on their upstreams and for their roles', () => {
    expect(ids(flowRulesFor(policy, about('x')))).toEqual(['u-only', 'flows[2]']);
    expect(ids(flowRulesFor(policy, about('x', { upstream: 'v' })))).toEqual(['flows[2]']);
    expect(ids(flowRulesFor(policy, about('x', { subject: by('g') })))).toEqual([
      'u-only',
      'guests-flow',
      'flows[2]',
    ]);
  });

  it('say what they hold back and how long', () => {
    expect(flowRulesFor(policy, about('x'))).toEqual([
      { id: 'u-only', location: 'b.yaml:3', mode: 'enforce', per: 'principal', hold: 60_000, effect: 'deny' },
      {
        id: 'flows[2]',
        location: 'b.yaml:5',
        mode: 'shadow',
        per: 'principal',
        hold: 30_000,
        effect: 'deny',
      },
    ]);
  });

  it('tell the longest time for which anything must be remembered', () => {
    expect(longestHold(policy)).toBe(2 * 60 * 60 * 1000);
    expect(longestHold(bare)).toBe(0);
  });
});

it('a policy without such entries has nothing to say of content', () => {
  expect(argumentRulesFor(bare, about('x'))).toEqual([]);
  expect(argumentRulesAbout(bare, 'u', 'x')).toEqual([]);
  expect(resultRulesFor(bare, about('x'))).toEqual([]);
  expect(flowRulesFor(bare, about('x'))).toEqual([]);
  expect(marksOf(bare, about('x'))).toEqual({ untrusted: false, egress: false });
});
