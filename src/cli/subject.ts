import { apiKeyId, certificateId, spiffeId, tokenId } from '../identity/principal-id.ts';
import type { Subject } from '../policy/access-request.ts';

/**
 * Reads who is asking from a command line. The id is spelt as the gateway spells it, because relations may read it.
 *
 * @param as `spiffe://…` or another URI of a client certificate, `dns:NAME`, `cn:NAME`, `api-key:NAME`,
 *   `token:ISSUER#SUBJECT`, or `anonymous`
 * @param claims further claims of the token
 * @param rolesOfKey what the key file gives to the API key of a name
 * @throws TypeError with a sentence for the user
 */
export function readSubject(
  as: string,
  claims: Readonly<Record<string, unknown>> = {},
  rolesOfKey: (name: string) => readonly string[] = () => [],
): Subject {
  const certificate = {
    kind: 'certificate' as const,
    fingerprint256: '',
    commonName: undefined,
    uris: [],
    dns: [],
  };
  if (as === 'anonymous') return { id: as, credentials: [{ kind: 'anonymous' }] };
  const [scheme, rest] = cut(as, ':');
  if (rest === undefined || rest === '') throw new TypeError(`--as ${as}: say who, for example cn:alice`);
  switch (scheme) {
    case 'dns':
      return { id: certificateId('dns', rest), credentials: [{ ...certificate, dns: [rest] }] };
    case 'cn':
      return { id: certificateId('cn', rest), credentials: [{ ...certificate, commonName: rest }] };
    // The second as the audit spells it: who is copied from a record is meant.
    case 'api-key':
    case 'apikey': {
      const roles = rolesOfKey(rest);
      const credential = { kind: 'apiKey' as const, name: rest };
      return {
        id: apiKeyId(rest),
        credentials: [roles.length === 0 ? credential : { ...credential, roles }],
      };
    }
    case 'token': {
      const at = rest.lastIndexOf('#');
      if (at < 1) throw new TypeError(`--as ${as}: write token:ISSUER#SUBJECT`);
      const [issuer, subject] = [rest.slice(0, at), rest.slice(at + 1)];
      const scope = claims['scope'];
      const scopes = typeof scope === 'string' ? scope.split(' ').filter((word) => word !== '') : [];
      const all = { iss: issuer, sub: subject, ...claims };
      return {
        id: tokenId(issuer, subject),
        credentials: [{ kind: 'token', issuer, subject, scopes, claims: all }],
      };
    }
    default:
      if (!rest.startsWith('//')) {
        throw new TypeError(
          `--as ${as}: write a URI, dns:NAME, cn:NAME, api-key:NAME, token:ISSUER#SUBJECT or anonymous`,
        );
      }
      return {
        id: scheme === 'spiffe' ? spiffeId(as) : certificateId('uri', as),
        credentials: [{ ...certificate, uris: [as] }],
      };
  }
}

function cut(value: string, separator: string): readonly [string, string | undefined] {
  const at = value.indexOf(separator);
  return at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
}
