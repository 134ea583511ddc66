/** Deeper than any issuer nests claims, and shallow enough for whoever walks through them later. */
const maximumDepth = 16;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads bytes that must be one JSON object with one reading: UTF-8 without a byte order mark, no member twice, none
 * named `__proto__`, at most 16 levels. A repeated `aud` or `sub` would be one value for the issuer's own tools and
 * another one here.
 *
 * @returns undefined for anything else
 */
export function readJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    const written = countMembers(text);
    if (written === undefined) return undefined;
    let kept = 0;
    value = JSON.parse(text, (key, member: unknown) => {
      if (key === '__proto__') throw new SyntaxError('A member that is never accepted');
      if (typeof member === 'object' && member !== null && !Array.isArray(member)) {
        kept += Object.keys(member).length;
      }
      return member;
    });
    // The parser keeps the last of two members with one name: then there are fewer than colons.
    if (kept !== written) return undefined;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as Readonly<Record<string, unknown>>;
}

/** Members as they are written, by their colons: exact where the text is JSON. Undefined where it is too deep. */
function countMembers(text: string): number | undefined {
  let depth = 0;
  let members = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (inString) {
      if (unit === 0x5c) index += 1;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x3a) members += 1;
    else if (unit === 0x7b || unit === 0x5b) {
      depth += 1;
      if (depth > maximumDepth) return undefined;
    } else if (unit === 0x7d || unit === 0x5d) depth -= 1;
  }
  return members;
}
