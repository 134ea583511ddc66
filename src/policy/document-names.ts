import { z } from 'zod';
import { faultless, oneOrMore } from './conditions/options.ts';
import { patternFault, resourcePatternFault } from './pattern.ts';

/** Names and the words that every section of a policy file shares. */

export const actionNames = ['call', 'read', 'subscribe', 'get', 'complete', 'use', 'ask'] as const;

export const patterns = oneOrMore(faultless(patternFault));
export const resourcePatterns = oneOrMore(
  faultless((text) => patternFault(text) ?? resourcePatternFault(text)),
);

export const roleName = faultless((text) =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)
    ? undefined
    : 'a role name has up to 64 letters, digits, "_", "." and "-", and begins with a letter or digit',
);
export const roleNames = oneOrMore(roleName);

export const ruleId = faultless((text) =>
  /^[A-Za-z0-9][\w.:/-]{0,127}$/.test(text)
    ? undefined
    : 'an id has up to 128 letters, digits, "_", ".", ":", "/" and "-", and begins with a letter or digit',
);

/** RFC 6749, 3.3. Scopes go into a challenge: a quote or a space would end the list there. */
export const scopeName = faultless((text) =>
  /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(text)
    ? undefined
    : 'a scope has up to 128 printable ASCII characters, without spaces, quotes and backslashes',
);

export const description = z.string().max(1000);
export const forPeople = 'Read by people only.';

export const targets = {
  tools: patterns.optional().describe('Patterns of tool names.'),
  resources: resourcePatterns
    .optional()
    .describe('Patterns of resource URIs in their normal form; `*` stays between slashes.'),
  prompts: patterns.optional().describe('Patterns of prompt names.'),
  methods: patterns.optional().describe('Patterns of JSON-RPC methods that have no other target.'),
};
export const upstreams = patterns.describe('Patterns of upstream names. Absent: every upstream.');

export const callers = roleNames
  .optional()
  .describe('Only for callers that have one of these roles. Absent: every caller.');

const modeMeaning =
  'Default `enforce`. `shadow`: evaluated, counted and audited, without effect: a way to try something out.';
const day = 86_400_000;

export const mode = z.enum(['enforce', 'shadow']);

/** When a trial ends: a day in full, as people mean it, or one moment. */
const until = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'expected a date such as 2026-12-31, or a time such as 2026-12-31T18:00:00Z',
  })
  .transform((text) => (text.includes('T') ? Date.parse(text) : Date.parse(text) + day))
  .optional()
  .describe(
    'With `mode: shadow`: its last day, in UTC, or the time at which it ends. From then on this is enforced as it is ' +
      'written. Absent: without end.',
  );

/** `mode` and `until`, the same for whatever can be tried out. */
export const trial = { mode: mode.prefault('enforce').describe(modeMeaning), until };
/** As {@link trial}, where the mode may come from what is around. */
export const innerTrial = {
  mode: mode.optional().describe('As that of a rule. Default: the mode of the object.'),
  until,
};

/** An end of a trial that is none would be read as a time from which a rule no longer holds. */
export function endsATrial(
  value: { readonly mode?: 'enforce' | 'shadow' | undefined; readonly until?: number | undefined },
  context: z.RefinementCtx,
): void {
  if (value.until === undefined || value.mode === 'shadow') return;
  context.addIssue({ code: 'custom', path: ['until'], message: '"until" needs "mode: shadow" beside it' });
}
