import { describe, expect, test } from 'vitest';
import { type ArgumentLookups, argumentRules } from '../../src/filters/arguments.ts';
import type { Principal } from '../../src/identity/principal.ts';
import type { Frame } from '../../src/mcp/frame.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import { learnTools } from '../../src/pipeline/learn-tools.ts';
import { describeSubject } from '../../src/policy/describe-subject.ts';
import type { JsonObject } from '../../src/values/json.ts';
import {
  call,
  type ExchangeShape,
  makeExchange,
  modernCall,
  modernExchange,
  note,
  passed,
  policyOf,
  principal,
  told,
  up,
} from './support.ts';

const noLookups: ArgumentLookups = {
  realPath: () => Promise.reject(new Error('nobody asks')),
  addresses: () => Promise.reject(new Error('nobody asks')),
};

/** Everybody may use everything but `hidden_*`, under these argument rules. */
function policyWith(rules: string) {
  return policyOf(`
version: 1
roles:
  everything:
    allow: [{ tools: ["*"], resources: ["**"], prompts: ["*"], methods: ["**"] }]
    deny: [{ tools: ["hidden_*"], prompts: ["hidden_*"] }]
bindings:
  - { roles: [everything], to: [{ any: true }] }
arguments:
${rules}`);
}

const policy = policyWith(`
  - id: paged
    match: { tools: ["query", "hidden_query"] }
    args:
      limit: { int: { min: 1 }, clamp: { max: 100 } }
      format: { enum: [json, csv], default: json }
      table: { id: {}, required: true }
      token: { secret: {} }
  - id: tried
    mode: shadow
    match: { tools: [query] }
    args: { table: { enum: [users] }, note: { drop: true } }
  - id: wordy
    match: { prompts: ["summarise", "hidden_prompt"] }
    args:
      style: { enum: [short, long], required: true }
      pin: { secret: {} }
      old: { drop: true }
      size: { text: { maxLength: 4 }, normalize: trim }
    relations: [has(args.style)]
`);

const tool = (name: string, args?: object) =>
  call('tools/call', args === undefined ? { name } : { name, arguments: args });

async function judged(request: Frame, shape: ExchangeShape = {}, lookups = noLookups) {
  const exchange = makeExchange({ request, policy, ...shape });
  const verdict = await up(
    argumentRules(lookups, async () => {}),
    exchange,
  );
  return { exchange, verdict, answer: told(verdict) };
}

const findings = ({ facts }: Exchange) =>
  facts.findings.map(({ effect, rule, path, detail }) => [effect, rule, path, detail].join(' '));

const refusal = (rule: string, path: string, role: string, fault: string) => ({
  code: 'arguments-refused',
  rule,
  path,
  role,
  fault,
  allow: expect.any(String),
});

describe('a call', () => {
  test.each<[string, object | undefined, unknown]>([
    ['that fits', { table: 'users', limit: 5, format: 'csv' }, 'pass'],
    ['of the wrong type', { table: 'users', limit: '5' }, refusal('paged', 'limit', 'int', 'type')],
    ['below', { table: 'users', limit: 0 }, refusal('paged', 'limit', 'int', 'below-min')],
    ['with an injection', { table: 'users;drop' }, refusal('paged', 'table', 'id', 'metacharacter')],
    ['without what is required', {}, refusal('paged', 'table', 'required', 'missing')],
    ['without arguments', undefined, refusal('paged', 'table', 'required', 'missing')],
    [
      'with a sibling',
      { table: 'users', Table: 'secrets' },
      refusal('paged', 'table', 'sibling', 'same-but-for-spelling'),
    ],
  ])('%s', async (_what, args, expected) => {
    const { answer, exchange } = await judged(tool('query', args));
    expect(answer).toEqual(expected);
    expect(findings(exchange).filter((line) => line.startsWith('refused'))).toHaveLength(
      answer === 'pass' ? 0 : 1,
    );
  });

  test('is refused without its value, and recorded with its target', async () => {
    const { verdict, exchange } = await judged(tool('query', { table: 'hunter2 && id', limit: 5 }));
    expect(JSON.stringify([told(verdict), exchange.facts.findings])).not.toContain('hunter2');
    expect(exchange.facts.target).toEqual({ kind: 'tool', name: 'query' });
    expect(findings(exchange)).toEqual([
      'would-refuse tried table enum:not-listed',
      'refused paged table id:metacharacter',
    ]);
  });

  test('of another tool, another method and another kind of frame passes', async () => {
    const frames: readonly Frame[] = [
      tool('other', { limit: 'x' }),
      call('tools/list'),
      call('resources/read', { uri: 'file:///query' }),
      call('logging/setLevel', { level: 'debug' }),
      call('completion/complete', {
        ref: { type: 'ref/resource', uri: 'file:///{query}' },
        argument: { name: 'limit', value: 'x' },
      }),
      note('notifications/progress', { progressToken: 1, progress: 1 }),
      { kind: 'stream-open', lastEventId: undefined },
    ];
    for (const frame of frames) {
      const { answer, exchange } = await judged(frame);
      expect(answer).toBe('pass');
      expect(exchange.facts.findings).toEqual([]);
    }
  });

  test('of something that the caller may not see is left to authorize, whatever it brings', async () => {
    for (const frame of [
      tool('hidden_query', { limit: 'x' }),
      tool('hidden_query'),
      call('prompts/get', { name: 'hidden_prompt', arguments: { style: 'x' } }),
      call('completion/complete', { ref: { type: 'ref/prompt', name: 'hidden_prompt' } }),
    ]) {
      const { answer, exchange } = await judged(frame);
      expect(answer).toBe('pass');
      expect(exchange.facts.findings).toEqual([]);
      expect(exchange.facts.target).toBeUndefined();
    }
  });

  test('of a prompt is judged as well', async () => {
    const get = (args?: object) =>
      call('prompts/get', { name: 'summarise', ...(args === undefined ? {} : { arguments: args }) });
    expect((await judged(get({ style: 'short' }))).answer).toBe('pass');
    expect((await judged(get({ style: 'rude' }))).answer).toEqual(
      refusal('wordy', 'style', 'enum', 'not-listed'),
    );
    expect((await judged(get())).answer).toEqual(refusal('wordy', 'style', 'required', 'missing'));
  });
});

describe('a rewrite', () => {
  test('makes a new frame, with nothing else changed', async () => {
    const request = call('tools/call', {
      name: 'query',
      _meta: { progressToken: 7 },
      arguments: { table: 'users', limit: 5000, big: JSON.rawJSON('9007199254740993') },
    });
    const { verdict, exchange } = await judged(request);
    const frame = passed(verdict, request, 'request');
    expect(frame.id).toBe(1);
    expect(JSON.parse(frame.bytes.toString())).toEqual(JSON.parse(JSON.stringify(frame.value)));
    expect(frame.bytes.toString()).toContain('"big":9007199254740993');
    expect(frame.params).toMatchObject({
      name: 'query',
      _meta: { progressToken: 7 },
      arguments: { table: 'users', limit: 100, format: 'json' },
    });
    expect(exchange.request).toBe(request);
    expect(exchange.facts.findings).toMatchObject([
      // printf 5000 | sha256sum, printf 100 | sha256sum
      {
        effect: 'rewritten',
        path: 'limit',
        detail: 'clamp',
        before: '0f8eb4b72b6e0c9e',
        after: 'ad57366865126e55',
      },
      { effect: 'rewritten', path: 'format', detail: 'default', before: undefined },
    ]);
  });

  test('fills in arguments where the call has none', async () => {
    const filled = policyWith('  - { match: { tools: [query] }, args: { limit: { default: 5 } } }');
    const { verdict, exchange } = await judged(tool('query'), { policy: filled });
    expect(passed(verdict, exchange.request, 'request').params).toEqual({
      name: 'query',
      arguments: { limit: 5 },
    });
  });

  test('that refuses in the end is not recorded as done', async () => {
    const { exchange } = await judged(tool('query', { table: ';', limit: 5000 }));
    expect(findings(exchange).filter((line) => line.startsWith('rewritten'))).toEqual([]);
  });

  test('of a rule in shadow mode changes nothing', async () => {
    const request = tool('query', { table: 'users', format: 'csv', note: 'kept' });
    const { verdict, exchange } = await judged(request);
    expect(verdict.kind).toBe('pass');
    expect(exchange.facts.findings).toEqual([]);
  });
});

describe('the headers that mirror arguments', () => {
  const inputSchema: JsonObject = {
    type: 'object',
    properties: {
      limit: { type: 'integer', 'x-mcp-header': 'Limit' },
      format: { type: 'string', 'x-mcp-header': 'Format' },
      old: { type: 'string', 'x-mcp-header': 'Old' },
    },
  };
  const mirroring = policyWith(`
  - match: { tools: [query] }
    args: { limit: { clamp: { max: 100 } }, format: { default: json }, old: { drop: true } }`);

  async function mirrored(args: object, headers: Readonly<Record<string, string>>) {
    const catalog = createCatalog();
    learnTools(catalog, [{ name: 'query', inputSchema }]);
    const request = modernCall('tools/call', { name: 'query', arguments: args });
    const exchange = modernExchange(request, { policy: mirroring, catalog, headers });
    exchange.facts.mirroredHeaders = ['as', 'protocol left them'];
    const verdict = await up(
      argumentRules(noLookups, async () => {}),
      exchange,
    );
    return { verdict, headers: exchange.facts.mirroredHeaders };
  }

  test('say what the rewritten body says', async () => {
    const { verdict, headers } = await mirrored(
      { limit: 5000, old: 'x' },
      { 'mcp-param-limit': '5000', 'mcp-param-old': 'x', 'mcp-param-other': 'kept' },
    );
    expect(verdict.kind).toBe('replace');
    expect(headers).toEqual([
      ...['mcp-name', 'query'],
      ...['mcp-param-limit', '100'],
      ...['mcp-param-format', 'json'],
      ...['mcp-param-other', 'kept'],
    ]);
  });

  test('stay as they are where nothing is rewritten', async () => {
    const { verdict, headers } = await mirrored({ limit: 5, format: 'csv' }, {});
    expect(verdict.kind).toBe('pass');
    expect(headers).toEqual(['as', 'protocol left them']);
  });
});

describe('secrets', () => {
  test.each<[string, Frame, readonly string[]]>([
    [
      'of a call that passes',
      tool('query', { table: 'users', format: 'csv', token: 'hunter2' }),
      ['hunter2'],
    ],
    ['of a call that is refused', tool('query', { token: 'hunter2' }), ['hunter2']],
    ['of the wrong type', tool('query', { table: 'users', token: ['hunter2', 77] }), ['hunter2', '77']],
    ['under another spelling', tool('query', { table: 'users', TOKEN: 'hunter2' }), ['hunter2']],
    ['of a tool that is hidden', tool('hidden_query', { token: 'hunter2' }), ['hunter2']],
    [
      'that are being completed',
      call('completion/complete', {
        ref: { type: 'ref/prompt', name: 'summarise' },
        argument: { name: 'pin', value: '12' },
      }),
      ['12'],
    ],
  ])('%s are kept', async (_what, request, expected) => {
    const { exchange, answer } = await judged(request);
    expect(exchange.facts.secrets).toEqual(expected);
    expect(JSON.stringify([answer, exchange.facts.findings])).not.toContain('hunter2');
  });
});

describe('completion', () => {
  const complete = (argument: unknown, context?: object) =>
    call('completion/complete', {
      ref: { type: 'ref/prompt', name: 'summarise' },
      argument,
      ...(context === undefined ? {} : { context }),
    });

  test.each<[string, Frame, unknown]>([
    ['of a value that fits', complete({ name: 'style', value: 'short' }), 'pass'],
    ['of an argument that nobody names', complete({ name: 'topic', value: '; rm' }), 'pass'],
    [
      'of a value that does not fit',
      complete({ name: 'style', value: '$(id)' }),
      refusal('wordy', 'style', 'enum', 'not-listed'),
    ],
    [
      'under another spelling',
      complete({ name: 'Style', value: 'short' }),
      refusal('wordy', 'style', 'sibling', 'same-but-for-spelling'),
    ],
    [
      'with what was filled in before',
      complete({ name: 'topic', value: 'x' }, { arguments: { style: 'rude' } }),
      refusal('wordy', 'style', 'enum', 'not-listed'),
    ],
    [
      'with one value here and another there',
      complete({ name: 'style', value: 'short' }, { arguments: { style: 'rude' } }),
      refusal('wordy', 'style', 'enum', 'not-listed'),
    ],
    [
      'of what is dropped',
      complete({ name: 'old', value: 'x' }),
      refusal('wordy', 'old', 'rewrite', 'dropped'),
    ],
    ['without an argument', complete(undefined), 'frame-params-invalid'],
    ['of nothing', complete({ name: 'style' }), 'frame-params-invalid'],
    ['of a list', complete([{ name: 'style', value: 'x' }]), 'frame-params-invalid'],
    ['with a context that is none', complete({ name: 'topic', value: 'x' }, []), 'frame-params-invalid'],
    [
      'with arguments that are none',
      complete({ name: 'topic', value: 'x' }, { arguments: [] }),
      'frame-params-invalid',
    ],
  ])('%s', async (_what, request, expected) => {
    expect((await judged(request)).answer).toEqual(expected);
  });

  test('is rewritten in both places', async () => {
    const request = complete(
      { name: 'size', value: ' big ' },
      { arguments: { size: ' huge', old: 'x', topic: 'y' } },
    );
    const { verdict } = await judged(request);
    expect(passed(verdict, request, 'request').params).toEqual({
      ref: { type: 'ref/prompt', name: 'summarise' },
      argument: { name: 'size', value: 'big' },
      context: { arguments: { size: 'huge', topic: 'y' } },
    });
  });
});

describe('lookups', () => {
  const looking = policyWith(`
  - id: read
    match: { tools: [read] }
    args:
      path: { path: { within: /workspace, mounted: /mnt/tree } }
      "urls[*]": { url: { resolve: true } }
  - id: tried
    mode: shadow
    match: { tools: [tried] }
    args: { url: { url: { resolve: true } } }`);

  const answers: ArgumentLookups = {
    realPath: (path) => Promise.resolve(path.endsWith('link') ? '/etc/passwd' : path.replace(/\/$/, '')),
    addresses: (host) => Promise.resolve(host.startsWith('inner') ? ['10.0.0.1'] : ['93.184.216.34']),
  };

  async function looked(name: string, args: object, lookups = answers) {
    const asked: string[] = [];
    const spy: ArgumentLookups = {
      realPath: (path) => {
        asked.push(path);
        return lookups.realPath(path);
      },
      addresses: (host) => {
        asked.push(host);
        return lookups.addresses(host);
      },
    };
    return { ...(await judged(tool(name, args), { policy: looking }, spy)), asked };
  }

  test('let through what their answers allow, each question asked once', async () => {
    const urls = ['https://a.example/', 'https://a.example/2', 'https://b.example/'];
    const { answer, asked } = await looked('read', { urls });
    expect(answer).toBe('pass');
    expect(asked).toEqual(['a.example', 'b.example']);
  });

  test('refuse by the first answer that does not allow', async () => {
    const { answer, exchange } = await looked('read', {
      urls: ['https://a.example/', 'https://inner.example/', 'https://inner2.example/'],
    });
    expect(answer).toMatchObject({ code: 'arguments-refused', rule: 'read', path: 'urls[1]', role: 'url' });
    expect(findings(exchange)).toHaveLength(1);
  });

  test('follow links in a tree that the gateway sees', async () => {
    expect((await looked('read', { path: '/workspace/a' })).answer).toBe('pass');
    const { answer, asked } = await looked('read', { path: '/workspace/link' });
    expect(answer).toMatchObject({ code: 'arguments-refused', rule: 'read', path: 'path', role: 'path' });
    expect(asked).toEqual(['/mnt/tree/link', '/mnt/tree/']);
  });

  test('refuse where there is no answer', async () => {
    const silent: readonly ArgumentLookups['addresses'][] = [
      () => Promise.resolve(undefined),
      () => Promise.resolve([]),
      () => Promise.reject(new Error('SERVFAIL')),
      () => {
        throw new Error('broken');
      },
    ];
    for (const addresses of silent) {
      const { answer } = await looked('read', { urls: ['https://a.example/'] }, { ...answers, addresses });
      expect(answer).toMatchObject({ code: 'arguments-refused', path: 'urls[0]', role: 'url' });
    }
  });

  test('refuse more than 64 at once', async () => {
    const urls = Array.from({ length: 65 }, (_, index) => `https://h${index}.example/`);
    expect((await looked('read', { urls: urls.slice(1) })).answer).toBe('pass');
    const { answer, asked } = await looked('read', { urls });
    expect(answer).toEqual(refusal('read', 'urls[64]', 'url', 'too-many-lookups'));
    expect(asked).toHaveLength(64);
  });

  test('are not asked where a role refuses already', async () => {
    const { asked } = await looked('read', { urls: ['https://a.example/', 'http://10.0.0.1/'] });
    expect(asked).toEqual([]);
  });

  test('of rules in shadow mode only note', async () => {
    const { answer, exchange } = await looked('tried', { url: 'https://inner.example/' });
    expect(answer).toBe('pass');
    expect(findings(exchange)).toEqual([expect.stringMatching(/^would-refuse tried url url:/)]);
  });
});

describe('the caller, as relations see it', () => {
  const credential = { expiresAt: 0, issuer: 'https://idp.example', subject: 'alice', scopes: [] };
  const withClaims = (claims: Record<string, unknown>): Principal => ({
    id: 'token:https://idp.example#alice',
    credentials: [
      { kind: 'token', ...credential, claims, tokenId: undefined, clientId: undefined, bound: undefined },
    ],
    expiresAt: undefined,
  });
  const withCertificate = (uris: readonly string[]): Principal => ({
    id: 'someone',
    credentials: [
      {
        kind: 'certificate',
        fingerprint256: '',
        serial: '',
        commonName: undefined,
        uris,
        dns: [],
        anchorFingerprint256: '',
        expiresAt: 0,
      },
    ],
    expiresAt: undefined,
  });

  test.each<[Principal, string | undefined]>([
    [withClaims({ email: 'alice@Acme.Example' }), 'acme.example'],
    [withClaims({ email: 'alice@acme.example', email_verified: true }), 'acme.example'],
    [withClaims({ email: 'alice@acme.example', email_verified: false }), undefined],
    [withClaims({ email: 'alice@acme.example', email_verified: 'true' }), undefined],
    [withClaims({ email: 'a@evil.example@acme.example' }), undefined],
    [withClaims({ email: 'alice@' }), undefined],
    [withClaims({ email: ['alice@acme.example'] }), undefined],
    [withClaims({}), undefined],
    [withCertificate(['https://x.example/', 'spiffe://acme.example/ns/data']), 'acme.example'],
    [withCertificate(['spiffe://acme.example']), 'acme.example'],
    [withCertificate(['https://spiffe://acme.example/']), undefined],
    [principal('alice'), undefined],
  ])('%j has the domain %s', (who, domain) => {
    const described = describeSubject(who, policy);
    expect(described).toMatchObject({ id: who.id, roles: ['everything'] });
    expect(described.domain).toBe(domain);
    expect(Object.hasOwn(described, 'domain')).toBe(domain !== undefined);
    expect(describeSubject(who, policy)).toBe(described);
  });

  test('decides with its domain', async () => {
    const mail = policyWith(`
  - { id: mail, match: { tools: [send] }, relations: ["args.to.endsWith('@' + principal.domain)"] }`);
    const send = (to: string, who: Principal) =>
      judged(tool('send', { to }), { policy: mail, principal: who });
    const alice = withClaims({ email: 'alice@acme.example' });
    expect((await send('bob@acme.example', alice)).answer).toBe('pass');
    expect((await send('bob@evil.example', alice)).answer).toEqual(
      refusal('mail', '(arguments)', 'relation', 'does-not-hold'),
    );
    expect((await send('bob@acme.example', principal('alice'))).answer).toEqual(
      refusal('mail', '(arguments)', 'relation', 'cannot-be-evaluated'),
    );
  });
});
