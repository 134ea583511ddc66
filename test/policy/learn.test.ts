import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeYaml } from '../../src/document/write-yaml.ts';
import type { AccessRequest, SubjectCredential } from '../../src/policy/access-request.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { decide } from '../../src/policy/decide.ts';
import { PolicyLearner } from '../../src/policy/learn.ts';

const context = { arguments: undefined, address: '127.0.0.1', time: 0 };

function learn(requests: readonly AccessRequest[]) {
  const learner = new PolicyLearner();
  for (const request of requests) learner.observe(request);
  const { document, leftOut, remarks } = learner.finish();
  const compiled = compilePolicy([{ file: 'learnt.yaml', text: writeYaml(document) }]);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return { document, leftOut, remarks, policy: compiled.policy };
}

const word = fc.constantFrom('a', 'b', 'get_a', 'get_b', 'tools/list', 'constructor', '__proto__');
const subject = fc
  .constantFrom<SubjectCredential>(
    { kind: 'apiKey', name: 'a' },
    { kind: 'apiKey', name: 'b' },
    { kind: 'certificate', fingerprint256: '', commonName: undefined, uris: ['spiffe://t/a'], dns: [] },
    { kind: 'certificate', fingerprint256: '', commonName: 'a', uris: [], dns: [] },
    { kind: 'token', issuer: 'https://i', subject: 'a', scopes: [], claims: {} },
    { kind: 'anonymous' },
  )
  .map((credential) => ({ id: JSON.stringify(credential), credentials: [credential] }));
const resource = fc.oneof(
  fc.record({ kind: fc.constant('tool' as const), name: word, action: fc.constant('call' as const) }),
  fc.record({
    kind: fc.constant('prompt' as const),
    name: word,
    action: fc.constantFrom('get' as const, 'complete' as const),
  }),
  fc.record({
    kind: fc.constant('method' as const),
    name: word,
    action: fc.constantFrom('use' as const, 'ask' as const),
  }),
  fc.record({
    kind: fc.constant('resource' as const),
    name: fc.constantFrom('file:///a', 'file:///a/b', 'x:y'),
    action: fc.constantFrom('read' as const, 'subscribe' as const),
  }),
);
const request: fc.Arbitrary<AccessRequest> = fc
  .tuple(subject, resource, fc.constantFrom('one', 'two'))
  .map(([who, { action, ...rest }, upstream]) => ({
    subject: who,
    action,
    resource: { upstream, ...rest },
    context,
  }));

const keyOf = ({ subject: { id }, action, resource: { upstream, kind, name } }: AccessRequest) =>
  JSON.stringify([id, action, upstream, kind, name]);

describe('the smallest policy', () => {
  it('allows what was seen, and nothing else that was not', () => {
    fc.assert(
      fc.property(
        fc.array(request, { maxLength: 20 }),
        fc.array(request, { maxLength: 40 }),
        (seen, others) => {
          const { policy, leftOut } = learn(seen);
          expect(leftOut).toEqual([]);
          const known = new Set(seen.map(keyOf));
          for (const one of [...seen, ...others]) {
            expect(decide(one, policy).effect).toBe(known.has(keyOf(one)) ? 'allow' : 'deny');
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('does not depend on the order of what was seen', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 15 }), (seen) => {
        expect(writeYaml(learn([...seen].reverse()).document)).toBe(writeYaml(learn(seen).document));
      }),
      { numRuns: 50 },
    );
  });

  const robot = { id: 'apikey:robot', credentials: [{ kind: 'apiKey' as const, name: 'robot' }] };
  const call = (name: string, who: AccessRequest['subject'] = robot): AccessRequest => ({
    subject: who,
    action: 'call',
    resource: { upstream: 'one', kind: 'tool', name },
    context,
  });
  const list: AccessRequest = {
    subject: robot,
    action: 'use',
    resource: { upstream: 'one', kind: 'method', name: 'tools/list', implied: true },
    context,
  };

  it('lets callers who did the same share a role', () => {
    const other = { id: 'apikey:other', credentials: [{ kind: 'apiKey' as const, name: 'other' }] };
    const { document } = learn([call('a'), call('a', other)]);
    expect(Object.keys(document['roles'] as object)).toEqual(['learnt-1']);
  });

  it('writes no rule for what any other rule implies, and one where nothing else does', () => {
    expect(JSON.stringify(learn([call('a'), list]).document)).not.toContain('tools/list');
    const { policy } = learn([list]);
    expect(decide(list, policy).effect).toBe('allow');
    expect(decide(call('a'), policy).effect).toBe('deny');
  });

  it.each(['*', 'drop_*', '', ' a', 'a\u0000', '\ud800'])(
    'leaves out a name that no exact rule can have: %j',
    (name) => {
      const { document, leftOut } = learn([call(name)]);
      expect(document['roles']).toEqual({});
      expect(leftOut).toHaveLength(1);
    },
  );

  it.each<SubjectCredential>([
    { kind: 'token', issuer: 'https://i', subject: '*', scopes: [], claims: {} },
    { kind: 'token', issuer: 'https://i', subject: 'a*', scopes: [], claims: {} },
    { kind: 'certificate', fingerprint256: '', commonName: '*', uris: [], dns: [] },
    { kind: 'certificate', fingerprint256: '', commonName: undefined, uris: ['https://a/*'], dns: [] },
    { kind: 'certificate', fingerprint256: '', commonName: undefined, uris: [], dns: [] },
  ])('binds nobody whose own name would be a pattern: %j', (credential) => {
    const { document, leftOut } = learn([call('a', { id: 'x', credentials: [credential] })]);
    expect(document['bindings']).toEqual([]);
    expect(leftOut).toHaveLength(1);
  });

  describe('of callers who proved several credentials', () => {
    const agent = (name: string): SubjectCredential => ({
      kind: 'certificate',
      fingerprint256: '',
      commonName: undefined,
      uris: [`spiffe://t/${name}`],
      dns: [],
    });
    const person = (name: string): SubjectCredential => ({
      kind: 'token',
      issuer: 'https://i',
      subject: name,
      scopes: [],
      claims: {},
    });
    const both = (...credentials: SubjectCredential[]) => ({ id: JSON.stringify(credentials), credentials });

    it('binds each by what is its own, where one agent serves two people', () => {
      const alice = both(agent('a'), person('alice'));
      const bob = both(agent('a'), person('bob'));
      const { policy, leftOut, remarks } = learn([call('read', alice), call('drop', bob)]);
      expect(leftOut).toEqual([]);
      expect(remarks).toHaveLength(2);
      expect(decide(call('drop', alice), policy).effect).toBe('deny');
      expect(decide(call('read', bob), policy).effect).toBe('deny');
      expect(decide(call('read', both(agent('a'))), policy).effect).toBe('deny');
      expect(decide(call('read', alice), policy).effect).toBe('allow');
    });

    it('leaves out one who shares every credential with others who did other things', () => {
      const seen = [
        call('one', both(agent('a'), person('alice'))),
        call('two', both(agent('a'), person('bob'))),
        call('three', both(agent('b'), person('alice'))),
      ];
      const { policy, leftOut } = learn(seen);
      expect(leftOut).toHaveLength(1);
      expect(decide(seen[0]!, policy).effect).toBe('deny');
      expect(decide(seen[1]!, policy).effect).toBe('allow');
      expect(decide(seen[2]!, policy).effect).toBe('allow');
    });

    it('leaves out callers whom no binding can tell apart', () => {
      const anonymous = (id: string) => ({ id, credentials: [{ kind: 'anonymous' as const }] });
      const { document, leftOut } = learn([
        call('a', anonymous('anonymous')),
        call('b', anonymous('anonymous:x')),
      ]);
      expect(document['bindings']).toEqual([]);
      expect(leftOut).toHaveLength(2);
    });

    it('never allows a caller what it was not seen to do', () => {
      const credential = fc.constantFrom(agent('a'), agent('b'), person('a'), person('b'), {
        kind: 'apiKey' as const,
        name: 'a',
      });
      const who = fc
        .uniqueArray(credential, { minLength: 1, maxLength: 3, selector: (one) => JSON.stringify(one) })
        .map((credentials) => both(...credentials));
      const seen = fc.array(
        fc.tuple(who, word).map(([one, name]) => call(name, one)),
        { maxLength: 8 },
      );
      fc.assert(
        fc.property(seen, (requests) => {
          const { policy } = learn(requests);
          const known = new Set(requests.map(keyOf));
          for (const { subject: one } of requests) {
            for (const {
              resource: { name },
            } of requests) {
              if (known.has(keyOf(call(name, one)))) continue;
              expect(decide(call(name, { ...one }), policy).effect).toBe('deny');
            }
          }
        }),
        { numRuns: 300 },
      );
    });
  });

  it.each(['*', 'a*', '', ' a', 'a\u0000'])(
    'leaves out an upstream that no exact rule can name: %j',
    (upstream) => {
      const { document, leftOut } = learn([
        { ...call('a'), resource: { upstream, kind: 'tool', name: 'a' } },
      ]);
      expect(document['roles']).toEqual({});
      expect(leftOut).toHaveLength(1);
    },
  );

  it('stops where nobody could review it', () => {
    const learner = new PolicyLearner(2);
    expect([call('a'), call('b'), call('b')].map((one) => learner.observe(one))).toEqual([true, true, true]);
    expect(learner.observe(call('c'))).toBe(false);
  });
});
