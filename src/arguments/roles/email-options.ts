import { z } from 'zod';
import { domainPatternFault } from './url-host-pattern.ts';

/** `email:` of an argument. */
export const emailOptions = z.strictObject({
  domains: z
    .array(
      z.string().superRefine((text, context) => {
        const message = domainPatternFault(text);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      }),
    )
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      'Domains that are allowed: exact, `*.example.com` (one label more) or `**.example.com` (one or more); neither is ' +
        '`example.com` itself. Default: every domain with a dot.',
    ),
  maxLength: z
    .number()
    .int()
    .min(3)
    .max(4096)
    .prefault(254)
    .describe('Characters. Default 254, because no longer address fits into SMTP (RFC 5321).'),
  displayName: z
    .enum(['refuse', 'allow'])
    .prefault('refuse')
    .describe(
      '`Name <address>`. Default refuse, because a name is text that a person trusts and nobody has checked.',
    ),
  unicode: z
    .enum(['refuse', 'allow'])
    .prefault('refuse')
    .describe(
      'Other than ASCII letters and digits (RFC 6531), international domains unencoded. Default refuse, because few ' +
        'servers take them, and look-alikes reach another person.',
    ),
});
