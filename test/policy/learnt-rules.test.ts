import { describe, expect, it } from 'vitest';
import type {
  AccessRequest,
  Action,
  ResourceKind,
  SubjectCredential,
} from '../../src/policy/access-request.ts';
import { PolicyLearner } from '../../src/policy/learn.ts';

const context = { arguments: undefined, address: '127.0.0.1', time: 0 };
const key = (name: string): SubjectCredential => ({ kind: 'apiKey', name });

interface Seen {
  readonly by?: readonly SubjectCredential[];
  readonly id?: string;
  readonly on?: string;
  readonly kind?: ResourceKind;
  readonly name?: string;
  readonly action?: Action;
  readonly implied?: boolean;
}

function requestOf({
  by = [key('k')],
  id,
  on = 'one',
  kind = 'tool',
  name = 'a',
  ...rest
}: Seen): AccessRequest {
  const { action = 'call', implied } = rest;
  return {
    subject: { id: id ?? JSON.stringify(by), credentials: by },
    action,
    resource: { upstream: on, kind, name, ...(implied === true ? { implied } : {}) },
    context,
  };
}

interface Proposed {
  readonly roles: Readonly<
    Record<string, { readonly description: string; readonly allow: readonly object[] }>
  >;
  readonly bindings: readonly { readonly roles: readonly string[]; readonly to: readonly object[] }[];
}

function learn(...seen: readonly Seen[]) {
  const learner = new PolicyLearner();
  for (const one of seen) expect(learner.observe(requestOf(one))).toBe(true);
  const { document, leftOut, remarks } = learner.finish();
  return { ...(document as unknown as Proposed), leftOut, remarks };
}

describe('learnt rules', () => {
  it('stand in one order, whatever was seen first', () => {
    const { roles } = learn(
      { on: 'two', kind: 'method', name: 'x/b', action: 'use', implied: true },
      { on: 'two', kind: 'method', name: 'x/a', action: 'use', implied: true },
      { kind: 'tool', name: 'c' },
      { kind: 'tool', name: 'b' },
      { kind: 'prompt', name: 'p', action: 'get' },
      { kind: 'prompt', name: 'p', action: 'complete' },
      { kind: 'prompt', name: 'q', action: 'get' },
      { kind: 'resource', name: 'file:///a', action: 'read' },
      { kind: 'method', name: 'x/y', action: 'use' },
    );
    expect(roles['learnt-1']!.allow).toEqual([
      { methods: ['x/y'], upstreams: ['one'], actions: ['use'] },
      { prompts: ['p'], upstreams: ['one'], actions: ['complete', 'get'] },
      { prompts: ['q'], upstreams: ['one'], actions: ['get'] },
      { resources: ['file:///a'], upstreams: ['one'], actions: ['read'] },
      { tools: ['b', 'c'], upstreams: ['one'], actions: ['call'] },
      { methods: ['x/a', 'x/b'], upstreams: ['two'], actions: ['use'] },
    ]);
  });

  it.each<[string, SubjectCredential, object]>([
    [
      'its URI',
      { kind: 'certificate', fingerprint256: '', commonName: 'c', uris: ['spiffe://t/a'], dns: ['d'] },
      { certificate: { uri: 'spiffe://t/a' } },
    ],
    [
      'its host where it has no URI',
      { kind: 'certificate', fingerprint256: '', commonName: 'c', uris: [], dns: ['d'] },
      { certificate: { dns: 'd' } },
    ],
    [
      'its common name where it has nothing else',
      { kind: 'certificate', fingerprint256: '', commonName: 'c', uris: [], dns: [] },
      { certificate: { cn: 'c' } },
    ],
    [
      'issuer and subject of its token',
      { kind: 'token', issuer: 'https://i', subject: 's', scopes: [], claims: {} },
      { token: { issuer: 'https://i', subject: 's' } },
    ],
    ['the name of its API key', key('k'), { apiKey: 'k' }],
    ['having none', { kind: 'anonymous' }, { anonymous: true }],
  ])('are bound to a caller by %s', (_title, credential, to) => {
    expect(learn({ by: [credential] })).toEqual({
      version: 1,
      roles: {
        'learnt-1': {
          description: `Seen of ${JSON.stringify([credential])}`,
          allow: [{ tools: ['a'], upstreams: ['one'], actions: ['call'] }],
        },
      },
      bindings: [{ roles: ['learnt-1'], to: [to] }],
      leftOut: [],
      remarks: [],
    });
  });

  it('name the callers in the order of their names', () => {
    const { roles, bindings } = learn(
      { id: 'b', by: [key('b')] },
      { id: 'c', by: [key('c')] },
      { id: 'a', by: [key('a')] },
    );
    expect(roles['learnt-1']!.description).toBe('Seen of a, b, c');
    expect(bindings[0]!.to).toEqual([{ apiKey: 'a' }, { apiKey: 'b' }, { apiKey: 'c' }]);
  });

  it.each([
    [890, `Seen of ${'x'.repeat(890)}`],
    [900, `Seen of ${'x'.repeat(900)}`],
    [901, `Seen of ${'x'.repeat(900)}…`],
  ])(
    'are described by no more than a description may hold: a name of %d characters',
    (length, description) => {
      expect(learn({ id: 'x'.repeat(length) }).roles['learnt-1']!.description).toBe(description);
    },
  );

  it('say of whoever proved several credentials by which it is bound', () => {
    const host: SubjectCredential = {
      kind: 'certificate',
      fingerprint256: '',
      commonName: 'c',
      uris: [],
      dns: [],
    };
    const { bindings, remarks } = learn({ id: 'x', by: [key('*'), host] });
    expect(bindings).toEqual([{ roles: ['learnt-1'], to: [{ certificate: { cn: 'c' } }] }]);
    expect(remarks).toEqual([
      '"x" is bound by its certificate alone: a binding cannot ask for several credentials ' +
        '(`require` of the gateway file can)',
    ]);
  });

  it('say so of a hundred callers at most', () => {
    const many = Array.from({ length: 102 }, (_, index) => ({ by: [key(`a${index}`), key(`b${index}`)] }));
    expect(learn(...many).remarks).toHaveLength(100);
  });
});

describe('what no rule can name', () => {
  it('is not a tool that is called like a resource that none can name', () => {
    expect(learn({ name: 'A:b' }).leftOut).toEqual([]);
  });

  it.each<[string, Seen, string]>([
    ['a name with a wildcard', { name: 'a*' }, 'tool "a*" on one: its name holds a wildcard'],
    ['an empty name', { name: '' }, 'tool "" on one: its name cannot stand in a policy'],
    [
      'a resource whose scheme is in upper case',
      { kind: 'resource', name: 'A:b', action: 'read' },
      'resource "A:b" on one: its name cannot stand in a policy',
    ],
    ['an upstream with a wildcard', { on: 'o*' }, 'upstream "o*": no rule can name it'],
    [
      'a caller with a wildcard',
      { id: 'x', by: [key('k*')] },
      '"x": no binding can name this caller and nobody else',
    ],
    [
      'a caller without a name',
      { id: 'x', by: [key('')] },
      '"x": no binding can name this caller and nobody else',
    ],
  ])('is left out, with a sentence about it: %s', (_title, seen, sentence) => {
    expect(learn(seen)).toEqual({ version: 1, roles: {}, bindings: [], leftOut: [sentence], remarks: [] });
  });

  it('is left out of callers that cannot be told apart', () => {
    const { roles, leftOut } = learn({ id: 'x', name: 'a' }, { id: 'y', name: 'b' });
    expect(roles).toEqual({});
    expect(leftOut).toEqual([
      '"x": others who did other things share each of its names, so no binding can tell them apart',
      '"y": others who did other things share each of its names, so no binding can tell them apart',
    ]);
  });

  it('is told of a hundred times at most', () => {
    const many = Array.from({ length: 102 }, (_, index) => ({ name: `${index}*` }));
    expect(learn(...many).leftOut).toHaveLength(100);
  });
});

describe('too much to review', () => {
  it.each<[string, readonly Seen[], readonly boolean[]]>([
    ['other names', [{ name: 'a' }, { name: 'b' }, { name: 'c' }], [true, true, false]],
    ['one name again', [{ name: 'a' }, { name: 'a' }, { name: 'b' }], [true, true, true]],
    [
      'other implied methods',
      ['x/a', 'x/b', 'x/c'].map((name) => ({ kind: 'method', name, action: 'use', implied: true })),
      [true, true, false],
    ],
    [
      'one implied method again',
      ['x/a', 'x/a', 'x/b'].map((name) => ({ kind: 'method', name, action: 'use', implied: true })),
      [true, true, true],
    ],
  ])('is said where more than two are kept: %s', (_title, seen, kept) => {
    const learner = new PolicyLearner(2);
    expect(seen.map((one) => learner.observe(requestOf(one)))).toEqual(kept);
  });
});
