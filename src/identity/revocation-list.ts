import { z } from 'zod';
import { type DocumentSource, type ParsedDocument, parseDocument } from '../document/parse-document.ts';
import { formatPath, type Problem } from '../document/problems.ts';
import { finish, type Steps } from '../values/steps.ts';
import { apiKeyName } from './api-key-format.ts';
import { normaliseFingerprint, normaliseSerial } from './certificate-forms.ts';
import type { Credential } from './principal.ts';

/**
 * 20 000, because that many take about a second of a core to read, before which the last revocation is not in force.
 * Certificates beyond it belong into a CRL, tokens under their subject.
 */
export const mostRevocations = 20_000;

export type RevocationKind = 'tokens' | 'subjects' | 'apiKeys' | 'certificates';

/** A client certificate as far as the list knows it. */
export interface NamedCertificate {
  readonly fingerprint256: string;
  readonly anchorFingerprint256: string;
  /** Asked only where the list holds serial numbers. Any spelling. */
  serial(): string;
}

/** A deny list, indexed. */
export interface RevocationList {
  readonly counts: Readonly<Record<RevocationKind, number>>;
  /** Which kind of entry revokes it; undefined where none does. */
  find(credential: Credential): RevocationKind | undefined;
  holdsCertificate(certificate: NamedCertificate): boolean;
  /** Entries whose `until` has passed. They count all the same, until somebody takes them out. */
  overdue(time: number): number;
}

export type ParsedRevocations =
  | { readonly ok: true; readonly list: RevocationList; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** YAML reads bare digits as a number, drops leading zeros and rounds: what was meant is lost by then. */
const quote = 'expected text: put it in quotes, since YAML reads bare digits as a number';

/** Text that is compared character by character. Space around it is a slip of the pen that would make it match nothing. */
const exact = (longest: number) =>
  z
    .string(quote)
    .min(1)
    .max(longest)
    .refine((text) => text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text), 'holds a control character')
    .refine((text) => !/^\p{White_Space}|\p{White_Space}$/u.test(text), 'begins or ends with a space');

const time = z.iso.datetime({ offset: true, error: 'expected a time such as 2026-01-31T12:00:00Z' });

const remarks = {
  reason: z.string().max(500).optional().describe('For people.'),
  until: time
    .optional()
    .describe(
      'When the credential has expired by itself and the entry may be taken out. It counts until then and after.',
    ),
  at: time.optional().describe('When it was revoked.'),
};

const tokenEntry = z.strictObject({
  issuer: exact(2048).describe('`iss`, character by character.'),
  id: exact(1024).describe('`jti`.'),
  ...remarks,
});

const subjectEntry = z.strictObject({
  issuer: exact(2048).describe('`iss`, character by character.'),
  subject: exact(512).describe('`sub`.'),
  issuedBefore: time
    .optional()
    .describe('Only tokens whose `iat` is earlier, or that have none. Absent: every token of the subject.'),
  ...remarks,
});

const apiKeyEntry = z
  .strictObject({
    name: z
      .string(quote)
      .regex(apiKeyName, 'not a name of an API key')
      .optional()
      .describe('Every key of this name.'),
    prefix: z
      .string(quote)
      .regex(/^(?:spk_)?[a-z0-9]{8}$/i, 'expected the eight characters after spk_, never the whole key')
      .transform((prefix) => prefix.toLowerCase().replace(/^spk_(?=.)/, ''))
      .optional()
      .describe('The eight characters after `spk_`. With a name: the key that has both.'),
    ...remarks,
  })
  .refine(({ name, prefix }) => name !== undefined || prefix !== undefined, 'give name, prefix or both');

const fingerprint = z.string(quote).transform((text, context) => {
  const found = normaliseFingerprint(text);
  if (found !== undefined) return found;
  context.addIssue({
    code: 'custom',
    message: 'expected a SHA-256 fingerprint: 64 hex digits, with or without colons',
  });
  return z.NEVER;
});

const serial = z.string(quote).transform((text, context) => {
  const found = normaliseSerial(text);
  if (found !== undefined) return found;
  context.addIssue({
    code: 'custom',
    message: 'expected a serial number: at most 40 hex digits, with or without colons',
  });
  return z.NEVER;
});

const certificateEntry = z
  .strictObject({
    fingerprint: fingerprint
      .optional()
      .describe('SHA-256 of a client certificate, or of the root: then of all that it vouches for.'),
    serial: serial.optional().describe('Serial number in hex, as `openssl x509 -serial` prints it.'),
    ca: fingerprint
      .optional()
      .describe('With `serial`: SHA-256 fingerprint of the root. Absent: under every root.'),
    ...remarks,
  })
  .refine(
    (entry) => (entry.fingerprint === undefined) !== (entry.serial === undefined),
    'give either fingerprint or serial',
  )
  .refine((entry) => entry.ca === undefined || entry.serial !== undefined, 'ca goes with serial');

/** The deny list as it is written. */
export const revocationFile = z
  .strictObject({
    version: z.literal(1).optional(),
    tokens: z.array(tokenEntry).max(mostRevocations).prefault([]).describe('Single tokens.'),
    subjects: z.array(subjectEntry).max(mostRevocations).prefault([]).describe('All tokens of somebody.'),
    apiKeys: z.array(apiKeyEntry).max(mostRevocations).prefault([]),
    certificates: z
      .array(certificateEntry)
      .max(mostRevocations)
      .prefault([])
      .describe('Client certificates.'),
  })
  .refine(
    (file) =>
      file.tokens.length + file.subjects.length + file.apiKeys.length + file.certificates.length <=
      mostRevocations,
    `more than ${mostRevocations} entries`,
  );

export type RevocationFile = z.output<typeof revocationFile>;

/**
 * Reads a deny list, or says all that is wrong with it.
 *
 * @param issuers that are configured, as they spell themselves: an entry for another one can match nothing, and is
 *   warned of
 */
export function parseRevocations(source: DocumentSource, issuers: readonly string[]): ParsedRevocations {
  return finish(readRevocations(parseDocument(source, revocationFile), issuers));
}

/** As `parseRevocations`, of a list that was parsed already. With places to stop. */
export function* readRevocations(
  parsed: ParsedDocument<RevocationFile>,
  issuers: readonly string[],
): Steps<ParsedRevocations> {
  if (!parsed.ok) return parsed;
  const warnings: Problem[] = [];
  for (const kind of ['tokens', 'subjects'] as const) {
    for (const [index, { issuer }] of parsed.value[kind].entries()) {
      if (index % entriesPerStep === 0) yield;
      if (issuers.includes(issuer)) continue;
      const path = [kind, index, 'issuer'];
      warnings.push({
        ...parsed.locate(path),
        path: formatPath(path),
        message: 'no token entry of identity has this issuer: this revokes nothing',
      });
    }
  }
  return { ok: true, list: yield* indexRevocations(parsed.value), warnings };
}

/** Entries between two places to stop: a millisecond. */
const entriesPerStep = 512;

export const noRevocations: RevocationList = finish(
  indexRevocations({ tokens: [], subjects: [], apiKeys: [], certificates: [] }),
);

function* indexRevocations(file: RevocationFile): Steps<RevocationList> {
  const ends: number[] = [];
  let count = 0;
  for (const entries of [file.tokens, file.subjects, file.apiKeys, file.certificates]) {
    for (const { until } of entries) {
      if (until !== undefined) ends.push(Date.parse(until));
      count += 1;
      if (count % entriesPerStep === 0) yield;
    }
  }

  const tokens = new Map<string, Set<string>>();
  for (const [index, { issuer, id }] of file.tokens.entries()) {
    inMap(tokens, issuer, newSet).add(id);
    if (index % entriesPerStep === 0) yield;
  }

  /** Issuer -> subject -> time before which its tokens were issued that are revoked; infinite for all. */
  const subjects = new Map<string, Map<string, number>>();
  for (const [index, { issuer, subject, issuedBefore }] of file.subjects.entries()) {
    if (index % entriesPerStep === 0) yield;
    const before = issuedBefore === undefined ? Number.POSITIVE_INFINITY : Date.parse(issuedBefore);
    const known = inMap(subjects, issuer, () => new Map<string, number>());
    known.set(subject, Math.max(known.get(subject) ?? Number.NEGATIVE_INFINITY, before));
  }

  const names = new Set<string>();
  const prefixes = new Set<string>();
  const namedPrefixes = new Set<string>();
  for (const { name, prefix } of file.apiKeys) {
    if (prefix === undefined) names.add(name!);
    else if (name === undefined) prefixes.add(prefix);
    else namedPrefixes.add(`${prefix} ${name}`);
  }

  const fingerprints = new Set<string>();
  const serials = new Map<string, Set<string>>();
  for (const [index, { fingerprint, serial, ca }] of file.certificates.entries()) {
    if (index % entriesPerStep === 0) yield;
    if (fingerprint !== undefined) fingerprints.add(fingerprint);
    if (serial !== undefined) inMap(serials, serial, newSet).add(ca ?? everyCa);
  }

  function holdsCertificate(certificate: NamedCertificate): boolean {
    const { fingerprint256, anchorFingerprint256 } = certificate;
    if (
      fingerprints.size > 0 &&
      (fingerprints.has(fingerprint256) || fingerprints.has(anchorFingerprint256))
    ) {
      return true;
    }
    if (serials.size === 0) return false;
    const written = certificate.serial();
    // A number that is too long for this list is compared as it is, and found in no entry.
    const cas = serials.get(normaliseSerial(written) ?? written);
    return cas !== undefined && (cas.has(everyCa) || cas.has(anchorFingerprint256));
  }

  function holdsToken(credential: Extract<Credential, { kind: 'token' }>): RevocationKind | undefined {
    const { issuer, subject, tokenId, claims } = credential;
    if (tokenId !== undefined && tokens.get(issuer)?.has(tokenId) === true) return 'tokens';
    const before = subjects.get(issuer)?.get(subject);
    if (before === undefined) return undefined;
    // A token that does not say when it was issued cannot show that it is a later one.
    const issuedAt = typeof claims['iat'] === 'number' ? claims['iat'] * 1000 : Number.NEGATIVE_INFINITY;
    return issuedAt < before ? 'subjects' : undefined;
  }

  return {
    counts: {
      tokens: file.tokens.length,
      subjects: file.subjects.length,
      apiKeys: file.apiKeys.length,
      certificates: file.certificates.length,
    },
    find(credential) {
      switch (credential.kind) {
        case 'certificate':
          return holdsCertificate({ ...credential, serial: () => credential.serial })
            ? 'certificates'
            : undefined;
        case 'token':
          return holdsToken(credential);
        case 'apiKey': {
          const { name, prefix } = credential;
          const held = names.has(name) || prefixes.has(prefix) || namedPrefixes.has(`${prefix} ${name}`);
          return held ? 'apiKeys' : undefined;
        }
        case 'anonymous':
          return undefined;
      }
    },
    holdsCertificate,
    overdue: (time) => ends.filter((end) => end <= time).length,
  };
}

/** Stands for the fingerprint of a CA, and can be none. */
const everyCa = '*';

const newSet = (): Set<string> => new Set();

function inMap<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}
