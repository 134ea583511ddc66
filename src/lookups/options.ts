import { isIP } from 'node:net';
import { z } from 'zod';
import { duration } from '../document/units.ts';

/** How names are resolved for roles that ask for it (`url: { resolve: true }`). */
export const dnsOptionsSchema = z.strictObject({
  servers: z
    .array(
      z
        .string()
        .refine(isServer, 'expected an IP address, with a port if it is not 53: 10.0.0.2, [fd00::2]:5353'),
    )
    .min(1)
    .max(8)
    .optional()
    .describe(
      "Name servers. Default: the machine's own. Give the ones that the upstreams ask, so that both see the same answers.",
    ),
  timeout: duration({ min: 10, max: 30_000 })
    .prefault('1s')
    .describe(
      'After this a name counts as unresolved, and the call is refused. Default 1s, because a client waits, and a ' +
        'resolver that has the answer gives it in a few milliseconds.',
    ),
  maxConcurrent: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .prefault(64)
    .describe(
      'Names asked for at one time; one more counts as unresolved. Default 64, because each takes two sockets, and ' +
        'callers choose the names.',
    ),
  cache: z
    .strictObject({
      entries: z
        .number()
        .int()
        .min(0)
        .max(1_000_000)
        .prefault(1000)
        .describe(
          'Answers that are remembered; the oldest goes when one more comes. Default 1000, of about 300 bytes each.',
        ),
      ttl: duration({ max: 3_600_000 })
        .prefault('30s')
        .describe(
          'How long an answer is believed. Default 30s, because a name that moves to a private address must be seen soon.',
        ),
      negativeTtl: duration({ max: 3_600_000 })
        .prefault('5s')
        .describe(
          'How long no answer is believed. Default 5s, because it refuses calls, and must end soon after the name works.',
        ),
    })
    .prefault({})
    .describe('Answers that are remembered.'),
});

/** `lookups:` of the gateway file. */
export const lookupOptionsSchema = z.strictObject({
  dns: dnsOptionsSchema
    .prefault({})
    .describe('How names are resolved for roles that ask for it: `url` with `resolve: true`.'),
});

export type DnsOptions = z.output<typeof dnsOptionsSchema>;
export type LookupOptions = z.output<typeof lookupOptionsSchema>;

/** What `Resolver.setServers` takes; it throws for the rest. */
function isServer(text: string): boolean {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([1-9][0-9]{0,4}))?$/.exec(text);
  if (match === null) return isIP(text) !== 0 && !text.includes('%');
  return isIP(match[1] ?? match[2]!) !== 0 && Number(match[3] ?? 53) <= 65_535;
}
