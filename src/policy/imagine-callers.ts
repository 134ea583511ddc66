import type { Subject, SubjectCredential } from './access-request.ts';
import type { CredentialDocument, PolicyDocument } from './document.ts';
import { filler, instance } from './imagine-targets.ts';

/** One caller that policies could tell from others, and how people know it. */
export interface ImaginedCaller {
  readonly name: string;
  readonly subject: Subject;
}

/**
 * Every caller that the bindings of these policies can tell apart: one for each alternative of each binding and each
 * of its patterns, one for each role that an API key may carry, the anonymous one, and one whom nothing names. Claims
 * are filled in where a binding asks for values; where it asks in another way, the caller lacks them.
 */
export function imagineCallers(documents: readonly PolicyDocument[]): readonly ImaginedCaller[] {
  const callers = new Map<string, ImaginedCaller>();
  const add = (credential: SubjectCredential): void => {
    const name = nameOf(credential);
    if (!callers.has(name)) callers.set(name, { name, subject: { id: name, credentials: [credential] } });
  };
  const scopes = [
    ...new Set(documents.flatMap((document) => document.scopes.flatMap((entry) => entry.scopes))),
  ];
  for (const { bindings, roles } of documents) {
    for (const { to } of bindings) {
      for (const one of to.flatMap(imagine)) {
        add(one);
        // Whoever lacks no scope is held by nothing but its roles.
        if (one.kind === 'token' && scopes.length > 0) {
          add({ ...one, scopes: [...new Set([...one.scopes, ...scopes])] });
        }
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

const certificate = {
  kind: 'certificate' as const,
  fingerprint256: '',
  commonName: undefined,
  uris: [],
  dns: [],
};

function imagine(matcher: CredentialDocument): readonly SubjectCredential[] {
  if ('any' in matcher || 'anonymous' in matcher) return [{ kind: 'anonymous' }];
  if ('apiKey' in matcher) return matcher.apiKey.map((text) => ({ kind: 'apiKey', name: instance(text) }));
  if ('certificate' in matcher) {
    const { uri, dns, cn, fingerprint } = matcher.certificate;
    return (uri ?? [undefined]).flatMap((one) =>
      (dns ?? [undefined]).flatMap((other) =>
        (cn ?? [undefined]).flatMap((third) =>
          (fingerprint ?? ['']).map((print) => ({
            kind: 'certificate' as const,
            fingerprint256: print.replaceAll(':', '').toLowerCase(),
            commonName: third === undefined ? undefined : instance(third),
            uris: one === undefined ? [] : [instance(one)],
            dns: other === undefined ? [] : [instance(other)],
          })),
        ),
      ),
    );
  }
  const { issuer, subject, claims, scopes, ...others } = matcher.token;
  const bound = 'bound' in others ? [others['bound']].flat()[0] : undefined;
  const client = 'client' in others ? [others['client']].flat()[0] : undefined;
  return (subject ?? ['somebody']).map((text) => ({
    kind: 'token' as const,
    issuer,
    subject: instance(text),
    scopes: scopes ?? [],
    claims: { iss: issuer, sub: instance(text), ...claimsOf(claims ?? {}) },
    ...(typeof client === 'string' ? { clientId: instance(client) } : {}),
    ...(bound === 'certificate' || bound === 'dpop' ? { bound } : {}),
  }));
}

/** Values that satisfy plain tests: a value, a list of values, `equals`, `oneOf`. */
function claimsOf(tests: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  for (const [path, test] of Object.entries(tests)) {
    const wanted = wantedValue(test);
    if (wanted === undefined) continue;
    const steps = /^https?:\/\//.test(path) ? [path] : path.replace(/^\$\./, '').split('.');
    let at = claims;
    for (const step of steps.slice(0, -1)) {
      const next = Object.hasOwn(at, step) ? at[step] : undefined;
      at[step] = typeof next === 'object' && next !== null ? next : {};
      at = at[step] as Record<string, unknown>;
    }
    at[steps.at(-1)!] = wanted;
  }
  return claims;
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

function wantedValue(test: unknown): unknown {
  if (Array.isArray(test)) return test[0];
  if (typeof test !== 'object' || test === null) return test;
  const { equals, oneOf } = test as { readonly equals?: unknown; readonly oneOf?: readonly unknown[] };
  return equals ?? oneOf?.[0];
}
