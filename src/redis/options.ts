import { z } from 'zod';
import { duration } from '../document/units.ts';

const file = z.string().min(1).meta({ title: 'file' }).describe('A file in PEM.');

/** A secret of one line: in a file, or from the environment by `${VAR}`. Nothing of it is ever logged. */
const password = z
  .union([
    z.string().min(1).max(4096),
    z.strictObject({ file: file.describe('File that holds it, one line.') }),
  ])
  .meta({ title: 'text or { file }' });

const userName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\s]+$/, 'no spaces');

const hostAndPort = z
  .string()
  .max(300)
  .regex(
    /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]*):[0-9]{1,5}$/,
    'expected host:port, such as redis-0.redis:6379 or [::1]:6379',
  )
  .refine((text) => {
    const port = Number(text.slice(text.lastIndexOf(':') + 1));
    return port >= 1 && port <= 65_535;
  }, 'a port is 1 to 65535')
  .meta({ title: 'host:port' })
  .describe('Host and port of one of them.');

const nodes = z.array(hostAndPort).min(1).max(64);

const url = z
  .string()
  .max(2048)
  .superRefine((text, context) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    const say = (message: string): void => context.addIssue({ code: 'custom', message });
    if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
      say('expected redis://host:port or rediss://host:port');
      return;
    }
    // What stands in a URL ends up in logs of whoever prints it.
    if (parsed.username !== '' || parsed.password !== '')
      say('no user name or password here: give username and password');
    if (parsed.search !== '' || parsed.hash !== '') say('no query and no fragment');
    if (!/^(?:\/(?:[0-9]{1,4})?)?$/.test(parsed.pathname))
      say('the path, where there is one, is the number of a database');
  });

const tls = z.strictObject({
  ca: z
    .union([file, z.array(file).min(1).max(64)])
    .optional()
    .describe('Only these authorities are trusted, instead of the ones that Node brings.'),
  certificate: file.optional().describe('Certificate chain in PEM that the gateway shows. With `key`.'),
  key: file.optional().describe('Its private key in PEM.'),
  serverName: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe("The name that the server's certificate must carry, where it is not the host that is dialled."),
});

const sentinel = z.strictObject({
  nodes: nodes.describe('The sentinels.'),
  master: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[A-Za-z0-9._-]+$/, 'letters, digits, ., _ and - only')
    .describe('Under which name the sentinels watch the master.'),
  username: userName.optional().describe('User of the sentinels, where they ask for one.'),
  password: password.optional().describe('Its password.'),
});

/** A Redis or Valkey that replicas of one gateway share. Times in milliseconds. */
export const redisOptions = z
  .strictObject({
    url: url
      .optional()
      .describe(
        'One server: `redis://host:port`, or `rediss://` for TLS; a number after a slash chooses the database.',
      ),
    nodes: nodes
      .optional()
      .describe(
        'Some nodes of a cluster. All keys of a gateway live in one slot, because all limits of a call are decided in ' +
          'one step: a cluster gives failover here, and spreads nothing.',
      ),
    sentinel: sentinel.optional().describe('Sentinels that know which server is the master.'),
    username: userName.optional().describe("ACL user. Default: the server's `default` user."),
    password: password
      .optional()
      .describe(
        'Its password: text, best from the environment, or `{ file }`. Read again whenever a connection is made.',
      ),
    tls: tls
      .optional()
      .describe(
        'TLS to servers, cluster nodes and sentinels; `{}` trusts the authorities that Node brings. Not with `redis://`.',
      ),
    prefix: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9_-]{0,62}$/,
        'lower-case letters, digits, _ and -, at most 63, beginning with a letter or digit',
      )
      .prefault('sallyport')
      .describe(
        'What all keys begin with, in braces: `{sallyport}:`. Gateways that count apart need different ones. Default `sallyport`.',
      ),
    replicas: z
      .int()
      .min(1)
      .max(1000)
      .describe(
        'How many gateways are expected to share the store; workers of each are counted by themselves. While it is lost, a ' +
          'limit with `onStoreLoss: local` admits its part of that many. Has no default, because a guess that is too low multiplies every limit.',
      ),
    timeout: duration({ min: 1, max: 50 })
      .prefault('50ms')
      .describe(
        'How long a call waits for the store before its limits are decided without it. Default and most 50ms, because ' +
          'a store in the same network answers within two.',
      ),
    pending: z
      .int()
      .min(16)
      .max(1_000_000)
      .prefault(4096)
      .describe(
        'Commands that wait for an answer; further ones count as lost at once. Default 4096: more than a store answers ' +
          'within the time-out are never worth waiting for.',
      ),
    placeLease: duration({ min: 3000, max: 600_000 })
      .prefault('30s')
      .describe(
        'How long a place of a concurrency limit stays taken after the last word of the process that holds it. Default ' +
          '30s: what a crashed process held is free again soon, and a stall of seconds frees nothing.',
      ),
    leases: z
      .strictObject({
        enabled: z
          .boolean()
          .prefault(true)
          .describe(
            'Whether a process takes several units of a busy rate at once: at most what all processes together get in ' +
              '20ms, so that any second admits at most 2 % more than the rate. Default true.',
          ),
      })
      .prefault({})
      .describe('Units of busy rates that a process takes in advance, to serve calls without asking.'),
  })
  .superRefine((given, context) => {
    const say = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    const places = [given.url, given.nodes, given.sentinel].filter((place) => place !== undefined);
    if (places.length !== 1) say([], 'give exactly one of url, nodes (a cluster), sentinel');
    if (given.url?.startsWith('redis://') === true && given.tls !== undefined)
      say(['tls'], 'only has a meaning for a rediss url, nodes or sentinel');
    if ((given.tls?.certificate === undefined) !== (given.tls?.key === undefined))
      say(['tls'], 'certificate and key belong together');
    if (given.username !== undefined && given.password === undefined)
      say(['username'], 'a user needs a password');
    if (given.sentinel?.username !== undefined && given.sentinel.password === undefined)
      say(['sentinel', 'username'], 'a user needs a password');
  });

export type RedisOptions = z.output<typeof redisOptions>;
