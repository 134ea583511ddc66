import { z } from 'zod';

/** RFC 6749, appendix A.4: no space, no quote, no backslash. So a scope can stand in a challenge as it is. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;

/** Whether this is one scope as OAuth writes it (RFC 6749, section 3.3). */
export function isScope(text: string): boolean {
  return scopeToken.test(text);
}

/**
 * Whether this is a URL that clients may be sent to: https, or http on a loopback host; without user info, query and
 * fragment; and written as a URL parser writes it, because it is compared character by character.
 */
export function isPublicUrl(text: string): boolean {
  if (text.length > 2048 || !URL.canParse(text)) return false;
  const url = new URL(text);
  // A bare origin is written without the slash that a parser adds.
  if (url.href !== text && url.href !== `${text}/`) return false;
  return hasPublicForm(url) && !text.includes('?');
}

function hasPublicForm(url: URL): boolean {
  if (url.username !== '' || url.password !== '' || url.href.includes('#')) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function isDocumentUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'https:';
}

const distinct = (list: readonly string[]): boolean => new Set(list).size === list.length;

/** `upstreams[].authorization`: one route as an OAuth 2.1 resource server (RFC 9728). */
export const resourceOptions = z.strictObject({
  resource: z
    .string()
    .refine(
      isPublicUrl,
      'Must be an https URL (http on a loopback host only) in normal form, without query and fragment',
    )
    .describe(
      'Public URL of this route, as clients write it: with the name that they connect to, and with the path of the ' +
        'route. A token must be meant for it (`aud`). Challenges and metadata name it; no header of a request can ' +
        'change that.',
    ),
  audiences: z
    .array(z.string().min(1).max(2048))
    .max(64)
    .refine(distinct, 'Name each audience once')
    .prefault([])
    .describe(
      'What else a token may be meant for, beside `resource`: for issuers that cannot write a URL into `aud`. Default ' +
        'none. An audience that other services share opens this door to their tokens.',
    ),
  servers: z
    .array(z.string().min(1).max(2048))
    .min(1)
    .max(64)
    .refine(distinct, 'Name each issuer once')
    .optional()
    .describe(
      'Issuers whose tokens count here, each of a `token` entry in `identity`. Clients are sent to them. Default: every ' +
        'one.',
    ),
  scopes: z
    .array(z.string().refine(isScope, 'Not a scope: visible ASCII without space, quote and backslash'))
    .max(64)
    .refine(distinct, 'Name each scope once')
    .refine(
      (scopes) => !scopes.includes('offline_access'),
      'offline_access is between a client and its authorization server, and no scope of a resource',
    )
    .prefault([])
    .describe(
      'Scopes that a caller whom nobody knows yet is told to ask for, where policy does not say more exactly what its ' +
        'request needs. Keep it small: the rest is asked for when it is needed. Also `scopes_supported` in the metadata.',
    ),
  name: z.string().min(1).max(200).optional().describe('Name of the resource that a person may be shown.'),
  documentation: z
    .string()
    .max(2048)
    .refine(isDocumentUrl, 'Must be an https URL')
    .optional()
    .describe('https URL of a page for developers.'),
});

export type ResourceOptions = z.output<typeof resourceOptions>;
