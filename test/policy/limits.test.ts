import { describe, expect, it } from 'vitest';
import { plainCost } from '../../src/policy/amount.ts';
import { type LimitQuestion, limitsFor } from '../../src/policy/limits.ts';
import { policyOf, problemsOf } from './support/build.ts';

const policy = policyOf(`version: 1
roles: { viewer: {}, editor: {} }
bindings:
  - { roles: viewer, to: { apiKey: viewer } }
  - { roles: editor, to: { apiKey: editor } }
limits:
  - { name: queries, match: { tools: [query, "describe_*"] }, per: [principal, tool, tool], rate: 30/min, burst: 10 }
  - { name: viewers, match: { tools: "*", roles: viewer }, per: principal, rate: 5/min, mode: shadow }
  - { name: at-once, match: { upstreams: "ware*" }, per: principal, concurrency: 4 }
  - { name: lists, match: { methods: "*/list" }, per: [address, method], rate: 100/10s }
  - { name: calls, match: { methods: tools/call }, per: upstream, rate: 1000/s, concurrency: 50 }
  - { name: files, match: { resources: "file:///*" , prompts: p }, per: principal, rate: 1/h }
`);

function names(about: Partial<LimitQuestion> & { key?: string }): readonly string[] {
  const { key = 'editor', ...rest } = about;
  const question: LimitQuestion = {
    upstream: 'u',
    kind: 'tool',
    name: 'x',
    method: 'tools/call',
    time: 0,
    subject: { id: key, credentials: [{ kind: 'apiKey', name: key }] },
    ...rest,
  };
  return limitsFor(policy, question).map((limit) => limit.name);
}

describe('limitsFor', () => {
  it('gives those that match by name, upstream, method and role, in the order of the file', () => {
    expect(names({ name: 'query' })).toEqual(['queries', 'calls']);
    expect(names({ name: 'describe_x', upstream: 'warehouse' })).toEqual(['queries', 'at-once', 'calls']);
    expect(names({ key: 'viewer' })).toEqual(['viewers', 'calls']);
    expect(names({ key: 'nobody' })).toEqual(['calls']);
    expect(names({ kind: 'method', name: 'tools/list', method: 'tools/list' })).toEqual(['lists']);
    expect(
      names({ kind: 'method', name: 'tools/list', method: 'tools/list', upstream: 'warehouse' }),
    ).toEqual(['at-once', 'lists']);
    expect(names({ kind: 'resource', name: 'file:///x', method: 'resources/read' })).toEqual(['files']);
    expect(names({ kind: 'resource', name: 'file:///x/y', method: 'resources/read' })).toEqual([]);
    expect(names({ kind: 'prompt', name: 'p', method: 'prompts/get' })).toEqual(['files']);
    expect(names({ kind: 'prompt', name: 'query', method: 'prompts/get' })).toEqual([]);
  });

  it('has numbers ready for counting', () => {
    const shared = { roles: undefined, cost: plainCost, onStoreLoss: 'local', mode: 'enforce' };
    expect(policy.limits[0]).toEqual({
      ...shared,
      name: 'queries',
      per: ['principal', 'tool'],
      rate: { count: 30, periodMs: 60_000, burst: 10 },
      location: 'a.yaml:7',
    });
    expect(policy.limits[2]).toEqual({
      ...shared,
      name: 'at-once',
      per: ['principal'],
      concurrency: 4,
      location: 'a.yaml:9',
    });
    expect(policy.limits[3]!.rate).toEqual({ count: 100, periodMs: 10_000, burst: 100 });
    expect(policy.limits[1]!.mode).toBe('shadow');
  });
});

it('keys of later releases are not accepted silently', () => {
  const text =
    'version: 1\nlimits: [{ name: l, match: { tools: x }, per: tool, rate: 1/s, refill: slow }]\nlearnt: []\n';
  expect(problemsOf(text)).toEqual([
    'a.yaml:2:64: limits[0].refill: unknown key',
    'a.yaml:3:1: learnt: unknown key',
  ]);
});
