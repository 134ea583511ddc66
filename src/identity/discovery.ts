import type { Dial } from '../dialer/contract.ts';
import { DialError } from '../dialer/dial-error.ts';
import { isEndpointOf } from './issuer-url.ts';
import { readJsonObject } from './json-object.ts';
import { type Remembered, type RememberOptions, remember } from './remembered.ts';

/** What is used of an issuer's metadata (RFC 8414, section 2; OpenID Connect Discovery 1.0, section 3). */
export interface IssuerMetadata {
  /** The configured issuer, character by character. */
  readonly issuer: string;
  readonly jwksUri: string | undefined;
  readonly introspectionEndpoint: string | undefined;
}

/** An issuer's metadata as it was last seen. */
export type Discovery = Remembered<IssuerMetadata>;

export interface DiscoveryOptions extends RememberOptions {
  readonly issuer: string;
}

/**
 * Finds out where an issuer publishes its keys and answers questions. Nothing is fetched before somebody asks; where the
 * issuer is down, what was last seen serves until `maxStale`, and then nothing of it is believed.
 */
export function createDiscovery(options: DiscoveryOptions, dial: Dial): Discovery {
  return remember(options, ({ signal }) => discover(options.issuer, dial, signal));
}

/**
 * Where an issuer's metadata may be, in the order of MCP 2025-11-25 (basic/authorization, "Authorization Server Metadata
 * Discovery"): RFC 8414 with the path inserted, OpenID with the path inserted, OpenID with the path before.
 */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  // A terminating slash goes before anything is inserted (RFC 8414, section 3.1; OpenID Discovery, section 4).
  const path = pathname.replace(/\/$/, '');
  return [
    ...new Set([
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`,
      `${origin}${path}/.well-known/openid-configuration`,
    ]),
  ];
}

/** After these the next place is asked; whatever else stops one dial stops them all, since they share a host. */
const goesOn: ReadonlySet<string> = new Set([
  'dial-redirect',
  'dial-encoding',
  'dial-too-large',
  'dial-answer',
]);

/**
 * Fetches an issuer's metadata. A document that names another issuer is as good as none: it would let one tenant of a
 * host speak for another (RFC 8414, section 3.3).
 *
 * @throws Error where no place has a good one; the message is for operators
 */
export async function discover(issuer: string, dial: Dial, signal: AbortSignal): Promise<IssuerMetadata> {
  const failures: string[] = [];
  for (const url of metadataUrls(issuer)) {
    try {
      return await fetchMetadata(issuer, url, dial, signal);
    } catch (error) {
      failures.push((error as Error).message);
      if (error instanceof DialError && !goesOn.has(error.code)) break;
    }
  }
  throw new Error(`no metadata of ${issuer}: ${failures.join('; ')}`);
}

async function fetchMetadata(
  issuer: string,
  url: string,
  dial: Dial,
  signal: AbortSignal,
): Promise<IssuerMetadata> {
  const response = await dial(url, {
    signal,
    headers: { accept: 'application/json' },
    purpose: 'discovery',
    answers: async (answer) => (await readMetadata(issuer, url, answer)) !== undefined,
  });
  return readMetadata(issuer, url, response);
}

async function readMetadata(issuer: string, url: string, response: Response): Promise<IssuerMetadata> {
  if (response.status !== 200) throw new Error(`${url}: status ${response.status}`);
  const document = readJsonObject(Buffer.from(await response.arrayBuffer()));
  if (document === undefined) throw new Error(`${url}: not a JSON object`);
  if (document['issuer'] !== issuer) throw new Error(`${url}: names another issuer`);
  const endpoint = (name: string): string | undefined => {
    const value = document[name];
    if (value === undefined) return undefined;
    if (typeof value === 'string' && isEndpointOf(issuer, value)) return value;
    throw new Error(`${url}: ${name} is not an https URL`);
  };
  return {
    issuer,
    jwksUri: endpoint('jwks_uri'),
    introspectionEndpoint: endpoint('introspection_endpoint'),
  };
}
