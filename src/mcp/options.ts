import { z } from 'zod';
import { bytes } from '../document/units.ts';
import { type DecodeLimits, defaultDecodeLimits } from './decode.ts';

/** Bounds on the JSON of one body. The reasons of the defaults stand beside the decoder. */
function decodeOptions(defaults: DecodeLimits) {
  const count = (value: number, most: number) => z.int().min(1).max(most).prefault(value);
  return z.strictObject({
    maxDepth: count(defaults.maxDepth, 512).describe(
      `Nesting of objects and lists. Default ${defaults.maxDepth}, because real tool schemas and arguments stay below 20.`,
    ),
    maxNodes: count(defaults.maxNodes, 10_000_000).describe(
      `Values in one body. Default ${defaults.maxNodes}, because so many take some 10 MB once built.`,
    ),
    maxStringBytes: bytes({ min: 1024, max: 1024 ** 3 })
      .prefault(defaults.maxStringBytes)
      .describe(
        `Bytes of one text. Default ${defaults.maxStringBytes}, because no text is longer than the largest body.`,
      ),
    maxArrayLength: count(defaults.maxArrayLength, 10_000_000).describe(
      `Entries of one list. Default ${defaults.maxArrayLength}, because lists of MCP are paged.`,
    ),
    maxKeysPerObject: count(defaults.maxKeysPerObject, 1_000_000).describe(
      `Keys of one object. Default ${defaults.maxKeysPerObject}, because peers choose keys, and keys end in hash tables.`,
    ),
    maxBatch: count(defaults.maxBatch, 10_000).describe(
      `Messages of one batch (revision 2025-03-26 only). Default ${defaults.maxBatch}, as official SDKs.`,
    ),
  });
}

/** `limits.request`: JSON from clients. */
export const requestDecodeOptions = decodeOptions(defaultDecodeLimits);

/** `limits.result`: JSON from upstreams. Results carry files as base64: one text may be as large as a whole result. */
export const resultDecodeOptions = decodeOptions({
  ...defaultDecodeLimits,
  maxStringBytes: 16 * 1024 * 1024,
});
