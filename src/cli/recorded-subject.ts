import {
  anonymousId,
  apiKeyId,
  certificateId,
  joinIds,
  spiffeId,
  tokenId,
  unescapeIdPart,
} from '../identity/principal-id.ts';
import { parseSpiffeId } from '../identity/spiffe.ts';
import type { Subject, SubjectCredential } from '../policy/access-request.ts';

/**
 * The caller of a record, made of its principal id again: the inverse of `identity/principal-id.ts`. A record names
 * the caller, but has neither its claims nor its other names.
 *
 * @returns undefined for an id that the gateway does not write: one that was cut, or that would be spelt in another way
 */
export function recordedSubject(id: string): Subject | undefined {
  if (isCut(id)) return undefined;
  const found = id.split(' + ').map(readId);
  const credentials = found.flatMap((one) => (one === undefined ? [] : [one.credential]));
  if (credentials.length < found.length) return undefined;
  // Another spelling is nobody's id, and what it is read as may be somebody's.
  const again = joinIds(found.map((one) => one!.id));
  return again === id ? { id, credentials } : undefined;
}

/** Whether something of a name or an id was left out of the record: what is left may be the name of another. */
export function isCut(text: string): boolean {
  return /\[(?:redacted|truncated)\]/.test(text);
}

const certificate = {
  kind: 'certificate' as const,
  fingerprint256: '',
  commonName: undefined,
  uris: [],
  dns: [],
};

/** One part of an id, and how the gateway would have spelt it. */
interface ReadId {
  readonly id: string;
  readonly credential: SubjectCredential;
}

function readId(id: string): ReadId | undefined {
  if (id === 'anonymous') return { id, credential: { kind: 'anonymous' } };
  if (parseSpiffeId(id) !== undefined)
    return { id: spiffeId(id), credential: { ...certificate, uris: [id] } };
  const colon = id.indexOf(':');
  const rest = id.slice(colon + 1);
  const name = unescapeIdPart(rest);
  if (rest === '' || !name.isWellFormed()) return undefined;
  switch (id.slice(0, colon)) {
    case 'anonymous':
      return { id: anonymousId(name), credential: { kind: 'anonymous' } };
    case 'uri':
      return { id: certificateId('uri', name), credential: { ...certificate, uris: [name] } };
    case 'dns':
      return { id: certificateId('dns', name), credential: { ...certificate, dns: [name] } };
    case 'cn':
      return { id: certificateId('cn', name), credential: { ...certificate, commonName: name } };
    case 'apikey':
      return { id: apiKeyId(name), credential: { kind: 'apiKey', name } };
    case 'token': {
      const hash = rest.indexOf('#');
      if (hash < 1 || hash === rest.length - 1) return undefined;
      const [issuer, subject] = [unescapeIdPart(rest.slice(0, hash)), unescapeIdPart(rest.slice(hash + 1))];
      if (!issuer.isWellFormed() || !subject.isWellFormed()) return undefined;
      const claims = { iss: issuer, sub: subject };
      return {
        id: tokenId(issuer, subject),
        credential: { kind: 'token', issuer, subject, scopes: [], claims },
      };
    }
    default:
      return undefined;
  }
}
