/**
 * The one place where principal ids are spelt. Limits, sessions and handles bind to these ids, so two callers must
 * never share one: parts that a stranger can choose are escaped until no separator is left in them, and the first
 * word tells the kinds apart.
 */

/**
 * Escapes everything but visible ASCII, and of that `%`, `#` and `+`, as `%XX` over UTF-8. What comes out holds no
 * space, no separator of an id and no look-alike letter, and can be undone: different texts stay different.
 *
 * @param text well-formed UTF-16; half a surrogate pair would come out as another text does
 */
export function escapeIdPart(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('A name holds half a surrogate pair');
  return text.replace(/[^!-~]|[%#+]/gu, (character) => {
    let escaped = '';
    for (const byte of Buffer.from(character, 'utf8')) {
      escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }
    return escaped;
  });
}

/** What {@link escapeIdPart} was given. */
export function unescapeIdPart(escaped: string): string {
  return escaped.replace(/(?:%[0-9A-F]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

/** A SPIFFE ID stands for itself: its own syntax leaves no room for a separator. */
export function spiffeId(id: string): string {
  return id;
}

/** For the names of a certificate that are not SPIFFE IDs: `dns:`, `uri:` and `cn:`. */
export function certificateId(kind: 'dns' | 'uri' | 'cn', name: string): string {
  return `${kind}:${escapeIdPart(name)}`;
}

/** `token:<issuer>#<subject>`: both are escaped, so the `#` between them is the only one. */
export function tokenId(issuer: string, subject: string): string {
  return `token:${escapeIdPart(issuer)}#${escapeIdPart(subject)}`;
}

export function apiKeyId(name: string): string {
  return `apikey:${escapeIdPart(name)}`;
}

/** `anonymous` for that very name, otherwise `anonymous:<name>`. */
export function anonymousId(name: string): string {
  return name === 'anonymous' ? name : `anonymous:${escapeIdPart(name)}`;
}

/** The id of a caller that proved several credentials: their ids in the order of `identity:`. No id holds a space. */
export function joinIds(ids: readonly string[]): string {
  return ids.join(' + ');
}
