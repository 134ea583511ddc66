const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const outsideAscii = /[^\x20-\x7e]/g;
const clipped = '[truncated]';

/**
 * JSON text of a string, printable ASCII only, at most `max` characters long, quotes included.
 *
 * Everything else becomes `\uXXXX`: line separators would split a record for some readers, and control, bidi and
 * invisible format characters make a terminal show another record than the one in the file. New such characters
 * come with each Unicode version; ASCII does not change.
 */
export function quote(text: string, max: number): string {
  if (text.length + 2 <= max && plain.test(text)) return `"${text}"`;
  return quoteSlowly(text, max);
}

/** Printable ASCII JSON text of any value that JSON knows. */
export function jsonText(value: unknown): string {
  return escapeNonAscii(JSON.stringify(value) ?? 'null');
}

function quoteSlowly(text: string, max: number): string {
  if (text.length <= max) {
    const whole = escapeNonAscii(JSON.stringify(text));
    if (whole.length <= max) return whole;
  }
  const room = max - clipped.length - 2;
  let kept = '';
  for (const character of text) {
    const piece = escapeNonAscii(JSON.stringify(character)).slice(1, -1);
    if (kept.length + piece.length > room) break;
    kept += piece;
  }
  return `"${kept}${clipped}"`;
}

function escapeNonAscii(json: string): string {
  return json.replace(outsideAscii, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
