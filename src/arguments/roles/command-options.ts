import { z } from 'zod';
import { idOptions } from './id-options.ts';
import { pathOptions } from './path-options.ts';

const integer = z.int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);

/** What one word may be: the value of an option, or an operand. */
const slot = z
  .strictObject({
    int: z
      .strictObject({
        min: integer.optional().describe('Least value.'),
        max: integer.optional().describe('Greatest value.'),
      })
      .optional()
      .describe('A whole number in decimal digits.'),
    id: idOptions.optional().describe('As the role `id`.'),
    path: pathOptions.optional().describe('As the role `path`.'),
    enum: z.array(z.string().min(1).max(1024)).min(1).max(1024).optional().describe('One of these words.'),
    text: z
      .strictObject({
        maxLength: z.int().min(1).max(65_536).optional().describe('Characters. Default 1024.'),
      })
      .optional()
      .describe('Any text on one line, such as a message.'),
  })
  .refine((kinds) => Object.values(kinds).filter((kind) => kind !== undefined).length === 1, {
    error: 'expected exactly one of `int`, `id`, `path`, `enum` and `text`',
  });

export type CommandSlot = z.output<typeof slot>;

const word = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[^\s\p{C}]+$/u, { error: 'expected one word' });

const optionName = z.string().regex(/^(?:-[A-Za-z0-9?#@]|--?[A-Za-z0-9][A-Za-z0-9_.-]{0,127})$/, {
  error: 'expected the name of an option, such as -n or --max-count',
});

const count = z.int().min(0).max(256);

const shape = z.strictObject({
  words: z
    .array(z.union([word, z.array(word).min(1).max(256)]))
    .min(1)
    .max(16)
    .describe('The words that the command begins with: the program, its subcommand. A list: one of these.'),
  options: z
    .record(optionName, z.union([z.literal('flag'), slot]))
    .optional()
    .describe('Options by name: `flag`, or what the value is. None that is not named.'),
  clusters: z
    .boolean()
    .optional()
    .describe(
      'The program reads `-la` as `-l -a` and `-n5` as `-n 5`. Default `false`: each option is a word of its own.',
    ),
  endOfOptions: z
    .boolean()
    .optional()
    .describe(
      'The program takes `--` for the end of its options. Default `true`; `false` refuses `--`, for programs that hand on what follows.',
    ),
  operands: z
    .union([
      z.array(slot).min(1).max(64),
      z
        .strictObject({
          each: slot.describe('What every operand is.'),
          min: count.optional().describe('How many there must be. Default 0.'),
          max: count.optional().describe('How many there may be. Default 1.'),
        })
        .refine(({ min, max }) => (min ?? 0) <= (max ?? 1), { error: '`min` must not exceed `max`' }),
    ])
    .optional()
    .describe(
      'What is no option: a list for each in turn, or `each` with `min` (0) and `max` (1). Absent: none.',
    ),
});

export type CommandShape = z.output<typeof shape>;

export const commandOptions = z.strictObject({
  allow: z
    .array(shape)
    .max(256)
    .prefault([])
    .describe(
      'The shapes that a command may have. It must fit one of them; without any, none is let through.',
    ),
  maxLength: z
    .int()
    .min(1)
    .max(65_536)
    .optional()
    .describe('Characters of the text, or of all words together. Default 4096.'),
});

export type CommandOptions = z.output<typeof commandOptions>;
