/** The parts of a compact JWT that are looked at before its signature is checked. Nothing in them can be believed. */
export interface UnverifiedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly issuer: unknown;
}

/**
 * Takes the credentials of the scheme `Bearer` from an Authorization value (RFC 9110, section 11.4; RFC 6750,
 * section 2.1). The scheme has no case; exactly one space follows; the rest is one token68.
 *
 * @returns undefined for another scheme, `malformed` for this one with anything but one token: two tokens joined by
 *   a comma, quotes, tabs
 */
export function readBearer(authorization: string): { readonly token: string } | 'malformed' | undefined {
  if (!/^bearer(?![!#$%&'*+.^_`|~0-9a-z-])/i.test(authorization)) return undefined;
  const match = /^bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization);
  return match === null ? 'malformed' : { token: match[1]! };
}

const compact = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;

/**
 * Reads header and issuer of a signed compact JWT. An unsigned token (empty signature) and an encrypted one (five
 * parts) are not of this form.
 *
 * @returns undefined where the text is anything else
 */
export function readUnverified(token: string): UnverifiedToken | undefined {
  const match = compact.exec(token);
  if (match === null) return undefined;
  const header = readObject(match[1]!);
  const payload = readObject(match[2]!);
  return header === undefined || payload === undefined ? undefined : { header, issuer: payload['iss'] };
}

function readObject(encoded: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as Readonly<Record<string, unknown>>;
}

/** Header members by which a token brings or names its own key. Believing one is believing anybody. */
const ownKeyMembers = ['jku', 'jwk', 'x5u', 'x5c'];

/**
 * Judges a header before any key is looked for.
 *
 * @returns the reason why such a token is never accepted, or undefined
 */
export function refuseHeader(
  header: Readonly<Record<string, unknown>>,
  rules: {
    readonly algorithms: ReadonlySet<string>;
    readonly types: ReadonlySet<string>;
    readonly typeRequired: boolean;
  },
): string | undefined {
  const { alg, typ, kid } = header;
  if (typeof alg !== 'string' || !rules.algorithms.has(alg)) return 'token-algorithm';
  if (ownKeyMembers.some((member) => Object.hasOwn(header, member))) return 'token-brings-key';
  // No extension is known here, so none can be understood (RFC 7515, section 4.1.11).
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return 'token-critical-header';
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > 256)) return 'token-key-id';
  if (typ === undefined) return rules.typeRequired ? 'token-type' : undefined;
  return typeof typ === 'string' && rules.types.has(normaliseType(typ)) ? undefined : 'token-type';
}

/** Media types have no case, and `application/` may be left out (RFC 7515, section 4.1.9). */
export function normaliseType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}
