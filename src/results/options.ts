import { z } from 'zod';
import { bytes } from '../document/units.ts';
import { redactionClasses } from '../redaction/span.ts';
import { characterClasses } from '../values/characters.ts';

export const contentTypes = ['text', 'image', 'audio', 'resource', 'resource_link'] as const;

const mimePattern = z
  .string()
  .regex(
    /^(?:[a-z0-9][a-z0-9!#$&^_.+-]{0,63})\/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,127})$/,
    'expected a media type in lower case such as image/png, or a whole kind such as image/*',
  );
const scheme = z
  .string()
  .regex(/^[a-z][a-z0-9+.-]{0,31}$/, 'expected a URI scheme in lower case, without the colon');
const characters = z.array(z.enum(characterClasses)).min(1);

const judgement = z.enum(['policy', 'allow', 'refuse']);
const judgementMeaning =
  'What becomes of links and embedded resources that the caller may not read. Default `policy`: taken out. `refuse`: the whole result is refused. `allow`: they stay, and policy is not asked.';

/** What an entry of `results:` says beside what it matches. */
export const resultRuleShape = {
  maxBytes: bytes({ min: 1, max: 1024 ** 3 })
    .optional()
    .describe('Largest message in bytes, of every kind that comes back. A larger one is refused, never cut.'),
  maxItems: z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe('Most items of content, messages, values or list entries in one result.'),
  types: z
    .array(z.enum(contentTypes))
    .min(1)
    .optional()
    .describe(
      'Types of content that may come back; a result with another is refused. What a read resource holds is of type `resource`.',
    ),
  mimeTypes: z
    .array(mimePattern)
    .min(1)
    .optional()
    .describe(
      'Media types that images, audio and resources may have, such as `image/*`. Text items have none and need none.',
    ),
  links: z
    .union([
      judgement,
      z.strictObject({
        judge: judgement.prefault('policy').describe(judgementMeaning),
        schemes: z.array(scheme).min(1).optional().describe('URI schemes that links may have.'),
      }),
    ])
    .optional()
    .describe(judgementMeaning),
  redact: z
    .array(z.enum(redactionClasses))
    .min(1)
    .optional()
    .describe('What is replaced by a mark, wherever it stands in what comes back. See the page on results.'),
  strip: characters.optional().describe('Characters that are taken out.'),
  refuse: characters.optional().describe('Characters for whose sake the whole result is refused.'),
  escapeHtml: z
    .boolean()
    .optional()
    .describe(
      'Writes `&`, `<`, `>` and quotes of texts as HTML entities. For clients that render without escaping.',
    ),
  label: z
    .boolean()
    .optional()
    .describe('Says in `_meta` of the result where it came from, under `io.sallyport/provenance`.'),
  errors: z
    .enum(['replace', 'relay'])
    .optional()
    .describe(
      "Texts of the server's errors. Default `replace`: the client gets a text of the gateway's own for the code, the audit keeps the server's. `relay`: as they came, redacted.",
    ),
};

export type ResultRuleDocument = z.output<z.ZodObject<typeof resultRuleShape>>;
