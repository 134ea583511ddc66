import { z } from 'zod';

/** `uuid:` of an argument. */
export const uuidOptions = z.strictObject({
  versions: z
    .array(z.int().min(1).max(8))
    .min(1)
    .optional()
    .describe('Versions of RFC 9562 that are allowed. Absent: all, and the nil and max UUIDs.'),
});

/** `semver:` of an argument. */
export const semverOptions = z.strictObject({
  leadingV: z.boolean().prefault(false).describe('Whether `v1.2.3` is taken too. Default `false`.'),
  prerelease: z
    .enum(['allow', 'refuse'])
    .prefault('allow')
    .describe('Versions such as `1.2.3-rc.1`. Default `allow`.'),
});
