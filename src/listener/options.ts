import { z } from 'zod';
import { bytes, duration } from '../document/units.ts';
import { isLoopbackBind, parseBind } from './bind.ts';
import { ratesOptions, trustedOptions } from './flood-options.ts';
import { normaliseHost, normaliseOrigin } from './hosts.ts';

export { isLoopbackBind, parseBind } from './bind.ts';
export { wellKnownPrefix } from './documents.ts';
export { blocksOptions, controlOptions } from './flood-options.ts';

const bind = z.string().refine((text) => parseBind(text) !== undefined, {
  error: 'expected host:port, such as 127.0.0.1:8443 or [::]:8443',
});
const file = z.string().min(1).meta({ title: 'file' });
const files = z.union([file, z.array(file)]).transform((value) => (Array.isArray(value) ? value : [value]));

const hosts = z.array(
  z
    .string()
    .refine((text) => normaliseHost(text) !== undefined, {
      error: 'expected a host name or address, with a port where only that port is meant',
    })
    .transform((text) => normaliseHost(text)!),
);

const origins = z.array(
  z
    .string()
    .refine((text) => normaliseOrigin(text) !== undefined, {
      error: 'expected an origin as browsers send it, such as https://app.example',
    })
    .transform((text) => normaliseOrigin(text)!),
);

const clients = z.strictObject({
  ca: files
    .refine((list) => list.length > 0, { error: 'name at least one CA file' })
    .describe(
      'Roots that client certificates chain to: at least one, self-signed. With several roots list the intermediates ' +
        'too: some releases of Node do not show those that a client sends, and which root vouches must be certain.',
    ),
  crl: files
    .prefault([])
    .describe(
      'Revocation lists. Once one is given, every CA in the chain needs a current list: a client whose CA has none is ' +
        'refused. A reload cuts open connections of certificates that are now revoked.',
    ),
  mode: z
    .enum(['require', 'request', 'none'])
    .prefault('require')
    .describe(
      '`require`: no handshake without a certificate that verifies. `request`: a client may come without a ' +
        'certificate, but one that shows a certificate which does not verify is refused, never taken for one without. ' +
        '`none`: not asked. Default `require`, because whoever names a CA wants certificates.',
    ),
});

const tls = z.strictObject({
  certificate: file.describe('Certificate chain of the gateway in PEM, leaf first.'),
  key: file.describe(
    'Its private key in PEM, without passphrase. A file that others than its owner may read warns at every start.',
  ),
  minVersion: z
    .enum(['1.3', '1.2'])
    .prefault('1.3')
    .describe(
      'Oldest TLS version. Default 1.3; 1.2 only with ECDHE and AEAD suites, for clients that cannot do better.',
    ),
  clients: clients.optional().describe('Client certificates (mTLS). Absent: none are asked for.'),
});

const limits = z
  .strictObject({
    headerBytes: bytes({ min: 1024, max: 1024 ** 2 })
      .prefault('16KiB')
      .describe(
        "All headers of one request. Default 16KiB, because it is Node's own default and holds the largest tokens met " +
          'in practice twice over.',
      ),
    bodyBytes: bytes({ min: 1, max: 1024 ** 3 })
      .prefault('4MiB')
      .describe("Body of one request. Default 4MiB, because the official SDKs' servers accept no more."),
    headersTimeout: duration({ min: 50 })
      .prefault('10s')
      .describe(
        'Until the headers are there; also bounds the TLS handshake. Default 10s, because headers fit in a few ' +
          'packets: slower is a stall or an attack.',
      ),
    bodyTimeout: duration({ min: 50 })
      .prefault('30s')
      .describe('Until the body is there. Default 30s, because 4MiB then needs only 140 kB/s.'),
    connections: count(10_000, 1_000_000).describe(
      'Open connections; the last eighth is kept for addresses that known callers came from within the hour, and for ' +
        'trusted ones. Default 10000, because each costs some 50 KiB with TLS: half a GiB.',
    ),
    connectionsPerAddress: count(1000, 1_000_000).describe(
      'Open connections of one address (IPv6: of one /64). Default 1000, because a whole office may share one, but ' +
        'must not take all there are.',
    ),
    trusted: trustedOptions,
    rates: ratesOptions.describe('How often connections and requests may come, before anybody is known.'),
    connectionAge: duration({ min: 50 })
      .prefault('1h')
      .describe(
        'After this a connection finishes what is under way and closes. Default 1h, because credentials and balancing ' +
          'should not be older than that.',
      ),
    requestsPerConnection: z
      .int()
      .min(1)
      .optional()
      .describe('Requests on one connection. Absent: as many as fit in `connectionAge`.'),
    http2Streams: count(100, 10_000).describe(
      'Concurrent streams of one HTTP/2 connection. Default 100, because RFC 9113 advises no fewer and no client of ' +
        'one user needs more.',
    ),
    streamKeepAlive: duration({ min: 50 })
      .prefault('15s')
      .describe(
        'Silence on an event stream before a comment is sent. Default 15s, because load balancers cut a silent ' +
          "connection after 30s to 60s; also the official SDKs' own interval.",
      ),
    idleTimeout: duration({ min: 50 })
      .prefault('65s')
      .describe(
        'Idle time after which a connection is closed. Default 65s, because common balancers keep idle connections ' +
          'for 60s and must be the first to close them.',
      ),
    unsentBytes: bytes({ min: 1024 ** 2, max: 64 * 1024 ** 3 })
      .prefault('256MiB')
      .describe(
        'Answers that clients have not taken yet, all together. Beyond, those that hold most for longest are cut off ' +
          'with their connections. Default 256MiB, because it holds the answers of hundreds of slow clients, and a quarter of what a ' +
          'small container has.',
      ),
    stallTimeout: duration({ min: 50 })
      .prefault('30s')
      .describe(
        'Time in which a client that takes nothing of an answer loses its connection. Default 30s, because what is ' +
          'unsent is held in memory.',
      ),
  })
  .prefault({});

/** One listener: an address, who may connect to it, and how much of everything. Times in milliseconds, sizes in bytes. */
export const listenerOptions = z
  .strictObject({
    bind: bind.describe(
      'Address and port, such as `127.0.0.1:8443` or `[::]:8443`. Port 0 takes any free one.',
    ),
    tls: tls
      .optional()
      .describe(
        'Absent: plain HTTP/1.1, on loopback only unless `insecure.plaintext` is set. TLS ends here; HTTP/2 and HTTP/1.1.',
      ),
    hosts: hosts
      .optional()
      .describe(
        'Names that `Host` may have; a name without port allows every port. Default on loopback: the loopback names. ' +
          'Required elsewhere: without them DNS rebinding cannot be told from honest requests.',
      ),
    origins: origins
      .prefault([])
      .describe(
        'Values that `Origin` may have, as browsers send them. A request without `Origin` is allowed; `null` never is. ' +
          'Default none, because a web page has no business here unless somebody says so.',
      ),
    limits: limits.describe('Bounds on connections and on what arrives on them. What is beyond is refused.'),
  })
  .refine((options) => (options.hosts?.length ?? 0) > 0 || isLoopbackBind(options.bind), {
    path: ['hosts'],
    error:
      'list the host names that clients use: without them DNS rebinding cannot be told from honest requests',
  });

export type ListenerOptions = z.output<typeof listenerOptions>;
export type TlsOptions = NonNullable<ListenerOptions['tls']>;
export type ListenerLimits = ListenerOptions['limits'];

/**
 * The listener for probes and metrics: plain HTTP, no authentication, so keep it off public addresses.
 *
 * Besides `hosts` (default on loopback: the loopback names), a Host that is the very address which the connection came
 * in on is allowed: kubelet and Prometheus use it, and DNS rebinding needs a name.
 */
export const adminOptions = z.strictObject({
  bind: bind.describe(
    'Address and port. Nobody is authenticated here: an address other than loopback warns at every start.',
  ),
  hosts: hosts
    .optional()
    .describe('Names that `Host` may have, beside the very address that the connection came in on.'),
});

export type AdminOptions = z.output<typeof adminOptions>;

function count(usual: number, most: number) {
  return z.int().min(1).max(most).prefault(usual);
}
