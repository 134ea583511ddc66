import { z } from 'zod';
import { argumentRuleShape } from '../arguments/options.ts';
import { duration } from '../document/units.ts';
import { flowShape, toolMarkShape } from '../flows/options.ts';
import { resultRuleShape } from '../results/options.ts';
import { binding } from './binding-document.ts';
import { oneOrMore, when } from './conditions/options.ts';
import {
  actionNames,
  callers,
  description,
  endsATrial,
  forPeople,
  innerTrial,
  patterns,
  resourcePatterns,
  roleName,
  roleNames,
  ruleId,
  scopeName,
  targets,
  trial,
  upstreams,
} from './document-names.ts';
import { limit } from './limit-document.ts';
import { priorities } from './priority-names.ts';

export type { BindingDocument, CredentialDocument } from './binding-document.ts';
export type { LimitDocument } from './limit-document.ts';

/** The vocabulary of one policy file. What the schema lets through, `compilePolicy` can compile. */

const auditMeaning = 'Asks for the arguments of the call, redacted, in the audit record, where this matched.';
const actions = oneOrMore(z.enum(actionNames));

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
    ...trial,
    audit: z.literal('arguments').optional().describe(auditMeaning),
  })
  .refine(
    (value) => (value.tools ?? value.resources ?? value.prompts ?? value.methods) !== undefined,
    'names no target: give tools, resources, prompts or methods',
  )
  .superRefine(endsATrial);

const role = z.strictObject({
  description: description.optional().describe(forPeople),
  allow: z.array(rule).prefault([]).describe('Rules that allow.'),
  deny: z
    .array(rule)
    .prefault([])
    .describe('Rules that deny. One that matches, or cannot be evaluated, beats every allow.'),
  priority: z
    .enum(priorities)
    .optional()
    .describe(
      'Whose calls are refused last when the gateway has more to do than it can. A caller with several roles has the ' +
        'highest of them. Default normal, because an order that nobody thought of should treat all alike.',
    ),
});

const aclEntry = z
  .strictObject({
    id: ruleId.optional().describe('Name in reasons. Default: its place, such as `acl[0].allow[0]`.'),
    description: description.optional().describe(forPeople),
    roles: roleNames.describe('Roles, any one of which suffices.'),
    actions: actions
      .optional()
      .describe('What may be done to the object. Absent: whatever can be done to it.'),
    when: when.optional().describe('Conditions, all of which must hold.'),
    ...innerTrial,
    audit: z.literal('arguments').optional().describe(auditMeaning),
  })
  .superRefine(endsATrial);

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
    ...trial,
    allow: z
      .array(aclEntry)
      .prefault([])
      .describe('Who may. With none, nobody may, whatever roles allow elsewhere.'),
    deny: z.array(aclEntry).prefault([]).describe('Who may not.'),
  })
  .refine(
    (value) => [value.tool, value.resource, value.prompt].filter((one) => one !== undefined).length === 1,
    'protects one kind of object: give tool, resource or prompt',
  )
  .superRefine(endsATrial);

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
  ...trial,
};
const toolTargets = { tools: targets.tools, prompts: targets.prompts };
const resultTargets = { ...toolTargets, resources: targets.resources };

const argumentRule = z
  .strictObject({ ...ruleHead, match: contentMatch(toolTargets), ...argumentRuleShape })
  .superRefine(endsATrial);
const resultRule = z
  .strictObject({ ...ruleHead, match: contentMatch(resultTargets), ...resultRuleShape })
  .superRefine(endsATrial);
const toolMark = z.strictObject({
  description: description.optional().describe(forPeople),
  match: contentMatch(resultTargets),
  ...toolMarkShape,
});
const flow = z
  .strictObject({
    ...ruleHead,
    match: z
      .strictObject({ upstreams: upstreams.optional(), roles: callers })
      .prefault({})
      .describe('Whose egress calls this holds back. Empty: everybody.'),
    ...flowShape,
  })
  .superRefine(endsATrial);

const timeout = z.strictObject({
  id: ruleId.optional().describe('Name in the audit. Default: its place, such as `timeouts[0]`.'),
  description: description.optional().describe(forPeople),
  match: contentMatch(resultTargets),
  total: duration({ min: 100, max: 24 * 3_600_000 }).describe(
    "How long the whole call may take, in place of the upstream's `timeouts.total`, and until its answer begins. At most the " +
      "upstream's `timeouts.longest`. Of several entries that match, the shortest holds.",
  ),
});

const scopeRule = z
  .strictObject({
    ...ruleHead,
    match: contentMatch(targets),
    scopes: oneOrMore(scopeName)
      .refine((list) => list.length <= 32, 'at most 32 scopes: a challenge has to carry them')
      .describe('A token must have all of them, or scopes that imply them.'),
  })
  .superRefine(endsATrial);

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
  scopes: z
    .array(scopeRule)
    .prefault([])
    .describe(
      'Scopes that the token of a caller must have, beside what roles allow. Without a token nothing is asked.',
    ),
  implies: z
    .record(scopeName, oneOrMore(scopeName))
    .prefault({})
    .describe(
      'Scopes that come with another one: `admin: [read, write]`. Holds through several steps; no circles.',
    ),
  limits: z.array(limit).prefault([]).describe('How often, how much, and how much at once.'),
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
  timeouts: z
    .array(timeout)
    .prefault([])
    .describe('How long calls may take that take longer, or less long, than others of their upstream.'),
});

export type PolicyDocument = z.output<typeof policyDocument>;
export type RuleDocument = z.output<typeof rule>;
export type AclDocument = z.output<typeof aclObject>;
export type AclEntryDocument = z.output<typeof aclEntry>;
export type ArgumentSection = z.output<typeof argumentRule>;
export type ResultSection = z.output<typeof resultRule>;
export type ToolMarkSection = z.output<typeof toolMark>;
export type FlowSection = z.output<typeof flow>;
export type TimeoutSection = z.output<typeof timeout>;
export type ScopeSection = z.output<typeof scopeRule>;
