import { z } from 'zod';
import { GrammarMissing } from '../sql/grammars.ts';
import type { JsonValue } from '../values/json.ts';
import { parseValuePath } from '../values/value-path.ts';
import { type ArgumentSpec, compileRole } from './compile-values.ts';
import { isGreater } from './exact-order.ts';
import { isJsonValue } from './plain-values.ts';
import { normalizeKinds, type RewriteDocument, stripKinds } from './rewrites.ts';
import type { Role } from './role.ts';
import { anyNumber } from './roles/number-options.ts';
import { roleNames, roles } from './roles/table.ts';
import { argumentMap, rolesGiven, type ValueSpec, valueFaults, valueShape } from './value-options.ts';

function oneOrMore<T extends z.ZodType>(item: T) {
  return z
    .union([item, z.array(item).min(1, 'the list is empty: leave the key out, or name something')])
    .transform((value): z.output<T>[] => (Array.isArray(value) ? value : [value]));
}

const anyValue = z.custom<JsonValue>(isJsonValue, 'expected a value that JSON can hold');

const argument = z
  .strictObject({
    ...valueShape,
    json: roles.json.options
      .optional()
      .describe('Role: JSON as text, by choice with roles for what is inside.'),
    drop: z.literal(true).optional().describe('Rewrite: the argument is taken out.'),
    set: anyValue.optional().describe('Rewrite: this value is sent, whatever the caller sends.'),
    default: anyValue.optional().describe('Rewrite: this value is sent where the caller sends none.'),
    strip: oneOrMore(z.enum(stripKinds))
      .optional()
      .describe(
        'Rewrite: takes out `control` characters, `bidi` marks, `invisible` characters, `ansi` sequences.',
      ),
    normalize: oneOrMore(z.enum(normalizeKinds))
      .optional()
      .describe(
        'Rewrite: `trim` takes white space off both ends, `nfc` composes characters, `path` writes a POSIX path in its shortest spelling.',
      ),
    clamp: z
      .strictObject({
        min: anyNumber.optional().describe('A smaller number becomes this one.'),
        max: anyNumber.optional().describe('A greater number becomes this one.'),
      })
      .refine(({ min, max }) => min !== undefined || max !== undefined, { error: 'needs `min` or `max`' })
      .refine(({ min, max }) => min === undefined || max === undefined || !isGreater(min, max), {
        error: '`min` is greater than `max`',
      })
      .optional()
      .describe('Rewrite: a number outside becomes the nearest bound.'),
  })
  .superRefine((value, context) => {
    const spec = value as unknown as ArgumentSpec & ValueSpec;
    const fail = (message: string, path: string[] = []) =>
      context.addIssue({ code: 'custom', path, message });
    if (Object.keys(value).length === 0) fail('says nothing: give a role or a rewrite');
    const before = [...valueFaults(spec, roleNames), ...rewriteFaults(spec)];
    for (const message of before) fail(message);
    if (before.length === 0) for (const [path, message] of misfits(spec)) fail(message, path);
  }) as unknown as z.ZodType<ArgumentSpec & ValueSpec>;

/** Rewrites that leave each other nothing to do. */
function* rewriteFaults(spec: ArgumentSpec & ValueSpec): Generator<string> {
  const given = Object.keys(spec);
  if (spec.drop === true && given.some((key) => key !== 'drop' && key !== 'secret')) {
    yield '"drop" leaves nothing for other keys but `secret`';
  }
  if (spec.set !== undefined) {
    const pointless = ['default', 'strip', 'normalize', 'clamp', 'required'].filter((key) =>
      given.includes(key),
    );
    if (pointless.length > 0)
      yield `"set" leaves nothing for ${pointless.map((key) => `"${key}"`).join(', ')}`;
  }
  if (spec.default !== undefined && spec.required === true) yield '"default" leaves nothing for "required"';
  const onText = spec.strip !== undefined || spec.normalize !== undefined;
  if (spec.normalize?.includes('path') === true && spec.normalize.includes('trim')) {
    yield '"path" and "trim" do not go together: what one leaves, the other would change again';
  }
  if (onText && spec.clamp !== undefined)
    yield 'text is stripped and normalised, numbers are clamped: not both';
  const [role] = rolesGiven(spec, roleNames);
  if (onText && role !== undefined && notText.has(role)) {
    yield `"strip" and "normalize" are for text, not for ${role}`;
  }
  if (spec.clamp !== undefined && role !== undefined && role !== 'int' && role !== 'number') {
    yield `"clamp" is for numbers, not for ${role}`;
  }
}

const notText: ReadonlySet<string> = new Set(['int', 'number', 'bool']);

/** Values of the policy's own that its own role would refuse. */
function* misfits(spec: ArgumentSpec & ValueSpec): Generator<[string[], string]> {
  const own: readonly (readonly [string[], JsonValue | undefined])[] = [
    [['set'], spec.set],
    [['default'], spec.default],
    [['clamp', 'min'], spec.clamp?.min],
    [['clamp', 'max'], spec.clamp?.max],
  ];
  let role: Role | undefined;
  for (const [path, value] of own) {
    if (value === undefined || (value === null && spec.nullable === true)) continue;
    role ??= compileChecked(spec);
    if (role === undefined) return;
    const fault = role.judge(value);
    if (fault !== undefined) yield [path, `does not fit the role ${role.name}: ${fault.fault}`];
  }
}

/** Undefined also where the options of the role have been found wrong: then that is the problem. */
function compileChecked(spec: ArgumentSpec): Role | undefined {
  try {
    return compileRole(spec, roles);
  } catch (error) {
    // Nothing is wrong with them: it is read again once the grammar is there.
    if (error instanceof GrammarMissing) throw error;
    return undefined;
  }
}

const needNames: readonly (keyof RewriteDocument)[] = ['drop', 'set', 'default'];

/** `args:` of an entry of `arguments:`. */
export const argumentSpecs = argumentMap(argument).superRefine((args, context) => {
  for (const [path, spec] of Object.entries(args)) {
    if (parseValuePath(path)?.at(-1)?.kind === 'key') continue;
    for (const key of needNames) {
      if (spec[key] === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [path, key],
        message: `"${key}" needs a path that ends in a name`,
      });
    }
  }
});
