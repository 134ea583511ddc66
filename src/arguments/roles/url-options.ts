import { z } from 'zod';
import { classifyBlock } from './address.ts';
import { exactHost, hostPatternFault } from './url-host-pattern.ts';
import { internalNameFault } from './url-internal-names.ts';
import { pathPatternFault } from './url-paths.ts';

const choice = z.enum(['allow', 'refuse']);

/** `url:` of an argument. */
export const urlOptions = z
  .strictObject({
    schemes: z
      .array(z.enum(['https', 'http', 'wss', 'ws', 'ftp']))
      .min(1)
      .prefault(['https'])
      .describe(
        'Schemes. Default [https], because what is fetched over plain HTTP anybody on the way can change.',
      ),
    hosts: z
      .array(z.string().superRefine(reports(hostPatternFault)))
      .min(1)
      .max(10_000)
      .optional()
      .describe(
        'Host names and IP addresses that are allowed: exact, `*.example.com` (one label more) or `**.example.com` ' +
          '(one or more); neither is `example.com` itself. Default: every host that `addresses` lets through.',
      ),
    ports: z
      .union([z.literal('any'), z.array(z.number().int().min(1).max(65_535)).min(1).max(1000)])
      .optional()
      .describe(
        "Ports, or `any`. Default: the scheme's own only, because other ports are where internal services listen.",
      ),
    addresses: z
      .enum(['public', 'listed', 'any'])
      .prefault('public')
      .describe(
        'Default `public`: no private, special or internal host, whatever `hosts` says, because a server that fetches ' +
          'for others is a way into its own network. `listed`: what `hosts` names exactly may be private too. `any`: ' +
          'not looked at.',
      ),
    resolve: z
      .boolean()
      .prefault(false)
      .describe(
        'Ask the name service, and refuse unless every answer is allowed. Default false, because the question itself ' +
          "tells the owner of a name that it was asked: a stranger's name would carry data out.",
      ),
    userinfo: choice
      .prefault('refuse')
      .describe(
        'Name and password in front of the host. Default refuse, because they make one host look like another.',
      ),
    query: choice
      .prefault('allow')
      .describe('What follows `?`. Default allow, because most honest URLs have one.'),
    fragment: choice
      .prefault('allow')
      .describe('What follows `#`. Default allow, because it never leaves the client.'),
    paths: z
      .array(z.string().superRefine(reports(pathPatternFault)))
      .min(1)
      .max(1000)
      .optional()
      .describe(
        'Paths that are allowed, decoded: `/v1/items`, `/v1/*` (one segment), `/img/*.png`, `/public/**` (and all ' +
          'below). Default: every path.',
      ),
    maxLength: z
      .number()
      .int()
      .min(8)
      .max(65_536)
      .prefault(2048)
      .describe(
        'Characters. Default 2048, because longer ones are refused by many servers and proxies anyway.',
      ),
  })
  .superRefine(({ hosts, addresses, resolve }, context) => {
    const report = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (addresses === 'listed' && hosts === undefined) report('addresses', '`listed` needs `hosts`');
    if (addresses === 'any' && resolve) report('resolve', 'nothing to check where `addresses` is `any`');
    if (addresses !== 'public') return;
    for (const text of hosts ?? []) {
      if (!isPublicEntry(text)) {
        report(
          'hosts',
          `${text} is not public: with \`addresses: public\` it can never match; \`listed\` allows it`,
        );
      }
    }
  });

function isPublicEntry(text: string): boolean {
  const host = exactHost(text);
  // A pattern is judged by a name that it matches; an entry that cannot be read is reported for that.
  if (typeof host === 'string') return true;
  if (host === undefined) return internalNameFault(text.replace(/^\*+/, 'a').toLowerCase()) === undefined;
  return host.kind === 'name'
    ? internalNameFault(host.name) === undefined
    : classifyBlock(host.block).kind === 'public';
}

function reports(faultOf: (text: string) => string | undefined) {
  return (text: string, context: z.RefinementCtx) => {
    const message = faultOf(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  };
}
