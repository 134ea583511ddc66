import { z } from 'zod';
import { bytes } from '../../document/units.ts';
import { blobTypes } from './blob-types.ts';

const maxBytes = bytes({ min: 1, max: 1024 ** 3 })
  .prefault('1MiB')
  .describe('Bytes after decoding. Default 1MiB: base64 above that hides what a review could still look at.');
const alphabet = z
  .enum(['standard', 'url', 'any'])
  .prefault('standard')
  .describe('`standard` has + and /, `url` has - and _ (RFC 4648). Default `standard`.');
const padding = z
  .enum(['require', 'allow', 'never'])
  .prefault('require')
  .describe('Whether `=` fills the last group. Default `require`, as RFC 4648 does.');

/** `base64:` of an argument. */
export const base64Options = z.strictObject({ maxBytes, alphabet, padding });

const types = z
  .array(z.enum(Object.keys(blobTypes) as [keyof typeof blobTypes, ...(keyof typeof blobTypes)[]]))
  .min(1)
  .optional()
  .describe(
    'Media types that are allowed, told by the first bytes alone: what follows them is not looked at. Absent: anything.',
  );

/** `blob:` of an argument. */
export const blobOptions = z.strictObject({ maxBytes, alphabet, padding, types });
