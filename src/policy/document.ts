import { z } from 'zod';
import { argumentRuleShape } from '../arguments/options.ts';
import { rate } from '../document/units.ts';
import { flowShape, toolMarkShape } from '../flows/options.ts';
import { resultRuleShape } from '../results/options.ts';
import { claims, faultless, oneOrMore, when } from './conditions/options.ts';
import { patternFault, resourcePatternFault } from './pattern.ts';

/** The vocabulary of one policy file. What the schema lets through, `compilePolicy` can compile. */

export const actionNames = ['call', 'read', 'subscribe', 'get', 'complete', 'use', 'ask'] as const;

const pattern = faultless(patternFault);
const patterns = oneOrMore(pattern);
const resourcePatterns = oneOrMore(faultless((text) => patternFault(text) ?? resourcePatternFault(text)));

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

export const description = z.string().max(1000);
export const forPeople = 'Read by people only.';
const modeMeaning =
  'Default `enforce`. `shadow`: evaluated, counted and audited, without effect: a way to try something out.';
const auditMeaning = 'Asks for the arguments of the call, redacted, in the audit record, where this matched.';

const mode = z.enum(['enforce', 'shadow']);
const actions = oneOrMore(z.enum(actionNames));

const targets = {
  tools: patterns.optional().describe('Patterns of tool names.'),
  resources: resourcePatterns
    .optional()
    .describe('Patterns of resource URIs in their normal form; `*` stays between slashes.'),
  prompts: patterns.optional().describe('Patterns of prompt names.'),
  methods: patterns.optional().describe('Patterns of JSON-RPC methods that have no other target.'),
};
const upstreams = patterns.describe('Patterns of upstream names. Absent: every upstream.');

const rule = z
  .strictObject({
    id: ruleId
      .optional()
      .describe(
        'Name in reasons, audit and `explain`. Default: its place, such as `roles.analyst.allow[0]`.',
      ),
    description: description.optional().describe(forPeople),
    ...targets,
    upstreams: upstreams.optional(),
    actions: actions
      .optional()
      .describe('What may be done to the targets. Absent: whatever can be done to them.'),
    when: when.optional().describe('Conditions, all of which must hold.'),
    mode: mode.prefault('enforce').describe(modeMeaning),
    audit: z.literal('arguments').optional().describe(auditMeaning),
  })
  .refine(
    (value) => (value.tools ?? value.resources ?? value.prompts ?? value.methods) !== undefined,
    'names no target: give tools, resources, prompts or methods',
  );

const role = z.strictObject({
  description: description.optional().describe(forPeople),
  allow: z.array(rule).prefault([]).describe('Rules that allow.'),
  deny: z
    .array(rule)
    .prefault([])
    .describe('Rules that deny. One that matches, or cannot be evaluated, beats every allow.'),
});

const credential = z.union([
  z.strictObject({
    certificate: z
      .strictObject({
        uri: patterns
          .optional()
          .describe('Patterns of URI names, SPIFFE IDs among them; `*` stays between slashes.'),
        dns: patterns.optional().describe('Patterns of DNS names; `*` stays between dots.'),
        cn: patterns.optional().describe('Patterns of common names.'),
        fingerprint: oneOrMore(
          faultless((text) =>
            /^[0-9a-f]{64}$/i.test(text.replaceAll(':', '')) ? undefined : 'expected a SHA-256 in hex',
          ),
        )
          .optional()
          .describe('SHA-256 of the certificate in hex, with or without colons.'),
      })
      .refine((value) => Object.keys(value).length > 0, 'give uri, dns, cn or fingerprint')
      .describe('A client certificate that has one of these names for every key given.'),
  }),
  z.strictObject({
    token: z
      .strictObject({
        issuer: z
          .string()
          .min(1)
          .describe('Exact: claims mean nothing without the issuer who vouches for them.'),
        subject: patterns.optional().describe('Patterns of the `sub` claim.'),
        claims: claims.optional().describe('Claims that must hold: a value, a list of values, or operators.'),
        scopes: oneOrMore(z.string().min(1)).optional().describe('The token must have all of them.'),
      })
      .describe('A bearer token of this issuer.'),
  }),
  z.strictObject({ apiKey: patterns.describe('Patterns of API key names.') }),
  z.strictObject({
    anonymous: z.literal(true).describe('The caller without credentials (`insecure.anonymous`).'),
  }),
  z.strictObject({ any: z.literal(true).describe('Every caller, the anonymous one too.') }),
]);

const binding = z.strictObject({
  description: description.optional().describe(forPeople),
  roles: roleNames.describe('Roles that are given.'),
  to: oneOrMore(credential).describe('Credentials, any one of which suffices.'),
});

const aclEntry = z.strictObject({
  id: ruleId.optional().describe('Name in reasons. Default: its place, such as `acl[0].allow[0]`.'),
  description: description.optional().describe(forPeople),
  roles: roleNames.describe('Roles, any one of which suffices.'),
  actions: actions.optional().describe('What may be done to the object. Absent: whatever can be done to it.'),
  when: when.optional().describe('Conditions, all of which must hold.'),
  mode: mode.optional().describe('As that of a rule. Default: the mode of the object.'),
  audit: z.literal('arguments').optional().describe(auditMeaning),
});

const aclObject = z
  .strictObject({
    id: ruleId.optional().describe('Name in reasons. Default: its place, such as `acl[0]`.'),
    description: description.optional().describe(forPeople),
    tool: patterns
      .optional()
      .describe('Patterns of tool names. One of `tool`, `resource` and `prompt` is given.'),
    resource: resourcePatterns.optional().describe('Patterns of resource URIs in their normal form.'),
    prompt: patterns.optional().describe('Patterns of prompt names.'),
    upstreams: upstreams.optional(),
    mode: mode.prefault('enforce').describe(modeMeaning),
    allow: z
      .array(aclEntry)
      .prefault([])
      .describe('Who may. With none, nobody may, whatever roles allow elsewhere.'),
    deny: z.array(aclEntry).prefault([]).describe('Who may not.'),
  })
  .refine(
    (value) => [value.tool, value.resource, value.prompt].filter((one) => one !== undefined).length === 1,
    'protects one kind of object: give tool, resource or prompt',
  );

export const limitKeys = ['principal', 'tool', 'upstream', 'method', 'address'] as const;

const limit = z
  .strictObject({
    name: ruleId.describe('Name in answers, audit and metrics.'),
    description: description.optional().describe(forPeople),
    match: z
      .strictObject({
        ...targets,
        methods: patterns
          .optional()
          .describe(
            'Patterns of JSON-RPC methods, whatever the target; also `stream-open`, `session-end` and `response`.',
          ),
        upstreams: upstreams.optional(),
        roles: roleNames
          .optional()
          .describe('Counts only callers that have one of these roles. Absent: every caller.'),
      })
      .refine((value) => Object.keys(value).length > 0, 'matches nothing: name tools, methods, upstreams …')
      .describe('What is counted. All keys given must match; of several kinds of target, one.'),
    per: oneOrMore(z.enum(limitKeys)).describe(
      'What is counted apart. `address` takes one IPv6 /64 for one. `tool` is the name of the target; names that ' +
        'neither policy nor the upstream knows share one count.',
    ),
    rate: rate().optional().describe('So many in so long, evenly spread.'),
    burst: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe(
        'How many may come at once before the rate holds. Needs `rate`. Default: the count of the rate, so that 30/min refuses nobody who makes 30 calls.',
      ),
    concurrency: z.int().min(1).max(1_000_000).optional().describe('How many may run at once.'),
    mode: mode.prefault('enforce').describe(modeMeaning),
  })
  .superRefine((value, context) => {
    const fail = (message: string) => context.addIssue({ code: 'custom', message });
    if (value.rate === undefined && value.concurrency === undefined) fail('needs "rate" or "concurrency"');
    if (value.burst !== undefined && value.rate === undefined) fail('"burst" needs "rate"');
  });

const callers = roleNames
  .optional()
  .describe('Only for callers that have one of these roles. Absent: every caller.');

/** What a rule about content matches: all keys given must match; of several kinds of target, one. */
function contentMatch<Targets extends z.ZodRawShape>(kinds: Targets) {
  return z
    .strictObject({ ...kinds, upstreams: upstreams.optional(), roles: callers })
    .describe(
      'What it is about. All keys given must match; of several kinds of target, one. Empty: everything.',
    );
}

const ruleHead = {
  id: ruleId
    .optional()
    .describe('Name in answers, audit and metrics. Default: its place, such as `results[0]`.'),
  description: description.optional().describe(forPeople),
  mode: mode.prefault('enforce').describe(modeMeaning),
};
const toolTargets = { tools: targets.tools, prompts: targets.prompts };
const resultTargets = { ...toolTargets, resources: targets.resources };

const argumentRule = z.strictObject({ ...ruleHead, match: contentMatch(toolTargets), ...argumentRuleShape });
const resultRule = z.strictObject({ ...ruleHead, match: contentMatch(resultTargets), ...resultRuleShape });
const toolMark = z.strictObject({
  description: description.optional().describe(forPeople),
  match: contentMatch(resultTargets),
  ...toolMarkShape,
});
const flow = z.strictObject({
  ...ruleHead,
  match: z
    .strictObject({ upstreams: upstreams.optional(), roles: callers })
    .prefault({})
    .describe('Whose egress calls this holds back. Empty: everybody.'),
  ...flowShape,
});

export const policyDocument = z.strictObject({
  version: z.literal(1).describe('Version of this file format: 1.'),
  description: description.optional().describe(forPeople),
  roles: z
    .record(roleName, role)
    .prefault({})
    .describe('Roles by name. A name is defined once in all files.'),
  bindings: z.array(binding).prefault([]).describe('Which credentials have which roles.'),
  acl: z
    .array(aclObject)
    .prefault([])
    .describe('Protected objects: once one matches, only its entries say who may reach it.'),
  limits: z.array(limit).prefault([]).describe('How often, and how much at once.'),
  arguments: z
    .array(argumentRule)
    .prefault([])
    .describe('What arguments may be. All entries that match a call must let it pass.'),
  results: z
    .array(resultRule)
    .prefault([])
    .describe('What may come back, and what is taken out of it. All entries that match apply.'),
  tools: z
    .array(toolMark)
    .prefault([])
    .describe('Marks of tools and resources: which return content of strangers, which carry content out.'),
  flows: z
    .array(flow)
    .prefault([])
    .describe('What tools marked `egress` may do after something marked `untrusted` returned.'),
});

export type PolicyDocument = z.output<typeof policyDocument>;
export type RuleDocument = z.output<typeof rule>;
export type BindingDocument = z.output<typeof binding>;
export type CredentialDocument = z.output<typeof credential>;
export type AclDocument = z.output<typeof aclObject>;
export type AclEntryDocument = z.output<typeof aclEntry>;
export type ArgumentSection = z.output<typeof argumentRule>;
export type ResultSection = z.output<typeof resultRule>;
export type ToolMarkSection = z.output<typeof toolMark>;
export type FlowSection = z.output<typeof flow>;
export type LimitDocument = z.output<typeof limit>;
