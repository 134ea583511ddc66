import { z } from 'zod';
import { hasHostBits, readBlock } from '../addresses/address-block.ts';
import { bytes, duration } from '../document/units.ts';
import { privateBlockProblem } from './judge-address.ts';

export { dialProblem } from './url-problem.ts';

const privateBlock = z.string().superRefine((text, context) => {
  const block = readBlock(text);
  const problem =
    block === undefined
      ? 'is not a block: address, slash, length, such as 10.0.0.0/8'
      : hasHostBits(block)
        ? 'has bits set behind its length'
        : privateBlockProblem(block);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: `${text} ${problem}` });
});

/** The `outbound:` section: what the gateway dials for itself, towards issuers. */
export const outboundOptions = z
  .strictObject({
    private: z
      .array(privateBlock)
      .max(64)
      .prefault([])
      .describe(
        'Blocks of addresses that may be dialled although they are private, loopback or otherwise set apart, such as ' +
          '`10.0.0.0/8`; in them also http, where the URL names the address or `localhost`. Default none, because ' +
          'whoever can steer a URL or a name would reach what only this machine reaches.',
      ),
    ca: z
      .array(z.string().min(1).meta({ title: 'file' }))
      .max(64)
      .prefault([])
      .describe(
        'Roots in PEM that may vouch for issuers, beside those of Node. Read again at a reload. Default none, because ' +
          'public issuers need none.',
      ),
    timeout: duration({ min: 1, max: 60_000 })
      .prefault('5s')
      .describe(
        'For one whole exchange, from resolving the name to the last byte. Default 5s, because a caller may wait for it.',
      ),
    maxBytes: bytes({ min: 1024, max: 16 * 1024 * 1024 })
      .prefault('256KiB')
      .describe(
        'Size of an answer. Default 256KiB, which holds some 150 RSA keys with their certificates; real answers are ' +
          'below 10KiB.',
      ),
    concurrency: z
      .int()
      .min(1)
      .max(1024)
      .prefault(32)
      .describe(
        'Exchanges at one time; further ones fail at once, but for the first of each kind and host. Default 32, because keys and tokens are remembered: more at ' +
          'once means that somebody makes us ask.',
      ),
  })
  .prefault({})
  .describe('What the gateway dials for itself: keys, metadata and tokens of issuers. Never MCP servers.');

export type OutboundOptions = z.output<typeof outboundOptions>;
