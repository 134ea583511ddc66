import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { GatewayError } from '../../errors.ts';
import type { Principal } from '../../identity/principal.ts';
import type { UpstreamCaller } from '../../pipeline/upstream-port.ts';
import type { AssertionKeys } from './assertion-keys.ts';
import type { AssertionOptions } from './options.ts';

/** A type of its own, so that no other JWT of anybody is taken for one of these (RFC 8725 3.11). */
const assertionType = 'sallyport-identity+jwt';

/** 60s: long enough for clocks that differ a little, too short to be of use to whoever finds one. */
const lifetimeSeconds = 60;

/** 8KiB: Node servers take 16KiB of headers. What is longer is refused: a part of an identity is another identity. */
const longestAssertion = 8192;

/** What an assertion is about where the gateway asks for itself. No principal has this id. */
export const gatewaySubject = 'gateway';

/**
 * Makes the assertions for one upstream: who calls, for what, signed, for this upstream alone. Each call has one of its
 * own.
 *
 * @param now milliseconds since the epoch
 */
export function createAssertions(
  upstream: string,
  options: AssertionOptions,
  keys: AssertionKeys,
  now: () => number,
): (caller: UpstreamCaller | undefined) => Promise<string> {
  return async (caller) => {
    const { key, algorithm, id } = keys.signing();
    const issuedAt = Math.floor(now() / 1000);
    const assertion = await new SignJWT({ ...about(caller, options.claims), upstream })
      .setProtectedHeader({ alg: algorithm, typ: assertionType, kid: id })
      .setIssuer(keys.issuer)
      .setAudience(options.audience)
      .setSubject(caller?.principal.id ?? gatewaySubject)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .setJti(randomBytes(16).toString('base64url'))
      .sign(key);
    if (assertion.length > longestAssertion) {
      const cause = new Error(`the identity assertion is longer than ${longestAssertion} bytes`);
      throw new GatewayError('credential-unavailable', { cause });
    }
    return assertion;
  };
}

function about(caller: UpstreamCaller | undefined, names: readonly string[]): Record<string, unknown> {
  if (caller === undefined) return {};
  const { method, target, traceId, principal } = caller;
  const clientId = tokenOf(principal)?.clientId;
  const claims = claimsOf(principal, names);
  return {
    method,
    ...(target === undefined ? {} : { target }),
    ...(clientId === undefined ? {} : { client_id: clientId }),
    trace_id: traceId,
    ...(claims === undefined ? {} : { claims }),
  };
}

function tokenOf({ credentials }: Principal) {
  return credentials.find((credential) => credential.kind === 'token');
}

/** Under a member of their own: a claim of somebody else's token must not look like one of the gateway's. */
function claimsOf(
  principal: Principal,
  names: readonly string[],
): Readonly<Record<string, unknown>> | undefined {
  const token = tokenOf(principal);
  if (token === undefined) return undefined;
  const found = names.filter((name) => Object.hasOwn(token.claims, name));
  if (found.length === 0) return undefined;
  return Object.assign(Object.create(null), ...found.map((name) => ({ [name]: token.claims[name] })));
}
