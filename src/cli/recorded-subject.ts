import { unescapeIdPart } from '../identity/principal-id.ts';
import type { Subject, SubjectCredential } from '../policy/access-request.ts';

/**
 * The caller of a record, made of its principal id again: the inverse of `identity/principal-id.ts`. A record names
 * the caller, but has neither its claims nor its other names.
 *
 * @returns undefined for an id that the gateway does not write, such as one that was cut
 */
export function recordedSubject(id: string): Subject | undefined {
  const credentials = id.split(' + ').map(credentialOf);
  return credentials.includes(undefined)
    ? undefined
    : { id, credentials: credentials as SubjectCredential[] };
}

const certificate = {
  kind: 'certificate' as const,
  fingerprint256: '',
  commonName: undefined,
  uris: [],
  dns: [],
};

function credentialOf(id: string): SubjectCredential | undefined {
  if (id === 'anonymous' || id.startsWith('anonymous:')) return { kind: 'anonymous' };
  if (id.startsWith('spiffe://')) return { ...certificate, uris: [id] };
  const colon = id.indexOf(':');
  const rest = id.slice(colon + 1);
  switch (id.slice(0, colon)) {
    case 'uri':
      return { ...certificate, uris: [unescapeIdPart(rest)] };
    case 'dns':
      return { ...certificate, dns: [unescapeIdPart(rest)] };
    case 'cn':
      return { ...certificate, commonName: unescapeIdPart(rest) };
    case 'apikey':
      return { kind: 'apiKey', name: unescapeIdPart(rest) };
    case 'token': {
      const hash = rest.indexOf('#');
      if (hash < 1) return undefined;
      const issuer = unescapeIdPart(rest.slice(0, hash));
      const subject = unescapeIdPart(rest.slice(hash + 1));
      return { kind: 'token', issuer, subject, scopes: [], claims: { iss: issuer, sub: subject } };
    }
    default:
      return undefined;
  }
}
