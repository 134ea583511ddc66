import { z } from 'zod';
import { compileExpression } from '../expressions/expression.ts';

/** What a relation may look at. */
export const relationVariables = ['args', 'principal', 'call'] as const;

const condition = z.string().superRefine((text, context) => {
  const compiled = compileExpression(text, relationVariables);
  if (!compiled.ok) context.addIssue({ code: 'custom', message: compiled.message });
});

/** One entry of `relations:`. */
export const relation = z.union([
  condition.transform((that): { that: string; id?: string | undefined; message?: string | undefined } => ({
    that,
  })),
  z.strictObject({
    that: condition.describe(
      'CEL. The call is refused unless this is true: also where it cannot be evaluated.',
    ),
    id: z
      .string()
      .regex(
        /^[A-Za-z0-9][\w.:/-]{0,127}$/,
        'an id has up to 128 letters, digits, "_", ".", ":", "/" and "-"',
      )
      .optional()
      .describe('Name in answers, audit and metrics. Default: its place, such as `relations[0]`.'),
    message: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('What the caller is told. Default: that the relation does not hold.'),
  }),
]);

export type RelationDocument = z.output<typeof relation>;
