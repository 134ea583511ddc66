import { z } from 'zod';
import { bytes, duration } from '../document/units.ts';
import { absoluteUrl } from './absolute-url.ts';
import { assertionOptions, credentialOptions } from './credentials/options.ts';
import { breakerOptions, ejectionOptions, healthOptions, retriesOptions } from './endpoint-options.ts';

const file = z.string().min(1).meta({ title: 'file' });

const timeouts = z.strictObject({
  connect: duration({ min: 1 })
    .prefault('5s')
    .describe('TCP and TLS. Default 5s, because a peer in the same cluster that needs longer is down.'),
  headers: duration({ min: 1 })
    .prefault('30s')
    .describe(
      'Until the answer begins, waiting for a free connection included. Default 30s, because slow tools answer with a ' +
        'stream. A long-lived stream may begin as late as `idle`: its head often comes with its first event.',
    ),
  idle: duration({ min: 1 })
    .prefault('5m')
    .describe(
      'Between two pieces of a body or stream. Default 5m, because keep-alive comments come every 15s to 60s where ' +
        'they come at all.',
    ),
  total: duration({ min: 1 })
    .prefault('60s')
    .describe(
      'The whole call, except for long-lived streams. Default 60s, because MCP clients give up then.',
    ),
  longest: duration({ min: 1 })
    .prefault('15m')
    .describe(
      'The most that `timeouts` of a policy may give one call. Default 15m, because each call holds a socket, and who writes ' +
        'policies need not know how many there are.',
    ),
  stream: duration({ min: 1 })
    .prefault('1h')
    .describe(
      'The greatest age of a long-lived stream. Default 1h, because nothing else ends a stream whose reader has lost ' +
        'its rights.',
    ),
});

const limits = z.strictObject({
  resultBytes: bytes({ min: 1, max: 1024 ** 3 })
    .prefault('16MiB')
    .describe(
      'One JSON body. Default 16MiB, because the official SDKs carry files as base64 inside results.',
    ),
  eventBytes: bytes({ min: 1, max: 1024 ** 3 })
    .prefault('4MiB')
    .describe('One event of a stream. Default 4MiB, the request body limit of the official SDKs.'),
  callBytes: bytes({ min: 1 })
    .prefault('128MiB')
    .describe(
      'A stream that answers one call, as it comes: comments and what is dropped included. Default 128MiB, twice what one call ' +
        'may bring back as messages.',
    ),
  streamBytes: bytes({ min: 1 })
    .prefault('2GiB')
    .describe('The same of one long-lived stream. Default 2GiB, twice what it may bring back as messages.'),
  connections: z
    .int()
    .min(1)
    .max(65_535)
    .prefault(256)
    .describe(
      'Sockets for calls. Default 256, because a Node server behind the gateway answers about as many at once.',
    ),
  queued: z
    .int()
    .min(0)
    .max(1_000_000)
    .prefault(1024)
    .describe(
      'Calls that wait for a socket; beyond it callers are told to come back. Default 1024, because at most that many ' +
        'bodies are held.',
    ),
  streams: z
    .int()
    .min(1)
    .max(65_535)
    .prefault(1024)
    .describe(
      'Long-lived streams, which have sockets of their own so that they cannot use up those for calls. Default 1024, ' +
        'as many as the official SDK keeps.',
    ),
});

/** 32: each endpoint has a check, a breaker and pools of its own. Whoever has more puts a balancer before them. */
const mostUrls = 32;

/** Options of one MCP server reached by Streamable HTTP. Times in milliseconds, sizes in bytes. */
export const httpUpstreamOptions = z
  .strictObject({
    url: absoluteUrl
      .optional()
      .describe(
        "The server's MCP endpoint: http or https, without user name, password or fragment. Either this or `urls`.",
      ),
    urls: z
      .array(absoluteUrl)
      .min(1)
      .max(mostUrls)
      .optional()
      .describe(
        'Several endpoints that serve the same: calls go to those that do well, sessions stay where they began. At most 32.',
      ),
    stick: z
      .enum(['session', 'caller'])
      .prefault('session')
      .describe(
        'What stays with one endpoint. `session` (default): legacy sessions; everything else goes to the one with least to ' +
          'do. `caller`: all calls of one principal, for servers that keep tasks, cursors or request states in memory.',
      ),
    addresses: z
      .enum(['auto', 'public', 'private', 'any'])
      .prefault('auto')
      .describe(
        'Which addresses the names in the URLs may have. `auto` (default): public and private ones; but a public name none of ' +
          'this machine or link, and no private ones beside or after public ones. `public`, `private`: only those. `any`: ' +
          'all. Never those of metadata services. Addresses in the URL itself are not asked.',
      ),
    health: healthOptions
      .optional()
      .describe(
        'Active checks by a real MCP request. Default: with these defaults where `urls` has several, none otherwise.',
      ),
    panic: z
      .int()
      .min(0)
      .max(100)
      .prefault(50)
      .describe(
        'Percent of the endpoints: where fewer do well, all are used. Default 50, because half of them can hardly carry all.',
      ),
    ejection: ejectionOptions
      .prefault({})
      .describe('When an endpoint is avoided because of how calls to it end.'),
    breaker: breakerOptions
      .prefault({})
      .describe('When calls to an endpoint are refused at once because it does not answer.'),
    retries: retriesOptions
      .prefault({})
      .describe('How many calls may be made once more, where nothing can have happened.'),
    ca: z
      .union([file, z.array(file).min(1)])
      .optional()
      .describe(
        'Only these authorities are trusted for this upstream, instead of the ones that Node brings.',
      ),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe("The name that the upstream's certificate must carry, where it is not the one in the URL."),
    clientCertificate: z
      .strictObject({
        certificate: file.describe('Certificate chain in PEM, leaf first.'),
        key: file.describe('Its private key in PEM.'),
      })
      .optional()
      .describe('What the gateway shows to an upstream that asks for a client certificate.'),
    credential: credentialOptions
      .optional()
      .describe("The gateway's own credential for this upstream. The client's credential never travels."),
    assertion: assertionOptions
      .optional()
      .describe(
        'Tells the upstream with every call who called and for what: a JWT that lives 60s, signed with `assertions.keys`.',
      ),
    timeouts: timeouts.prefault({}).describe('How long a call to the upstream may take.'),
    limits: limits.prefault({}).describe('Bounds on what comes from the upstream, and on connections to it.'),
  })
  .superRefine((given, context) => {
    const { assertion, credential } = given;
    if ((given.url === undefined) === (given.urls === undefined)) {
      context.addIssue({
        code: 'custom',
        message: 'give either url (one server) or urls (a list of several that serve the same)',
      });
      return;
    }
    const urls = endpointUrls(given);
    // One that is none has been told of above.
    const hrefs = urls.map((url) => URL.parse(url)?.href ?? url);
    for (const [index, href] of hrefs.entries()) {
      const first = hrefs.indexOf(href);
      if (first === index) continue;
      const message = `one URL stands there twice: urls[${first}] is the same endpoint`;
      context.addIssue({ code: 'custom', path: ['urls', index], message });
    }
    if (assertion?.header.toLowerCase() === (credential?.header.toLowerCase() ?? '')) {
      context.addIssue({
        code: 'custom',
        path: ['assertion', 'header'],
        message: 'the credential has this header already',
      });
    }
    if (urls.some((url) => url.startsWith('https:'))) {
      return;
    }
    for (const key of ['ca', 'serverName', 'clientCertificate'] as const) {
      if (given[key] !== undefined) {
        context.addIssue({ code: 'custom', path: [key], message: 'only has a meaning for an https url' });
      }
    }
  });

export type HttpUpstreamOptions = z.output<typeof httpUpstreamOptions>;

/** Where the upstream is, at least one. */
export function endpointUrls({ url, urls }: Pick<HttpUpstreamOptions, 'url' | 'urls'>): readonly string[] {
  return urls ?? (url === undefined ? [] : [url]);
}

/** How endpoints are checked; undefined where they are not. */
export function healthOf(options: HttpUpstreamOptions): z.output<typeof healthOptions> | undefined {
  return options.health ?? (endpointUrls(options).length > 1 ? healthOptions.parse({}) : undefined);
}
