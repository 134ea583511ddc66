import fc from 'fast-check';
import type { AccessRequest, Action, SubjectCredential } from '../../../src/policy/access-request.ts';
import type {
  OracleAcl,
  OracleCredential,
  OracleEntry,
  OracleExpression,
  OracleOperators,
  OraclePolicy,
  OracleRule,
  OracleScopes,
  OracleWhen,
} from './to-cedar.ts';
import { toCel } from './to-cedar.ts';

/** Small worlds, so that rules and requests meet. */

export const roleNames = ['r0', 'r1', 'r2'] as const;
const toolPatterns = ['echo', 'sum', 'get_a', 'get_b', 'drop_a', 'get_*', '*_a', '*', 'd*_a', 'g*t*'];
const tools = ['echo', 'sum', 'get_a', 'get_b', 'drop_a', 'drop_b', 'Echo', 'get_'];
const resourcePatterns = ['f:///a/x', 'f:///a/**', 'f:///**/y', '**', 'f:///c**', 'f:///a/b/y'];
const resources = ['f:///a/x', 'f:///a/b/y', 'f:///c/y', 'f:///c', 'f:///a/'];
const prompts = ['p1', 'p2'];
const methods = ['tools/list', 'logging/setLevel', 'sampling/createMessage'];
const upstreams = ['u1', 'u2', 'v'];
const argumentNames = ['limit', 'path', 'tags'];
const claimNames = ['groups', 'level'];
const words = ['data', 'ops', '/a/b', '/a'];

/** Gives a value in so many of a hundred cases, and otherwise leaves it out. */
function sometimes<T>(arbitrary: fc.Arbitrary<T>, percent: number): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: 100 - percent, arbitrary: fc.constant(undefined) },
    { weight: percent, arbitrary },
  );
}

/** An object without the members that are undefined: what a file would leave out. */
function withoutGaps<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}

const some = <T>(items: readonly T[], maxLength = 2) =>
  fc.uniqueArray(fc.constantFrom(...items), { minLength: 1, maxLength });

const operators: fc.Arbitrary<OracleOperators> = fc.oneof(
  fc.record({ max: fc.integer({ min: 0, max: 10 }) }),
  fc.record({ min: fc.integer({ min: 0, max: 10 }) }),
  fc.record({ equals: fc.oneof(fc.constantFrom(...words), fc.integer({ min: 0, max: 3 })) }),
  fc.record({ oneOf: fc.oneof(some(words), some([1, 2, 3])) }),
  fc.record({ prefix: fc.constantFrom('/a', 'd') }),
  fc.record({ contains: fc.constantFrom('data', 'ops') }),
  fc.record({ present: fc.boolean() }),
  fc.record({ present: fc.constant(true), min: fc.integer({ min: 0, max: 10 }) }),
  fc.record({ optional: fc.constant(true as const), max: fc.integer({ min: 0, max: 10 }) }),
);

const scopeNames = ['s0', 's1', 's2', 's3'] as const;
const lastDays = ['2026-06-10', '2026-06-20'] as const;
/** Before, between and after the ends of trials; by day and by night; on a Monday, a Saturday and a Sunday. */
const times = [
  '2026-06-08T09:30:00Z',
  '2026-06-10T23:59:59.999Z',
  '2026-06-11T00:00:00Z',
  '2026-06-20T23:30:00Z',
  '2026-06-21T01:30:00Z',
].map((text) => Date.parse(text));

const atom: fc.Arbitrary<OracleExpression> = fc.oneof(
  fc.record({ argumentAtMost: fc.tuple(fc.constant('limit'), fc.integer({ min: 0, max: 10 })) }),
  fc.record({ argumentIs: fc.tuple(fc.constant('path'), fc.constantFrom(...words)) }),
  fc.record({ hasArgument: fc.constantFrom(...argumentNames) }),
  fc.record({ claimAtLeast: fc.tuple(fc.constant('level'), fc.integer({ min: 0, max: 10 })) }),
  fc.record({ hasScope: fc.constantFrom(...scopeNames) }),
  fc.record({
    callIs: fc.oneof(
      fc.tuple(fc.constant('name' as const), fc.constantFrom('echo', 'get_a', 'tools/list')),
      fc.tuple(fc.constant('kind' as const), fc.constantFrom('tool', 'method')),
      fc.tuple(fc.constant('upstream' as const), fc.constantFrom(...upstreams)),
      fc.tuple(fc.constant('action' as const), fc.constantFrom('call', 'read')),
    ),
  }),
  fc.record({ addressIs: fc.constantFrom('10.1.2.3', '::1') }),
  fc.record({ before: fc.constantFrom(...times) }),
);

const expression: fc.Arbitrary<OracleExpression> = fc.letrec<{ tree: OracleExpression }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 2, arbitrary: atom },
    { weight: 1, arbitrary: fc.record({ all: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ any: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ not: tie('tree') }) },
  ),
})).tree;

const time: fc.Arbitrary<NonNullable<OracleWhen['time']>> = fc
  .record({
    days: sometimes(some(['mon', 'wed', 'sat', 'sun'], 3), 60),
    between: sometimes(
      fc.constantFrom<[string, string]>(
        ['08:00', '18:00'],
        ['22:00', '06:00'],
        ['00:00', '01:30'],
        ['12:00', '24:00'],
      ),
      60,
    ),
  })
  .map((value) => withoutGaps(value) as NonNullable<OracleWhen['time']>)
  .filter((value) => Object.keys(value).length > 0);

const when: fc.Arbitrary<OracleWhen> = fc
  .record({
    args: sometimes(
      fc.dictionary(fc.constantFrom(...argumentNames), operators, { minKeys: 1, maxKeys: 2 }),
      55,
    ),
    claims: sometimes(
      fc.dictionary(fc.constantFrom(...claimNames), fc.oneof(fc.constantFrom('data', 'ops'), operators), {
        minKeys: 1,
        maxKeys: 1,
      }),
      30,
    ),
    network: sometimes(some(['10.0.0.0/8', '10.1.0.0/16', '192.168.1.1/32', '2001:db8::/32']), 30),
    time: sometimes(time, 20),
    cel: sometimes(expression, 35),
  })
  .map((value) => withoutGaps(value) as OracleWhen)
  .filter((value) => Object.keys(value).length > 0);

type Trial = { readonly mode?: 'enforce' | 'shadow'; readonly until?: string };

const trial: fc.Arbitrary<Trial> = fc.constantFrom<Trial>(
  {},
  {},
  {},
  {},
  {},
  { mode: 'enforce' },
  { mode: 'shadow' },
  ...lastDays.map((until) => ({ mode: 'shadow' as const, until })),
);
const actions = sometimes(some(['call', 'read', 'subscribe', 'get', 'use', 'ask'], 3), 25);

const target = fc.oneof(
  { weight: 4, arbitrary: fc.record({ tools: some(toolPatterns) }) },
  { weight: 3, arbitrary: fc.record({ resources: some(resourcePatterns) }) },
  { weight: 1, arbitrary: fc.record({ prompts: some(['p1', '*']), methods: some(methods) }) },
  { weight: 1, arbitrary: fc.record({ tools: some(toolPatterns), resources: some(resourcePatterns) }) },
);

export const rule: fc.Arbitrary<OracleRule> = fc
  .tuple(
    target,
    fc.record({
      upstreams: sometimes(some(['u1', 'u2', 'u*', 'v']), 40),
      actions,
      when: sometimes(when, 50),
    }),
    trial,
  )
  .map(([names, rest, tried]) => ({ ...names, ...withoutGaps(rest), ...tried }) as OracleRule);

const entry = fc
  .tuple(fc.record({ roles: some(roleNames), actions, when: sometimes(when, 25) }), trial)
  .map(([value, tried]) => ({ ...withoutGaps(value), ...tried }) as OracleEntry & { roles: string[] });

const acl: fc.Arbitrary<OracleAcl> = fc
  .tuple(
    fc.oneof(
      fc.record({ tool: some(['echo', 'sum', 'get_*', 'drop_a'], 3) }),
      fc.record({ resource: some(['f:///a/**', 'f:///c', 'f:///**/y'], 1) }),
    ),
    fc.tuple(fc.record({ upstreams: sometimes(some(['u1', 'u*', 'v']), 20) }), trial),
    fc.record({
      allow: fc.oneof(
        { weight: 1, arbitrary: fc.constant([]) },
        { weight: 4, arbitrary: fc.array(entry, { minLength: 1, maxLength: 3 }) },
      ),
      deny: fc.oneof(fc.constant([]), fc.array(entry, { maxLength: 1 })),
    }),
  )
  .map(([object, [rest, tried], entries]) => {
    return { ...object, ...withoutGaps(rest), ...tried, ...entries } as OracleAcl;
  });

const scopeRule: fc.Arbitrary<OracleScopes> = fc
  .tuple(
    fc.record({
      tools: sometimes(some(toolPatterns), 35),
      upstreams: sometimes(some(['u1', 'u*', 'v']), 25),
      roles: sometimes(some(roleNames), 45),
    }),
    some(scopeNames),
    trial,
  )
  .map(([match, scopes, tried]) => ({ match: withoutGaps(match), scopes, ...tried }) as OracleScopes);

const credential: fc.Arbitrary<OracleCredential> = fc.oneof(
  fc.record({ certificate: fc.record({ uri: fc.constantFrom('spiffe://t/a', 'spiffe://t/**') }) }),
  fc
    .record({
      issuer: fc.constantFrom('https://i1', 'https://i2'),
      claims: sometimes(fc.record({ groups: fc.constantFrom('data', 'ops') }), 40),
      scopes: sometimes(some(scopeNames), 30),
      bound: sometimes(some(['dpop', 'certificate'], 1), 30),
      client: sometimes(fc.constantFrom('c1', 'c*'), 15),
    })
    .map((value) => ({ token: withoutGaps(value) }) as OracleCredential),
  fc.record({ token: fc.record({ issuer: fc.constantFrom('https://i1', 'https://i2') }) }),
  fc.record({ apiKey: fc.constantFrom('k1', 'k2') }),
  fc.constant({ anonymous: true as const }),
  fc.constant({ any: true as const }),
);

export const policy: fc.Arbitrary<OraclePolicy> = fc.record({
  version: fc.constant(1 as const),
  roles: fc
    .tuple(
      ...roleNames.map(() =>
        fc.record({
          allow: fc.array(rule, { minLength: 1, maxLength: 4 }),
          deny: fc.array(rule, { maxLength: 1 }),
        }),
      ),
    )
    .map((roles) => Object.fromEntries(roles.map((role, index) => [`r${index}`, role]))),
  bindings: fc.array(
    fc.record({ roles: some(roleNames), to: fc.array(credential, { minLength: 1, maxLength: 3 }) }),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  acl: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(acl, { minLength: 1, maxLength: 2 }) },
  ),
  // Policies without any must stay as they were; those with some must meet tokens that lack them.
  scopes: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(scopeRule, { minLength: 1, maxLength: 3 }) },
  ),
  implies: fc.constantFrom<OraclePolicy['implies']>({}, { s1: ['s0'] }, { s3: ['s1'], s1: ['s0', 's2'] }),
});

/** A value as it is in a call, and as Cedar's context has it. */
interface Value {
  readonly raw: unknown;
  readonly cedar: Readonly<Record<string, unknown>>;
}

const exactNumber = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('123456789012345678901');

/** No fractions: Cedar has none, so it could not be asked about them. They have their rows in conditions.test.ts. */
const value: fc.Arbitrary<Value> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.integer({ min: -1, max: 12 }).map((raw) => ({ raw, cedar: { t: 'long', long: raw } })),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...words).map((raw) => ({ raw, cedar: { t: 'string', string: raw } })),
  },
  {
    weight: 2,
    arbitrary: fc.subarray(['data', 'ops', 'x']).map((raw) => ({ raw, cedar: { t: 'set', set: raw } })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Value>(
      { raw: null, cedar: { t: 'null' } },
      { raw: true, cedar: { t: 'other' } },
      { raw: {}, cedar: { t: 'other' } },
      { raw: exactNumber, cedar: { t: 'huge' } },
    ),
  },
);

interface Values {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly cedar: Readonly<Record<string, unknown>>;
}

/** Now and then a second key that a lenient server could take for the first: then nothing is known of either. */
function values(names: readonly string[], disguise: boolean): fc.Arbitrary<Values> {
  return fc
    .tuple(
      fc.dictionary(fc.constantFrom(...names), value, { maxKeys: names.length }),
      disguise
        ? fc.constantFrom(...Array.from({ length: 12 }, () => undefined), ...names)
        : fc.constant(undefined),
    )
    .map(([members, disguised]) => {
      const raw: Record<string, unknown> = {};
      const cedar: Record<string, unknown> = {};
      for (const [name, member] of Object.entries(members)) {
        raw[name] = member.raw;
        cedar[name] = member.cedar;
      }
      if (disguised !== undefined) {
        raw[disguised.toUpperCase()] = 1;
        cedar[disguised] = { t: 'ambiguous' };
      }
      return { raw, cedar };
    });
}

/** A subject with what Cedar's context says of it. */
export interface OracleSubject {
  readonly credentials: readonly SubjectCredential[];
  readonly cedar: Readonly<Record<string, unknown>>;
}

const certificate = fc.constantFrom('spiffe://t/a', 'spiffe://t/a/b', 'spiffe://x/a').map((uri) => ({
  credentials: [
    { kind: 'certificate' as const, fingerprint256: '', commonName: undefined, uris: [uri], dns: [] },
  ],
  cedar: { uri },
}));
const token = fc
  .record({
    issuer: fc.constantFrom('https://i1', 'https://i2'),
    claims: values(claimNames, false),
    scopes: fc.subarray([...scopeNames]),
    bound: fc.constantFrom(undefined, 'dpop' as const, 'certificate' as const),
    clientId: fc.constantFrom(undefined, 'c1', 'c2', 'd'),
  })
  .map(({ claims, issuer, scopes, bound, clientId }) => ({
    credentials: [
      { kind: 'token' as const, subject: 's', claims: claims.raw, issuer, scopes, bound, clientId },
    ],
    cedar: {
      issuer,
      claims: claims.cedar,
      scopes,
      ...(bound === undefined ? {} : { bound }),
      ...(clientId === undefined ? {} : { client: clientId }),
    },
  }));

const subject: fc.Arbitrary<OracleSubject> = fc.oneof(
  { weight: 3, arbitrary: certificate },
  { weight: 6, arbitrary: token },
  {
    weight: 4,
    arbitrary: fc.tuple(certificate, token).map(([first, second]) => ({
      credentials: [...first.credentials, ...second.credentials],
      cedar: { ...first.cedar, ...second.cedar },
    })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('k1', 'k2', 'k3')
      .map((name) => ({ credentials: [{ kind: 'apiKey' as const, name }], cedar: { apiKey: name } })),
  },
  {
    weight: 1,
    arbitrary: fc.constant({ credentials: [{ kind: 'anonymous' as const }], cedar: { anonymous: true } }),
  },
);

/** One question in both languages. */
export interface OracleRequest {
  readonly request: AccessRequest;
  readonly context: Readonly<Record<string, unknown>>;
}

const asked: fc.Arbitrary<{
  kind: AccessRequest['resource']['kind'];
  name: string;
  action: Action;
  implied: boolean;
}> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(...tools).map((name) => ({
      kind: 'tool' as const,
      name,
      action: 'call' as const,
      implied: false,
    })),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('resource' as const),
      name: fc.constantFrom(...resources),
      action: fc.constantFrom('read' as const, 'subscribe' as const),
      implied: fc.constant(false),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...prompts).map((name) => ({
      kind: 'prompt' as const,
      name,
      action: 'get' as const,
      implied: false,
    })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('method' as const),
      name: fc.constantFrom(...methods),
      action: fc.constantFrom('use' as const, 'ask' as const),
      implied: fc.boolean(),
    }),
  },
);

export const request: fc.Arbitrary<OracleRequest> = fc
  .record({
    asked,
    subject,
    upstream: fc.constantFrom(...upstreams),
    args: values(argumentNames, true),
    time: fc.constantFrom(...times),
    address: fc.constantFrom('10.1.2.3', '10.9.9.9', '192.168.1.1', '2001:db8::7', '::1', 'not an address'),
  })
  .map(({ asked: { kind, name, action, implied }, subject: who, upstream, args, address, time }) => ({
    request: {
      subject: { id: 'someone', credentials: who.credentials },
      action,
      resource: { upstream, kind, name, ...(implied ? { implied } : {}) },
      context: { arguments: args.raw, address, time },
    },
    context: {
      ...who.cedar,
      upstream,
      kind,
      name,
      action,
      implied,
      args: args.cedar,
      address,
      time,
      day: (new Date(time).getUTCDay() + 6) % 7,
      minute: Math.floor(time / 60_000) % 1440,
      ...(address === 'not an address' ? {} : { ip: { __extn: { fn: 'ip', arg: address } } }),
    },
  }));

/** The document as a policy file would say it. JSON is YAML. */
export function toText(document: Partial<OraclePolicy>): string {
  return JSON.stringify(
    document,
    (key, value: unknown) => (key === 'cel' ? toCel(value as OracleExpression) : value),
    1,
  );
}
