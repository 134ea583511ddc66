import { z } from 'zod';
import { parseValuePath } from '../values/value-path.ts';
import { argumentPathFault, pathClashes } from './path-clashes.ts';
import type { RoleName } from './role.ts';
import { type LeafRoleName, leafRoles } from './roles/leaf-table.ts';

/** What a rule says of one value. At most one of the roles is given, with its options. */
export type ValueSpec = { readonly [role in RoleName]?: unknown } & {
  readonly required?: boolean | undefined;
  readonly forbidden?: true | undefined;
  readonly nullable?: boolean | undefined;
};

const meanings: Readonly<Record<LeafRoleName, string>> = {
  path: 'Role: the path of a file or folder.',
  url: 'Role: a URL.',
  id: 'Role: a name or identifier.',
  int: 'Role: a whole number.',
  number: 'Role: a number.',
  bool: 'Role: true or false.',
  enum: 'Role: one of a list.',
  uuid: 'Role: a UUID.',
  date: 'Role: a date, or a date with a time.',
  email: 'Role: a mail address.',
  cidr: 'Role: an IP network.',
  semver: 'Role: a semantic version.',
  base64: 'Role: base64.',
  sql: 'Role: one SQL statement.',
  command: 'Role: one command line.',
  text: 'Role: free text. Never judged by what it says.',
  code: 'Role: source code. Never judged by what it says.',
  markdown: 'Role: Markdown. Never judged by what it says.',
  blob: 'Role: bytes in base64.',
  secret: 'Role: a password, token or key. Never written down.',
};

const roleShape = Object.fromEntries(
  Object.entries(leafRoles).map(([name, kind]) => [
    name,
    (kind.options as z.ZodType).optional().describe(meanings[name as LeafRoleName]),
  ]),
);

export const valueShape = {
  ...roleShape,
  required: z.boolean().optional().describe('Whether the argument must be there. Default `false`.'),
  nullable: z
    .boolean()
    .optional()
    .describe('Whether `null` fits as well as what the role says. Default `false`.'),
  forbidden: z.literal(true).optional().describe('The argument must not be there.'),
};

/** A map from argument path to what is said of the argument there. */
export function argumentMap<Spec extends z.ZodType<ValueSpec>>(spec: Spec) {
  const key = z.string().superRefine((text, context) => {
    const message = argumentPathFault(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
  return z.record(key, spec).superRefine((args, context) => {
    const fail = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    for (const { path, message } of pathClashes(Object.keys(args))) fail(path, message);
    for (const [path, value] of Object.entries(args)) {
      const last = parseValuePath(path)?.at(-1);
      if (value.required === true && last?.kind === 'each') {
        fail(path, '"required" needs a path that ends in a name: a list may be empty');
      }
    }
  });
}

/** The roles that are given: of one value there is one at most. */
export function rolesGiven(value: object, names: readonly string[]): readonly string[] {
  return names.filter((name) => (value as Record<string, unknown>)[name] !== undefined);
}

/** What contradicts itself in every specification of a value. */
export function* valueFaults(value: ValueSpec, names: readonly string[]): Generator<string> {
  const given = rolesGiven(value, names);
  if (given.length > 1) yield `has one role, not ${given.join(' and ')}`;
  if (value.forbidden === true && Object.keys(value).length > 1) {
    yield '"forbidden" leaves nothing for other keys';
  }
}

const leafNames = Object.keys(leafRoles);

const nestedValue = z.strictObject(valueShape).superRefine((value, context) => {
  if (Object.keys(value).length === 0)
    context.addIssue({ code: 'custom', message: 'says nothing: give a role' });
  for (const message of valueFaults(value as ValueSpec, leafNames)) {
    context.addIssue({ code: 'custom', message });
  }
}) as z.ZodType<ValueSpec>;

/** Roles of the values inside a text: nothing there is rewritten, because the text would have to be made anew. */
export const nestedArguments = argumentMap(nestedValue);
