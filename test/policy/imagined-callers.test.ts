import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/document/parse-document.ts';
import { policyDocument } from '../../src/policy/document.ts';
import { bindingsBeyondImagining, imagineCallers } from '../../src/policy/imagine-callers.ts';

function documentOf(text: string) {
  const parsed = parseDocument({ file: 'a.yaml', text: `version: 1\n${text}` }, policyDocument);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

const boundTo = (to: string, more = '') =>
  documentOf(`roles: { r: { allow: [{ tools: [a] }] } }\nbindings: [{ roles: [r], to: ${to} }]\n${more}`);
const namesOf = (...documents: readonly ReturnType<typeof documentOf>[]) =>
  imagineCallers(documents).map(({ name }) => name);

const everybodyElse = ['api-key:a-key-with-the-role-r', 'anonymous', 'spiffe://anything/nobody-else'];
const print = `${'AB:'.repeat(31)}CD`;

describe('imagined callers', () => {
  it('are an anonymous one and a stranger where policies name nobody', () => {
    expect(imagineCallers([])).toEqual([
      { name: 'anonymous', subject: { id: 'anonymous', credentials: [{ kind: 'anonymous' }] } },
      {
        name: 'spiffe://anything/nobody-else',
        subject: {
          id: 'spiffe://anything/nobody-else',
          credentials: [
            {
              kind: 'certificate',
              fingerprint256: '',
              commonName: undefined,
              uris: ['spiffe://anything/nobody-else'],
              dns: [],
            },
          ],
        },
      },
    ]);
  });

  it.each<[string, string, readonly string[]]>([
    ['each API key', '{ apiKey: [a, "b-*"] }', ['api-key:a', 'api-key:b-anything']],
    [
      'each URI, at any depth',
      '{ certificate: { uri: "spiffe://t/**" } }',
      ['spiffe://t/anything', 'spiffe://t/anything/anything'],
    ],
    [
      'each host',
      '{ certificate: { dns: [a.example, "*.b.example"] } }',
      ['dns:a.example', 'dns:anything.b.example'],
    ],
    ['each common name', '{ certificate: { cn: "job-*" } }', ['cn:job-anything']],
    ['a fingerprint', `{ certificate: { fingerprint: "${print}" } }`, ['fingerprint:abababababababab']],
    [
      'all that one certificate is to have',
      '{ certificate: { uri: "spiffe://t/a", dns: a.example, cn: a } }',
      ['spiffe://t/a dns:a.example cn:a'],
    ],
    [
      'somebody of an issuer',
      '{ token: { issuer: "https://i.example" } }',
      ['token:https://i.example#somebody'],
    ],
    [
      'each subject',
      '{ token: { issuer: "https://i.example", subject: [a, b] } }',
      ['token:https://i.example#a', 'token:https://i.example#b'],
    ],
    [
      'each value of a claim',
      '{ token: { issuer: "https://i.example", claims: { team: [x, y] } } }',
      [
        'token:https://i.example#somebody, claims {"team":"x"}',
        'token:https://i.example#somebody, claims {"team":"y"}',
      ],
    ],
    [
      'a token with the scopes',
      '{ token: { issuer: "https://i.example", scopes: [s, t] } }',
      ['token:https://i.example#somebody, scopes s t'],
    ],
    [
      'each client',
      '{ token: { issuer: "https://i.example", client: [c, d] } }',
      ['token:https://i.example#somebody, client c', 'token:https://i.example#somebody, client d'],
    ],
    [
      'each way to bind a token',
      '{ token: { issuer: "https://i.example", bound: [certificate, dpop] } }',
      [
        'token:https://i.example#somebody, bound by certificate',
        'token:https://i.example#somebody, bound by dpop',
      ],
    ],
  ])('are %s that a binding names, beside everybody else', (_title, to, names) => {
    expect(namesOf(boundTo(to))).toEqual([...names, ...everybodyElse]);
  });

  it.each(['{ any: true }', '{ anonymous: true }'])('are one anonymous caller for %s', (to) => {
    const callers = imagineCallers([boundTo(to)]);
    expect(callers.map(({ name }) => name)).toEqual([
      'anonymous',
      'api-key:a-key-with-the-role-r',
      'spiffe://anything/nobody-else',
    ]);
    expect(callers[0]!.subject.credentials).toEqual([{ kind: 'anonymous' }]);
  });

  it('have a certificate with nothing but what the binding asks for', () => {
    const [byPrint, byHost] = imagineCallers([
      boundTo(`[{ certificate: { fingerprint: "${print}" } }, { certificate: { dns: a.example } }]`),
    ]);
    expect(byPrint!.subject.credentials).toEqual([
      {
        kind: 'certificate',
        fingerprint256: print.replaceAll(':', '').toLowerCase(),
        commonName: undefined,
        uris: [],
        dns: [],
      },
    ]);
    expect(byHost!.subject.credentials).toEqual([
      { kind: 'certificate', fingerprint256: '', commonName: undefined, uris: [], dns: ['a.example'] },
    ]);
  });

  it('have a token with nothing but what the binding asks for', () => {
    const [plain] = imagineCallers([boundTo('{ token: { issuer: "https://i.example", subject: a } }')]);
    expect(plain!.subject.credentials).toStrictEqual([
      {
        kind: 'token',
        issuer: 'https://i.example',
        subject: 'a',
        scopes: [],
        claims: { iss: 'https://i.example', sub: 'a' },
      },
    ]);
  });

  it('hold tokens with their own scopes, with all scopes, and with each that implies others', () => {
    const document = boundTo(
      '[{ token: { issuer: "https://i.example", scopes: [own] } }, { apiKey: a }]',
      'scopes: [{ match: { tools: [a] }, scopes: [read, write] }]\nimplies: { admin: [read] }',
    );
    expect(namesOf(document)).toEqual([
      'token:https://i.example#somebody, scopes own',
      'token:https://i.example#somebody, scopes own read write',
      'token:https://i.example#somebody, scopes admin',
      'api-key:a',
      ...everybodyElse,
    ]);
  });

  it('are not asked twice where two files name the same', () => {
    expect(namesOf(boundTo('{ apiKey: a }'), boundTo('{ apiKey: a }'))).toEqual([
      'api-key:a',
      ...everybodyElse,
    ]);
  });
});

describe('bindings that no imagined caller puts to the proof', () => {
  const issuer = 'issuer: "https://i.example"';

  it.each([
    '{ apiKey: a }',
    `{ token: { ${issuer} } }`,
    `{ token: { ${issuer}, claims: { team: x, unit: [y, z] } } }`,
  ])('are not those like %s', (to) => {
    expect([...bindingsBeyondImagining([boundTo(to)])]).toEqual([]);
  });

  it('are those with one claim tested by operators, whatever the others are', () => {
    const document = boundTo(`{ token: { ${issuer}, claims: { team: x, unit: { prefix: y } } } }`);
    expect([...bindingsBeyondImagining([document])].map((text) => JSON.parse(text))).toEqual([
      { role: 'r', token: { issuer: 'https://i.example', claims: { team: 'x', unit: { prefix: 'y' } } } },
    ]);
  });
});
