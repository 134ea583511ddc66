import { z } from 'zod';
import { oneOrMore } from './conditions/options.ts';
import { actionNames, description, forPeople, roleNames } from './document-names.ts';

const tableCredential = {
  certificate: z
    .strictObject({
      uri: oneOrMore(z.string()).optional().describe('Its URI names.'),
      dns: oneOrMore(z.string()).optional().describe('Its DNS names.'),
      cn: z.string().optional().describe('Its common name.'),
      fingerprint: z.string().optional().describe('Its SHA-256 in hex.'),
    })
    .optional()
    .describe('A client certificate.'),
  token: z
    .strictObject({
      issuer: z.string().describe('Its issuer.'),
      subject: z.string().prefault('someone').describe('Its subject. Default `someone`.'),
      scopes: oneOrMore(z.string()).optional().describe('Its scopes.'),
      claims: z.record(z.string(), z.unknown()).prefault({}).describe('Its claims.'),
      client: z.string().optional().describe('The OAuth client that it was issued to.'),
      bound: z
        .enum(['certificate', 'dpop'])
        .optional()
        .describe('How its holder proved that it is its own. Default: not at all.'),
    })
    .optional()
    .describe('A bearer token.'),
  apiKey: z
    .union([z.string(), z.strictObject({ name: z.string(), roles: roleNames })])
    .optional()
    .describe('Name of an API key; or its `name`, and the `roles` that the key file gives to it.'),
  anonymous: z.literal(true).optional().describe('No credential at all.'),
};

export const reasonCodes = [
  'allowed',
  'implied',
  'denied-by-rule',
  'denied-by-acl',
  'condition-failed',
  'no-role',
  'no-rule',
  'scope-missing',
  'arguments-refused',
] as const;

const tableCase = z
  .strictObject({
    name: z.string().min(1).describe('What the case shows.'),
    as: z.string().describe('One of the subjects.'),
    upstream: z.string().describe('Name of the upstream.'),
    tool: z
      .string()
      .optional()
      .describe('The target. One of `tool`, `resource`, `prompt` and `method` is given.'),
    resource: z.string().optional().describe('URI of the target, in its normal form.'),
    prompt: z.string().optional().describe('The target.'),
    method: z.string().optional().describe('The target.'),
    action: z
      .enum(actionNames)
      .optional()
      .describe('Default: `call`, `read`, `get` or `use`, as the target is.'),
    implied: z
      .literal(true)
      .optional()
      .describe('For methods such as `tools/list`, which are allowed with any allow rule on the upstream.'),
    args: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Arguments of the call. Absent: the call has none.'),
    at: z.iso
      .datetime({ offset: true, error: 'expected a time such as 2026-01-01T12:00:00Z' })
      .optional()
      .describe('RFC 3339. Default: noon UTC of 2026-01-01, a Thursday.'),
    from: z.string().prefault('127.0.0.1').describe('Source address. Default 127.0.0.1.'),
    expect: z.enum(['allow', 'deny']).describe('The effect.'),
    visible: z.boolean().optional().describe('Whether the subject may know that the target exists.'),
    reason: z.enum(reasonCodes).optional().describe('The reason that settled it.'),
    rule: z
      .string()
      .optional()
      .describe('Id of a rule among the reasons; with `arguments-refused`, of the entry of `arguments:`.'),
    argument: z
      .string()
      .optional()
      .describe(
        'Path of the argument that is refused, such as `edits[0].path`; `(arguments)` for all of them.',
      ),
    sent: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('The arguments as they would be sent, after all rewrites. Only of a call that is allowed.'),
    shadow: z
      .string()
      .optional()
      .describe('Id of an entry of `arguments:` in shadow mode that would refuse the call.'),
  })
  .refine(
    (value) =>
      [value.tool, value.resource, value.prompt, value.method].filter((one) => one !== undefined).length ===
      1,
    'asks about one target: give tool, resource, prompt or method',
  )
  .refine((value) => value.sent === undefined || value.expect === 'allow', {
    error: 'nothing is sent of a call that is denied',
    path: ['sent'],
  });

/** The grammar of `policies/tests/*.yaml`. */
export const decisionTableDocument = z.strictObject({
  version: z.literal(1).describe('Version of this file format: 1.'),
  description: description.optional().describe(forPeople),
  subjects: z
    .record(
      z.string().min(1),
      z
        .strictObject({
          id: z
            .string()
            .min(1)
            .optional()
            .describe('What relations read as `principal.id`. Default: the name.'),
          ...tableCredential,
        })
        .refine(
          ({ id: _, ...credentials }) => Object.keys(credentials).length > 0,
          'give certificate, token, apiKey or anonymous',
        ),
    )
    .describe('Callers by name, each with the credentials that it proved.'),
  cases: z.array(tableCase).min(1).describe('Questions and expected answers.'),
});

export type DecisionTableDocument = z.output<typeof decisionTableDocument>;
export type TableCase = z.output<typeof tableCase>;
