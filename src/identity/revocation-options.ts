import { z } from 'zod';

/** The `revocations:` section. */
export const revocationsOptions = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .meta({ title: 'file' })
      .describe(
        'Deny list in YAML: `tokens`, `subjects`, `apiKeys` and `certificates` that count for nothing any more. Must be ' +
          'there at start; one that does not load later leaves the last good one in force.',
      ),
  })
  .describe(
    'Credentials that are revoked before they expire. What they have open ends when the list is read again.',
  );

export type RevocationsOptions = z.output<typeof revocationsOptions>;
