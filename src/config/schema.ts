import { z } from 'zod';
import { outboundOptions } from '../dialer/options.ts';
import { duration } from '../document/units.ts';
import { disclosureSchema, filterOptionsSchema } from '../filters/options.ts';
import { canariesSchema, flowOptionsSchema } from '../flows/options.ts';
import {
  anonymousOptions,
  authenticatorsOptions,
  requireOptions,
  resourceOptions,
  revocationsOptions,
} from '../identity/options.ts';
import { adminOptions, blocksOptions, controlOptions, listenerOptions } from '../listener/options.ts';
import { lookupOptionsSchema } from '../lookups/options.ts';
import { auditOptions, logOptions } from '../observe/options.ts';
import { overloadOptions } from '../overload/options.ts';
import { pinsOptions } from '../pins/options.ts';
import { redactionOptions } from '../redaction/options.ts';
import { redisOptions } from '../redis/options.ts';
import { assertionKeysOptions } from '../upstream/credentials/options.ts';
import { httpUpstreamOptions } from '../upstream/options.ts';
import { workersOptions } from '../workers/options.ts';
import { limitsOptions } from './limits-options.ts';

const insecureOptions = z
  .strictObject({
    anonymous: anonymousOptions
      .optional()
      .describe(
        'Name of the principal for callers that present no credential at all. Whoever reaches the port is it.',
      ),
    plaintext: z
      .boolean()
      .prefault(false)
      .describe(
        'Allows listeners without TLS on other than loopback addresses: credentials travel in the clear.',
      ),
  })
  .prefault({})
  .describe('What weakens the gateway. Each option that is used warns at every start.');

const upstreamOptions = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9_-]{0,62}$/,
        'lower-case letters, digits, _ and -, at most 63, beginning with a letter or digit',
      )
      .describe('Name in policies, audit and metrics. Lower-case letters, digits, `_`, `-`; at most 63.'),
    path: z
      .string()
      .max(256)
      .regex(/^\//, 'must begin with /')
      .regex(
        /^(?:\/[A-Za-z0-9._~-]+)+$/,
        'plain segments only: no empty ones, no trailing slash, no escapes, no query',
      )
      // A segment of dots would be resolved away by clients and proxies before it arrives.
      .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'no . or .. segments')
      .describe('Path at which clients find this upstream, on every listener.'),
    authorization: resourceOptions
      .optional()
      .describe(
        'This route as an OAuth resource server: what tokens must be meant for, and what clients without one are told.',
      ),
    disclosure: disclosureSchema,
    http: httpUpstreamOptions.describe('An MCP server that speaks Streamable HTTP.'),
  })
  .describe('One MCP server behind the gateway.');

/** The gateway file. Composed of the options of each room; unknown keys are errors everywhere. */
export const gatewayFileSchema = z.strictObject({
  version: z.literal(1).describe('Version of this file format: 1.'),
  listeners: z
    .array(listenerOptions)
    .min(1)
    .max(64)
    .describe('Where clients connect. All listeners serve all upstreams.'),
  identity: authenticatorsOptions
    .default([])
    .describe('How callers prove who they are. At least one entry, or `insecure.anonymous`.'),
  require: requireOptions
    .optional()
    .describe(
      'Alternatives, each a list of kinds that must be proven together. Default: each configured kind alone suffices.',
    ),
  outbound: outboundOptions,
  revocations: revocationsOptions.optional(),
  assertions: assertionKeysOptions
    .optional()
    .describe('Keys of the identity assertions that upstreams with `http.assertion` get.'),
  insecure: insecureOptions,
  upstreams: z.array(upstreamOptions).min(1).max(1000).describe('The MCP servers behind the gateway.'),
  revisions: filterOptionsSchema.shape.revisions,
  policies: z
    .string()
    .min(1)
    .meta({ title: 'folder' })
    .prefault('policies/')
    .describe('Folder with policy files (`*.yaml`, `*.yml`). Default `policies/`, beside the gateway file.'),
  blocks: blocksOptions,
  store: z
    .strictObject({
      memory: z
        .strictObject({})
        .optional()
        .describe('Counts live in this process and end with it. The default.'),
      redis: redisOptions
        .optional()
        .describe('Counts and other shared state live in a Redis or Valkey that replicas share.'),
    })
    .refine(
      ({ memory, redis }) => memory === undefined || redis === undefined,
      'give memory or redis, not both',
    )
    .prefault({})
    .describe('Where limits are counted, and where that lives which replicas must know together.'),
  session: filterOptionsSchema.shape.session.describe('How legacy sessions and request states are sealed.'),
  limits: limitsOptions,
  definitions: filterOptionsSchema.shape.definitions.describe(
    "How the gateway keeps up with upstreams' own lists of tools.",
  ),
  pins: pinsOptions
    .optional()
    .describe('Tool definitions and server instructions that were reviewed. Absent: nothing is pinned.'),
  redaction: redactionOptions,
  flows: flowOptionsSchema
    .prefault({})
    .describe('Where approvals are kept for calls that a flow rule holds back.'),
  canaries: canariesSchema.describe(
    'Values that must never leave: whoever sends one is refused and told of.',
  ),
  signatures: filterOptionsSchema.shape.signatures.describe(
    'Marks of attacks in arguments. They alert and never refuse.',
  ),
  lookups: lookupOptionsSchema
    .prefault({})
    .describe('How names are resolved for arguments whose role asks for it.'),
  audit: auditOptions,
  admin: adminOptions
    .prefault({ bind: '127.0.0.1:9090' })
    .describe(
      'Where health and metrics are served: /livez, /readyz, /metrics. Default bind 127.0.0.1:9090, because nobody is authenticated there.',
    ),
  control: controlOptions
    .optional()
    .describe(
      'How the operator of this machine talks to a running gateway (`sallyport blocks`). Absent: there is no such way.',
    ),
  log: logOptions,
  overload: overloadOptions,
  workers: workersOptions,
  drain: z
    .strictObject({
      delay: duration({ max: 600_000 })
        .prefault('0s')
        .describe(
          'Between being told to stop and refusing connections; readiness fails at once. Default 0s; where a load ' +
            'balancer learns late that a pod is gone, some seconds.',
        ),
      deadline: duration({ max: 3_600_000 })
        .prefault('20s')
        .describe(
          'How long running exchanges may take to end. Default 20s, because Kubernetes kills after 30s unless told otherwise.',
        ),
    })
    .prefault({})
    .describe('What happens on SIGTERM and SIGINT.'),
  reload: z
    .strictObject({
      watch: z
        .boolean()
        .prefault(true)
        .describe(
          'Reload when the configuration, policies, certificates or keys change on disk. SIGHUP reloads always.',
        ),
      settle: duration({ min: 10, max: 60_000 })
        .prefault('500ms')
        .describe(
          'Quiet time after a change before it is read. Default 500ms, because files are replaced one by one.',
        ),
      poll: duration({ max: 3_600_000 })
        .prefault('60s')
        .describe(
          'Between looks at the files beside the notifications of the kernel; 0 for none. Default 60s, because network ' +
            'file systems notify of nothing.',
        ),
    })
    .prefault({})
    .describe('When files are read again. A set of files that does not load never replaces one that did.'),
});

/** The gateway file once parsed: times in milliseconds, sizes in bytes, defaults filled in. */
export type GatewayFile = z.output<typeof gatewayFileSchema>;

/** A loaded configuration. Frozen; all paths absolute. */
export interface Config extends GatewayFile {
  /** Absolute path of the gateway file. */
  readonly file: string;
  /** The folder of the gateway file: relative paths started here. */
  readonly folder: string;
  /** Sentences for the operator: what is insecure, what is readable by others. Written at every start. */
  readonly warnings: readonly string[];
}

/** JSON Schema (2020-12) of what may be written in the gateway file, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(gatewayFileSchema, { io: 'input', unrepresentable: 'any' }) as Record<
    string,
    unknown
  >;
}
