import type { z } from 'zod';
import type { JsonValue } from '../../values/json.ts';
import type { Role, RoleKind } from '../role.ts';
import { emailOptions } from './email-options.ts';
import { toFaults } from './faults.ts';
import { readHost } from './url-host.ts';
import { compileHosts, type HostList } from './url-host-pattern.ts';

type EmailOptions = z.output<typeof emailOptions>;

/** How each fault can be allowed. */
const allowances = {
  'not-text': 'no option allows it: send text',
  'too-long': 'raise `maxLength`',
  'control-character': 'no option allows it: send one address without line breaks',
  'display-name': 'set `displayName: allow`, or send the address alone',
  'not-an-address': 'no option allows it: send one address, without comments, quotes or white space',
  'other-than-ascii': 'set `unicode: allow`',
  domain: 'no option allows it: send a host name with a dot, not an address',
  'domain-not-listed': 'name the domain in `domains`',
} as const;

type EmailFault = keyof typeof allowances;

const faults = toFaults(allowances);

/**
 * `email`: one mail address. Narrower than RFC 5322, which allows comments, quoted strings and folding: there, two
 * readers find two recipients.
 */
export const emailRole = {
  name: 'email',
  options: emailOptions,
  compile(options): Role {
    const domains = options.domains === undefined ? undefined : compileHosts(options.domains);
    return {
      name: 'email',
      secret: false,
      judge(value) {
        const fault = faultOf(value, options, domains);
        return fault === undefined ? undefined : faults[fault];
      },
    };
  },
} satisfies RoleKind<typeof emailOptions>;

function faultOf(
  value: JsonValue,
  options: EmailOptions,
  domains: HostList | undefined,
): EmailFault | undefined {
  if (typeof value !== 'string') return 'not-text';
  if (value.length > options.maxLength) return 'too-long';
  // A line break ends a header: what follows would be another recipient, or the whole of another message.
  if (/[\p{Cc}\u2028\u2029]/u.test(value)) return 'control-character';
  const named = /^([^<>]*)<([^<>]*)>$/.exec(value);
  if (named !== null) {
    if (options.displayName === 'refuse') return 'display-name';
    if (!isDisplayName(named[1]!, options)) return 'not-an-address';
  }
  return addressFault(named === null ? value : named[2]!, options, domains);
}

/** Words as they stand in a header without quotes; a comma would begin another address. */
function isDisplayName(text: string, { unicode }: EmailOptions): boolean {
  const words = unicode === 'allow' ? /^[\p{L}\p{M}\p{N} .'_-]{0,128}$/u : /^[A-Za-z0-9 .'_-]{0,128}$/;
  return words.test(text);
}

function addressFault(
  address: string,
  { unicode }: EmailOptions,
  domains: HostList | undefined,
): EmailFault | undefined {
  const at = address.indexOf('@');
  if (at < 0 || at !== address.lastIndexOf('@')) return 'not-an-address';
  if (unicode === 'refuse' && !/^[\0-\x7f]*$/.test(address)) return 'other-than-ascii';
  if (!isLocalPart(address.slice(0, at))) return 'not-an-address';
  const host = readHost(address.slice(at + 1));
  if (typeof host !== 'object' || host.kind !== 'name') return 'domain';
  // Underscores name services, never mail domains.
  if (!/^(?:[a-z0-9-]+\.)+(?:[a-z]{2,}|xn--[a-z0-9-]+)$/.test(host.name)) return 'domain';
  return domains === undefined || domains.has(host.name) ? undefined : 'domain-not-listed';
}

/**
 * A dot-atom of RFC 5322 less what routes or runs: `%` and `!` send the mail on through another host, a leading hyphen
 * is an option to a command, `|`, `$` and backticks reach a shell in old delivery agents.
 */
function isLocalPart(text: string): boolean {
  return (
    text.length <= 64 &&
    text === text.normalize('NFKC') &&
    /^(?!-)[\p{L}\p{M}\p{N}_+'=&#~^*/?{}-]+(?:\.[\p{L}\p{M}\p{N}_+'=&#~^*/?{}-]+)*$/u.test(text)
  );
}
