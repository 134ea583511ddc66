import { z } from 'zod';

/** `pins:` of the gateway file. */
export const pinsOptions = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .meta({ title: 'file' })
      .optional()
      .describe(
        'The lock file: definitions that were reviewed. What is not in it is hidden and refused. Absent: nothing is ' +
          'pinned, and only names that look alike are looked for.',
      ),
    firstUse: z
      .boolean()
      .prefault(false)
      .describe(
        'Approve what an upstream without any entry in the lock file offers when it is first listed, and write it ' +
          'there. Default false: whoever controls the server at that moment decides what is trusted.',
      ),
    lookAlikes: z
      .enum(['quarantine', 'alert'])
      .prefault('quarantine')
      .describe(
        'What happens to tools whose names can be taken for one another, unless they are in the lock file. Default ' +
          '`quarantine`: both are hidden and refused.',
      ),
    unique: z
      .boolean()
      .prefault(false)
      .describe(
        'Whether the same name at two upstreams counts as look-alike too. Default false, because each upstream has a ' +
          'path of its own.',
      ),
    reviewedDescriptions: z
      .boolean()
      .prefault(true)
      .describe('Give clients the reviewed title and description of the lock file, where there is one.'),
  })
  .refine(({ file, firstUse }) => file !== undefined || !firstUse, {
    path: ['firstUse'],
    message: 'there is no file to write what is first seen to',
  });

export type PinsOptions = z.output<typeof pinsOptions>;
