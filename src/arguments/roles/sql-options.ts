import { z } from 'zod';
import { type SqlDialect, sqlDialects, statementKinds } from '../../sql/query.ts';
import { splitTablePattern } from '../../sql/table-patterns.ts';

/** Dialects whose grammar here knows statements that write. */
const writable: readonly SqlDialect[] = ['postgresql', 'sqlite'];

/** Options of the role `sql`. */
export const sqlOptions = z
  .strictObject({
    dialect: z.enum(sqlDialects).describe('The SQL of the database behind the tool.'),
    statements: z
      .array(z.enum(statementKinds))
      .min(1)
      .default(['select'])
      .describe(
        'Kinds of statement that may be sent, in bodies of CTEs too. Others than `select` only for `postgresql` and `sqlite`.',
      ),
    tables: z
      .array(
        z
          .string()
          .max(400)
          .refine((pattern) => splitTablePattern(pattern) !== undefined, {
            error:
              'must be `table`, `schema.table` or `catalogue.schema.table`; `*` stands for any characters of a part',
          }),
      )
      .min(1)
      .optional()
      .describe(
        'Tables that may be read or written, written as in SQL: `orders`, `sales.*`, `"Order Lines"`. Default: all but the database\'s own catalogue, whose names must be spelled out.',
      ),
    functions: z
      .array(
        z.string().regex(/^[^\s."'`()[\]]+(?:\.[^\s."'`()[\]]+){0,3}$/, 'must be the name of a function'),
      )
      .default(['safe'])
      .describe(
        'Functions that may be called. `safe` stands for a list of functions that only compute. Default `[safe]`.',
      ),
    maxRows: z
      .int()
      .min(1)
      .max(999_999_999)
      .optional()
      .describe(
        'The outermost query must end in a plain LIMIT (TOP, FETCH FIRST) of at most this many rows.',
      ),
    maxLength: z
      .int()
      .min(1)
      // A grammar takes milliseconds for each ten thousand characters, and everybody waits.
      .max(100_000)
      .default(10_000)
      .describe('Most characters. Default 10000.'),
    comments: z
      .enum(['allow', 'refuse'])
      .default('allow')
      .describe('Comments that every server skips. Those that a server may act on are always refused.'),
    explain: z
      .enum(['allow', 'refuse'])
      .default('allow')
      .describe(
        'EXPLAIN, with ANALYZE too, of a statement that may be sent without. Not in `transactsql` and `bigquery`.',
      ),
    parameters: z
      .enum(['allow', 'refuse'])
      .default('allow')
      .describe('Placeholders such as `$1`, `?`, `@name`.'),
  })
  .superRefine(({ dialect, statements }, context) => {
    if (writable.includes(dialect) || statements.every((kind) => kind === 'select')) return;
    context.addIssue({
      code: 'custom',
      path: ['statements'],
      message: `only \`select\` is understood in dialect ${dialect}`,
    });
  });
