import { readJsonObject } from './json-object.ts';

/** The parts of a compact JWS that are looked at before its signature is checked. Nothing in them can be believed. */
export interface UnverifiedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An access token as it was presented. */
export interface PresentedToken {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly token: string;
}

/**
 * Takes the credentials of the schemes `Bearer` (RFC 6750, section 2.1) and `DPoP` (RFC 9449, section 7.1) from an
 * Authorization value (RFC 9110, section 11.4). The scheme has no case; exactly one space follows; the rest is one
 * token68.
 *
 * @returns undefined for another scheme, `malformed` for these with anything but one token: two tokens joined by
 *   a comma, quotes, tabs
 */
export function readAccessToken(authorization: string): PresentedToken | 'malformed' | undefined {
  const scheme = /^(?:bearer|dpop)(?![!#$%&'*+.^_`|~0-9a-z-])/i.exec(authorization)?.[0];
  if (scheme === undefined) return undefined;
  const token = /^ ([A-Za-z0-9._~+/-]+=*)$/.exec(authorization.slice(scheme.length))?.[1];
  if (token === undefined) return 'malformed';
  return { scheme: scheme.length === 4 ? 'DPoP' : 'Bearer', token };
}

const compact = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/**
 * Reads header and payload of a signed compact JWS. An unsigned token (empty signature) and an encrypted one (five
 * parts) are not of this form, nor is one whose base64url could be written in another way: a token has one spelling.
 *
 * @returns undefined where the text is anything else
 */
export function readUnverified(token: string): UnverifiedToken | undefined {
  const match = compact.exec(token);
  if (match === null) return undefined;
  const header = decodeCanonical(match[1]!);
  const payload = decodeCanonical(match[2]!);
  if (header === undefined || payload === undefined || decodeCanonical(match[3]!) === undefined) {
    return undefined;
  }
  const [readHeader, readPayload] = [readJsonObject(header), readJsonObject(payload)];
  if (readHeader === undefined || readPayload === undefined) return undefined;
  return { header: readHeader, payload: readPayload };
}

/** Bits that are left over at the end must be zero (RFC 4648, section 3.5). */
function decodeCanonical(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/**
 * Whether a token is of the JOSE family: its first part, up to a dot, is a JSON object. One that is and yet is no good
 * compact JWS is broken, and not an opaque token that the issuer could be asked about.
 */
export function looksLikeJose(token: string): boolean {
  const dot = token.indexOf('.');
  return dot > 0 && readJsonObject(Buffer.from(token.slice(0, dot), 'base64url')) !== undefined;
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
  // Says that the payload is another token (RFC 7519, section 5.2): its claims would be nobody's.
  if (Object.hasOwn(header, 'cty')) return 'token-type';
  if (typ === undefined) return rules.typeRequired ? 'token-type' : undefined;
  return typeof typ === 'string' && rules.types.has(normaliseType(typ)) ? undefined : 'token-type';
}

/** Media types have no case, and `application/` may be left out (RFC 7515, section 4.1.9). */
export function normaliseType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}
