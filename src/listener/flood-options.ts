import { z } from 'zod';
import { hasHostBits, readBlock, readExactAddress } from '../addresses/address-block.ts';
import { duration, rate } from '../document/units.ts';

/** `rate` on the average, `burst` at once. Every default below has its reason beside it. */
function paced(usualRate: string, usualBurst: number, most: number) {
  return z
    .strictObject({
      rate: rate().prefault(usualRate).describe(`So many in so long. Default ${usualRate}.`),
      burst: z
        .int()
        .min(1)
        .max(most)
        .prefault(usualBurst)
        .describe(`How many of them may come at once. Default ${usualBurst}.`),
    })
    .prefault({});
}

/** How often strangers may come, before anybody is known. Counted in each process for itself. */
export const ratesOptions = z
  .strictObject({
    handshakes: paced('500/s', 2000, 1_000_000).describe(
      'New connections in all; what is beyond is closed before any TLS work. Addresses that known callers came from within ' +
        'the hour, and trusted ones, count apart, up to the same rate. Default 500/s after 2000 at once, because a ' +
        'handshake costs about a millisecond of the one core: so half of it is left for who is connected already.',
    ),
    handshakesPerAddress: paced('100/s', 1000, 1_000_000).describe(
      'New connections of one address (IPv6: of one /64). Default 100/s after 1000 at once, because a whole office behind ' +
        'one address may come back at once after a restart, up to `connectionsPerAddress`, and clients that open a ' +
        'connection for each call are few.',
    ),
    requests: paced('5000/s', 10_000, 10_000_000).describe(
      'Requests in all; what is beyond gets 429 with `Retry-After`. Addresses that known callers came from within the hour, ' +
        'and trusted ones, count apart, up to the same rate. Default 5000/s after 10000 at once, because one core ' +
        'serves less than half of that: this bounds what refusing costs, the shedder decides before.',
    ),
    requestsPerAddress: paced('500/s', 2000, 10_000_000).describe(
      'Requests of one address (IPv6: of one /64). Default 500/s after 2000 at once, because an office of a thousand people ' +
        'makes fewer, and one address must not take a quarter of what one core serves.',
    ),
  })
  .prefault({});

const network = z
  .string()
  .refine((text) => networkOf(text) !== undefined, {
    error:
      'expected an address or a block such as 10.0.0.0/8 or 2001:db8::/32, without bits behind the prefix',
  })
  .transform((text) => networkOf(text)!);

function networkOf(text: string) {
  const block = text.includes('/') ? readBlock(text) : readExactAddress(text);
  return block === undefined || hasHostBits(block) ? undefined : block;
}

/** Addresses that stand for many callers. */
export const trustedOptions = z
  .array(network)
  .max(1024)
  .prefault(['127.0.0.0/8', '::1'])
  .describe(
    'Addresses and blocks behind which many callers stand: an ingress, a mesh proxy, a NAT of your own. They are counted in ' +
      'all but not one by one (`connectionsPerAddress`, `rates.…PerAddress`), and never blocked: otherwise one broken caller ' +
      'would shut out all that come the same way. Nothing else is believed of them. Default loopback, because what calls ' +
      'from there is a proxy on this machine, or its operator.',
  );

/** The list of blocked addresses, one for all listeners of a process. */
export const blocksOptions = z
  .strictObject({
    enabled: z.boolean().prefault(true).describe('False: failures are counted by metrics only.'),
    threshold: z
      .number()
      .min(1)
      .max(1_000_000)
      .prefault(100)
      .describe(
        'Points at which an address is blocked. A refused credential, a certificate that fails in the handshake and a ' +
          'malformed message give 1 each; a request without any credential, or with one that has expired, 0.1, because that ' +
          'is how OAuth begins and goes on; so does one beyond the rate of the address. Default ' +
          '100, because one broken client that tries again each second never gets there, and guessing does at once.',
      ),
    halfLife: duration({ min: 1000, max: 86_400_000 })
      .prefault('1m')
      .describe(
        'Time in which points halve. Default 1m, because a client that was mended should not be shut out for its past.',
      ),
    share: z
      .number()
      .min(0)
      .max(1)
      .prefault(0.5)
      .describe(
        'Share of failures in what the address sends, from which it is blocked; calls of known callers count against it. ' +
          'Default 0.5, because behind the address of an office one broken client must not shut out the others. 0: the ' +
          'points alone decide.',
      ),
    duration: duration({ min: 1000, max: 86_400_000 })
      .prefault('1m')
      .describe(
        'Length of the first block; each further one is twice as long. Default 1m, because that ends guessing and is no ' +
          'catastrophe where it hits the wrong one.',
      ),
    maxDuration: duration({ min: 1000, max: 604_800_000 })
      .prefault('1h')
      .describe(
        'Longest block; an address that stays clean for so long afterwards begins anew. Default 1h, because addresses change hands.',
      ),
    entries: z
      .int()
      .min(16)
      .max(1_000_000)
      .prefault(10_000)
      .describe(
        'Addresses that are remembered, blocked or not. Default 10000, because each costs some 200 bytes. When full, those with ' +
          'the fewest points are forgotten; a block only where all are blocked, the least first, and that is logged and counted.',
      ),
  })
  .refine(({ duration, maxDuration }) => duration <= maxDuration, {
    path: ['maxDuration'],
    error: 'must not be shorter than duration',
  })
  .prefault({})
  .describe(
    'Addresses that keep failing authentication or keep sending malformed messages are refused for a while, on all ' +
      'listeners. `sallyport blocks` shows and releases them.',
  );

export type RatesOptions = z.output<typeof ratesOptions>;
export type BlocksOptions = z.output<typeof blocksOptions>;

/** The socket by which the operator of the machine talks to a running gateway. */
export const controlOptions = z.strictObject({
  socket: z
    .string()
    .min(1)
    // The kernel's bound on the name of a socket: a longer one would be cut, and the socket stand elsewhere.
    .max(100)
    .meta({ title: 'file' })
    .describe(
      'Path of a Unix domain socket, made with mode 0600: whoever may open it commands the gateway. At most 100 characters.',
    ),
});

export type ControlOptions = z.output<typeof controlOptions>;
