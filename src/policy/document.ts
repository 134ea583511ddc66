import { z } from 'zod';
import { rate } from '../document/units.ts';
import { claims, faultless, oneOrMore, when } from './conditions/options.ts';
import { patternFault } from './pattern.ts';

/** The vocabulary of one policy file. What the schema lets through, `compilePolicy` can compile. */

export const actionNames = ['call', 'read', 'subscribe', 'get', 'complete', 'use', 'ask'] as const;

const pattern = faultless(patternFault);
const patterns = oneOrMore(pattern);

const roleName = faultless((text) =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)
    ? undefined
    : 'a role name has up to 64 letters, digits, "_", "." and "-", and begins with a letter or digit',
);
const roleNames = oneOrMore(roleName);

const ruleId = faultless((text) =>
  /^[A-Za-z0-9][\w.:/-]{0,127}$/.test(text)
    ? undefined
    : 'an id has up to 128 letters, digits, "_", ".", ":", "/" and "-", and begins with a letter or digit',
);

/** Read by people only. */
const description = z.string().max(1000);

const mode = z.enum(['enforce', 'shadow']);
const actions = oneOrMore(z.enum(actionNames));

const targets = {
  tools: patterns.optional(),
  resources: patterns.optional(),
  prompts: patterns.optional(),
  methods: patterns.optional(),
};

const rule = z
  .strictObject({
    id: ruleId.optional(),
    description: description.optional(),
    ...targets,
    upstreams: patterns.optional(),
    actions: actions.optional(),
    when: when.optional(),
    mode: mode.default('enforce'),
    audit: z.literal('arguments').optional(),
  })
  .refine(
    (value) => (value.tools ?? value.resources ?? value.prompts ?? value.methods) !== undefined,
    'names no target: give tools, resources, prompts or methods',
  );

const role = z.strictObject({
  description: description.optional(),
  allow: z.array(rule).default([]),
  deny: z.array(rule).default([]),
});

const credential = z.union([
  z.strictObject({
    certificate: z
      .strictObject({
        uri: patterns.optional(),
        dns: patterns.optional(),
        cn: patterns.optional(),
        fingerprint: oneOrMore(
          faultless((text) =>
            /^[0-9a-f]{64}$/i.test(text.replaceAll(':', '')) ? undefined : 'expected a SHA-256 in hex',
          ),
        ).optional(),
      })
      .refine((value) => Object.keys(value).length > 0, 'give uri, dns, cn or fingerprint'),
  }),
  z.strictObject({
    token: z.strictObject({
      /** Exact: claims mean nothing without the issuer who vouches for them. */
      issuer: z.string().min(1),
      subject: patterns.optional(),
      claims: claims.optional(),
      /** The token must have all of them. */
      scopes: oneOrMore(z.string().min(1)).optional(),
    }),
  }),
  z.strictObject({ apiKey: patterns }),
  z.strictObject({ anonymous: z.literal(true) }),
  /** Every caller, the anonymous one too. */
  z.strictObject({ any: z.literal(true) }),
]);

const binding = z.strictObject({
  description: description.optional(),
  roles: roleNames,
  to: oneOrMore(credential),
});

const aclEntry = z.strictObject({
  id: ruleId.optional(),
  description: description.optional(),
  roles: roleNames,
  actions: actions.optional(),
  when: when.optional(),
  mode: mode.optional(),
  audit: z.literal('arguments').optional(),
});

const aclObject = z
  .strictObject({
    id: ruleId.optional(),
    description: description.optional(),
    tool: patterns.optional(),
    resource: patterns.optional(),
    prompt: patterns.optional(),
    upstreams: patterns.optional(),
    mode: mode.default('enforce'),
    allow: z.array(aclEntry).default([]),
    deny: z.array(aclEntry).default([]),
  })
  .refine(
    (value) => [value.tool, value.resource, value.prompt].filter((one) => one !== undefined).length === 1,
    'protects one kind of object: give tool, resource or prompt',
  );

export const limitKeys = ['principal', 'tool', 'upstream', 'method', 'address'] as const;

const limit = z
  .strictObject({
    name: ruleId,
    description: description.optional(),
    match: z
      .strictObject({ ...targets, upstreams: patterns.optional(), roles: roleNames.optional() })
      .refine((value) => Object.keys(value).length > 0, 'matches nothing: name tools, methods, upstreams …'),
    per: oneOrMore(z.enum(limitKeys)),
    rate: rate().optional(),
    burst: z.int().min(1).max(1_000_000).optional(),
    concurrency: z.int().min(1).max(1_000_000).optional(),
    mode: mode.default('enforce'),
  })
  .superRefine((value, context) => {
    const fail = (message: string) => context.addIssue({ code: 'custom', message });
    if (value.rate === undefined && value.concurrency === undefined) fail('needs "rate" or "concurrency"');
    if (value.burst !== undefined && value.rate === undefined) fail('"burst" needs "rate"');
  });

export const policyDocument = z.strictObject({
  version: z.literal(1),
  description: description.optional(),
  roles: z.record(roleName, role).default({}),
  bindings: z.array(binding).default([]),
  acl: z.array(aclObject).default([]),
  limits: z.array(limit).default([]),
});

const tableCredential = {
  certificate: z
    .strictObject({
      uri: oneOrMore(z.string()).optional(),
      dns: oneOrMore(z.string()).optional(),
      cn: z.string().optional(),
      fingerprint: z.string().optional(),
    })
    .optional(),
  token: z
    .strictObject({
      issuer: z.string(),
      subject: z.string().default('someone'),
      scopes: oneOrMore(z.string()).optional(),
      claims: z.record(z.string(), z.unknown()).default({}),
    })
    .optional(),
  apiKey: z.string().optional(),
  anonymous: z.literal(true).optional(),
};

export const reasonCodes = [
  'allowed',
  'implied',
  'denied-by-rule',
  'denied-by-acl',
  'condition-failed',
  'no-role',
  'no-rule',
] as const;

const tableCase = z
  .strictObject({
    name: z.string().min(1),
    as: z.string(),
    upstream: z.string(),
    tool: z.string().optional(),
    resource: z.string().optional(),
    prompt: z.string().optional(),
    method: z.string().optional(),
    action: z.enum(actionNames).optional(),
    /** For methods such as `tools/list`, which are allowed with any allow rule on the upstream. */
    implied: z.literal(true).optional(),
    args: z.record(z.string(), z.unknown()).optional(),
    /** RFC 3339. Noon UTC of 2026-01-01, a Thursday, where absent. */
    at: z.iso.datetime({ offset: true, error: 'expected a time such as 2026-01-01T12:00:00Z' }).optional(),
    from: z.string().default('127.0.0.1'),
    expect: z.enum(['allow', 'deny']),
    visible: z.boolean().optional(),
    reason: z.enum(reasonCodes).optional(),
    /** Id of the rule that settled it. */
    rule: z.string().optional(),
  })
  .refine(
    (value) =>
      [value.tool, value.resource, value.prompt, value.method].filter((one) => one !== undefined).length ===
      1,
    'asks about one target: give tool, resource, prompt or method',
  );

/** The grammar of `policies/tests/*.yaml`. */
export const decisionTableDocument = z.strictObject({
  version: z.literal(1),
  description: description.optional(),
  subjects: z.record(
    z.string().min(1),
    z
      .strictObject(tableCredential)
      .refine((value) => Object.keys(value).length > 0, 'give certificate, token, apiKey or anonymous'),
  ),
  cases: z.array(tableCase).min(1),
});

export type PolicyDocument = z.output<typeof policyDocument>;
export type RuleDocument = z.output<typeof rule>;
export type BindingDocument = z.output<typeof binding>;
export type CredentialDocument = z.output<typeof credential>;
export type AclDocument = z.output<typeof aclObject>;
export type AclEntryDocument = z.output<typeof aclEntry>;
export type LimitDocument = z.output<typeof limit>;
export type DecisionTableDocument = z.output<typeof decisionTableDocument>;
export type TableCase = z.output<typeof tableCase>;
