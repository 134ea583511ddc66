import type { Subject, SubjectCredential } from './access-request.ts';
import type { CredentialDocument, PolicyDocument } from './document.ts';
import { imagineClaims, isPlainTest } from './imagine-claims.ts';
import { fillerFor, instancesOf } from './imagine-targets.ts';

/** One caller that policies could tell from others, and how people know it. */
export interface ImaginedCaller {
  readonly name: string;
  readonly subject: Subject;
}

/**
 * Every caller that the bindings of these policies can tell apart: one for each alternative of each binding, each of its
 * patterns and each value of a claim, with the scopes that it asks for, with all scopes and with each that implies
 * others; one for each role that an API key may carry, the anonymous one, and one whom nothing names.
 */
export function imagineCallers(documents: readonly PolicyDocument[]): readonly ImaginedCaller[] {
  const filler = fillerFor(documents);
  const callers = new Map<string, ImaginedCaller>();
  const add = (credential: SubjectCredential): void => {
    const name = nameOf(credential);
    const key = JSON.stringify(credential);
    if (!callers.has(key)) callers.set(key, { name, subject: { id: name, credentials: [credential] } });
  };
  const scopes = [
    ...new Set(documents.flatMap((document) => document.scopes.flatMap((entry) => entry.scopes))),
  ];
  const implying = new Set(documents.flatMap(({ implies }) => Object.keys(implies)));
  for (const { bindings, roles } of documents) {
    for (const { to } of bindings) {
      for (const one of to.flatMap((matcher) => imagine(matcher, filler))) {
        add(one);
        if (one.kind !== 'token') continue;
        // Whoever lacks no scope is held by nothing but its roles.
        if (scopes.length > 0) add({ ...one, scopes: [...new Set([...one.scopes, ...scopes])] });
        for (const scope of implying) add({ ...one, scopes: [scope] });
      }
    }
    for (const role of Object.keys(roles)) {
      add({ kind: 'apiKey', name: `a-key-with-the-role-${role}`, roles: [role] });
    }
  }
  add({ kind: 'anonymous' });
  add({ ...certificate, uris: [`spiffe://${filler}/nobody-else`] });
  return [...callers.values()];
}

/**
 * The bindings with tests of claims that no imagined caller can put to the proof, such as a regular expression, as they
 * are written: two policies that differ in one of them may differ for callers who were not asked about.
 */
export function bindingsBeyondImagining(documents: readonly PolicyDocument[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { to, roles } of documents.flatMap(({ bindings }) => bindings)) {
    for (const matcher of to) {
      if (!('token' in matcher)) continue;
      const claims = Object.entries(matcher.token.claims ?? {});
      if (claims.every(([name, test]) => isPlainTest(name, test))) continue;
      for (const role of roles) found.add(JSON.stringify({ role, ...matcher }));
    }
  }
  return found;
}

const certificate = {
  kind: 'certificate' as const,
  fingerprint256: '',
  commonName: undefined,
  uris: [],
  dns: [],
};

function imagine(matcher: CredentialDocument, filler: string): readonly SubjectCredential[] {
  const several = (texts: readonly string[], separator?: '/' | '.'): readonly string[] =>
    texts.flatMap((text) => instancesOf(text, separator, filler));
  if ('any' in matcher || 'anonymous' in matcher) return [{ kind: 'anonymous' }];
  if ('apiKey' in matcher) return several(matcher.apiKey).map((name) => ({ kind: 'apiKey', name }));
  if ('certificate' in matcher) {
    const { uri, dns, cn, fingerprint } = matcher.certificate;
    const [uris, hosts, names] = [uri && several(uri, '/'), dns && several(dns, '.'), cn && several(cn)];
    return (uris ?? [undefined]).flatMap((one) =>
      (hosts ?? [undefined]).flatMap((other) =>
        (names ?? [undefined]).flatMap((commonName) =>
          (fingerprint ?? ['']).map((print) => ({
            kind: 'certificate' as const,
            fingerprint256: print.replaceAll(':', '').toLowerCase(),
            commonName,
            uris: one === undefined ? [] : [one],
            dns: other === undefined ? [] : [other],
          })),
        ),
      ),
    );
  }
  const { issuer, subject, claims, scopes, client, bound } = matcher.token;
  return several(subject ?? ['somebody']).flatMap((sub) =>
    imagineClaims(claims ?? {}, filler).flatMap((given) =>
      (client === undefined ? [undefined] : several(client)).flatMap((clientId) =>
        (bound ?? [undefined]).map((proof) => ({
          kind: 'token' as const,
          issuer,
          subject: sub,
          scopes: scopes ?? [],
          claims: { iss: issuer, sub, ...given },
          ...(clientId === undefined ? {} : { clientId }),
          ...(proof === undefined ? {} : { bound: proof }),
        })),
      ),
    ),
  );
}

function nameOf(credential: SubjectCredential): string {
  switch (credential.kind) {
    case 'certificate': {
      const names = [...credential.uris, ...credential.dns.map((name) => `dns:${name}`)];
      if (credential.commonName !== undefined) names.push(`cn:${credential.commonName}`);
      if (credential.fingerprint256 !== '')
        names.push(`fingerprint:${credential.fingerprint256.slice(0, 16)}`);
      return names.join(' ');
    }
    case 'token': {
      const { iss: _iss, sub: _sub, ...claims } = credential.claims as Record<string, unknown>;
      const words = [`token:${credential.issuer}#${credential.subject}`];
      if (Object.keys(claims).length > 0) words.push(`claims ${JSON.stringify(claims)}`);
      if (credential.scopes.length > 0) words.push(`scopes ${credential.scopes.join(' ')}`);
      if (credential.clientId !== undefined) words.push(`client ${credential.clientId}`);
      if (credential.bound !== undefined) words.push(`bound by ${credential.bound}`);
      return words.join(', ');
    }
    case 'apiKey':
      return `api-key:${credential.name}`;
    case 'anonymous':
      return 'anonymous';
  }
}
