import { z } from 'zod';
import { bytes, duration } from '../document/units.ts';
import { isLoopbackBind, parseBind } from './bind.ts';
import { normaliseHost, normaliseOrigin } from './hosts.ts';

export { isLoopbackBind } from './bind.ts';

const bind = z.string().refine((text) => parseBind(text) !== undefined, {
  error: 'expected host:port, such as 127.0.0.1:8443 or [::]:8443',
});
const file = z.string().min(1);
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
  /** Roots (and, if wanted, intermediates) that client certificates chain to. At least one self-signed root. */
  ca: files.refine((list) => list.length > 0, { error: 'name at least one CA file' }),
  /** Once given, every CA in the chain needs a current CRL: a client whose CA has none is refused. */
  crl: files.default([]),
  /**
   * `require`: no handshake without a certificate that verifies. `request`: a client may come without a certificate,
   * but one that shows a certificate which does not verify is refused, never taken for one without. `none`: not asked.
   */
  mode: z.enum(['require', 'request', 'none']).default('require'),
});

const tls = z.strictObject({
  certificate: file,
  key: file,
  /** 1.2 only with ECDHE and AEAD suites, for clients that cannot do better. */
  minVersion: z.enum(['1.3', '1.2']).default('1.3'),
  clients: clients.optional(),
});

const limits = z
  .strictObject({
    /** 16 KiB, because it is Node's own default and holds the largest tokens met in practice twice over. */
    headerBytes: bytes({ min: 1024, max: 1024 ** 2 }).default(16 * 1024),
    /** 4 MiB, because the official SDKs' servers accept no more. */
    bodyBytes: bytes({ min: 1, max: 1024 ** 3 }).default(4 * 1024 ** 2),
    /** 10 s, because headers fit in a few packets: slower is a stall or an attack. Also bounds the TLS handshake. */
    headersTimeout: duration({ min: 50 }).default(10_000),
    /** 30 s, because 4 MiB then needs only 140 kB/s. */
    bodyTimeout: duration({ min: 50 }).default(30_000),
    /** 10000, because each costs some 50 KiB with TLS: half a GiB. */
    connections: count(10_000, 1_000_000),
    /** 1000 of one address (IPv6: of one /64), because a whole office may share one, but must not take all there are. */
    connectionsPerAddress: count(1000, 1_000_000),
    /** 1 h, because credentials and balancing should not be older than that. */
    connectionAge: duration({ min: 50 }).default(3_600_000),
    /** Absent: as many as fit in `connectionAge`. */
    requestsPerConnection: z.int().min(1).optional(),
    /** 100, because RFC 9113 advises no fewer and no client of one user needs more. */
    http2Streams: count(100, 10_000),
    /** 15 s, because load balancers cut a silent connection after 30 s to 60 s; also the official SDKs' own interval. */
    streamKeepAlive: duration({ min: 50 }).default(15_000),
    /** 65 s, because common balancers keep idle connections for 60 s and must be the first to close them. */
    idleTimeout: duration({ min: 50 }).default(65_000),
    /** 30 s in which a client takes nothing of an answer end its connection: what is unsent is held in memory. */
    stallTimeout: duration({ min: 50 }).default(30_000),
  })
  .prefault({});

/** One listener: an address, who may connect to it, and how much of everything. Times in milliseconds, sizes in bytes. */
export const listenerOptions = z
  .strictObject({
    bind,
    /** Absent: plain HTTP/1.1. Only on loopback, unless the configuration says otherwise under `insecure`. */
    tls: tls.optional(),
    /** Names that `Host` may have; a name without port allows every port. Default on loopback: the loopback names. */
    hosts: hosts.optional(),
    /** Values that `Origin` may have. A request without `Origin` is allowed; `null` never is. */
    origins: origins.default([]),
    limits,
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
export const adminOptions = z.strictObject({ bind, hosts: hosts.optional() });

export type AdminOptions = z.output<typeof adminOptions>;

function count(usual: number, most: number) {
  return z.int().min(1).max(most).default(usual);
}
