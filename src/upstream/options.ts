import { z } from 'zod';
import { bytes, duration } from '../document/units.ts';
import { isOwnHeader, isValidHeaderValue, isValidToken } from './headers.ts';

const file = z.string().min(1);

const url = z.string().superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem !== undefined) {
    context.addIssue({ code: 'custom', message: problem });
  }
});

/**
 * The credential that the gateway itself shows to this upstream. The client's own credential never travels
 * (MCP 2025-06-18 and later, security best practices, token passthrough).
 */
const credential = z
  .strictObject({
    header: z.string().refine(isValidToken, 'not a header name').default('authorization'),
    /** Written before the value with a space: `Bearer` for a file that holds a bare token. */
    scheme: z.string().refine(isValidToken, 'not an authentication scheme').optional(),
    value: z.string().refine(isValidHeaderValue, 'not one line of visible ASCII').optional(),
    file: file.optional(),
  })
  .superRefine((given, context) => {
    if ((given.value === undefined) === (given.file === undefined)) {
      context.addIssue({ code: 'custom', message: 'give either value or file' });
    }
    if (isOwnHeader(given.header)) {
      context.addIssue({
        code: 'custom',
        path: ['header'],
        message: 'this header belongs to the transport or the protocol',
      });
    }
  });

const timeouts = z.strictObject({
  /** TCP and TLS. 5s, because a peer in the same cluster that needs longer is down. */
  connect: duration({ min: 1 }).default(5_000),
  /** Until the answer begins, waiting for a free connection included. 30s, because slow tools answer with a stream. */
  headers: duration({ min: 1 }).default(30_000),
  /** Between two pieces of a body or stream. 5m, because keep-alive comments come every 15s to 60s where they come at all. */
  idle: duration({ min: 1 }).default(300_000),
  /** The whole call, except for long-lived streams. 60s, because MCP clients give up then. */
  total: duration({ min: 1 }).default(60_000),
  /** The greatest age of a long-lived stream. 1h, because nothing else ends a stream whose reader has lost its rights. */
  stream: duration({ min: 1 }).default(3_600_000),
});

const limits = z.strictObject({
  /** One JSON body. 16MiB, because the official SDKs carry files as base64 inside results. */
  resultBytes: bytes({ min: 1, max: 1024 ** 3 }).default(16 * 1024 * 1024),
  /** One event of a stream. 4MiB, the request body limit of the official SDKs. */
  eventBytes: bytes({ min: 1, max: 1024 ** 3 }).default(4 * 1024 * 1024),
  /** Sockets for calls. 256, because a Node server behind the gateway answers about as many at once. */
  connections: z.int().min(1).max(65_535).default(256),
  /** Calls that wait for a socket; beyond it callers are told to come back. 1024, because at most that many bodies are held. */
  queued: z.int().min(0).max(1_000_000).default(1024),
  /** Long-lived streams, which have sockets of their own so that they cannot use up those for calls. 1024, as many as the official SDK keeps. */
  streams: z.int().min(1).max(65_535).default(1024),
});

/** Options of one MCP server reached by Streamable HTTP. Times in milliseconds, sizes in bytes. */
export const httpUpstreamOptions = z
  .strictObject({
    url,
    /** Only these authorities are trusted for this upstream, instead of the ones that Node brings. */
    ca: z.union([file, z.array(file).min(1)]).optional(),
    /** The name that the upstream's certificate must carry, where it is not the one in the URL. */
    serverName: z.string().min(1).optional(),
    clientCertificate: z.strictObject({ certificate: file, key: file }).optional(),
    credential: credential.optional(),
    timeouts: timeouts.prefault({}),
    limits: limits.prefault({}),
  })
  .superRefine((given, context) => {
    if (given.url.startsWith('https:')) {
      return;
    }
    for (const key of ['ca', 'serverName', 'clientCertificate'] as const) {
      if (given[key] !== undefined) {
        context.addIssue({ code: 'custom', path: [key], message: 'only has a meaning for an https url' });
      }
    }
  });

export type HttpUpstreamOptions = z.output<typeof httpUpstreamOptions>;

function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) {
    return 'not an absolute URL';
  }
  const parsed = new URL(text);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    return 'the URL must begin with http:// or https://';
  }
  if (parsed.username !== '' || parsed.password !== '') {
    return 'no user name or password in the URL: use credential';
  }
  if (parsed.hash !== '') {
    return 'no fragment in the URL';
  }
  return undefined;
}
