/** Characters that a reader does not see, or that do something else than be seen. */
export const characterClasses = ['control', 'ansi', 'bidi', 'tags', 'invisible'] as const;

export type CharacterClass = (typeof characterClasses)[number];

/** ECMA-48: CSI, the strings (OSC, DCS, SOS, PM, APC) with their ends, and the short sequences. */
const ansi =
  /(?:\x1b\[|\x9b)[0-?]{0,256}[ -/]{0,16}[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])(?:[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c))?|\x1b[ -/]{0,16}[0-~]|\x1b/g;
/** Without those that lay out text. */
const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;
const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** Tag letters; the flags of England, Scotland and Wales are spelt with them. */
const tags =
  /\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}|[\u{e0000}-\u{e007f}]/gu;
/** Zero width, filler and selectors. */
const invisible =
  /\u034f|[\ufe00-\ufe0f]|\u17b4|\u17b5|[\u180b-\u180f]|[\u00ad\u115f\u1160\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufff8]|[\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0080}-\u{e0fff}]/gu;

const patterns: Readonly<Record<CharacterClass, RegExp>> = { ansi, control, bidi, tags, invisible };
/** Whole sequences before the character that begins them. */
const order: readonly CharacterClass[] = ['ansi', 'control', 'bidi', 'tags', 'invisible'];
/** Matches that are honest: they stay. */
const keeps: Readonly<
  Record<CharacterClass, ((match: string, offset: number, text: string) => boolean) | undefined>
> = {
  ansi: undefined,
  control: undefined,
  bidi: undefined,
  tags: (match) => match.length > 2,
  invisible: isHonestInvisible,
};

const plain = /^[\t\n\r\x20-\x7e]*$/;

/**
 * Takes characters out.
 *
 * @param found called for each class that stood in the text, with how often
 * @returns the same text where none did
 */
export function stripCharacters(
  text: string,
  classes: ReadonlySet<CharacterClass>,
  found: (which: CharacterClass, count: number) => void,
): string {
  if (plain.test(text)) return text;
  let clean = text;
  for (const which of order) {
    if (!classes.has(which)) continue;
    let count = 0;
    const keep = keeps[which];
    const before = clean;
    clean = clean.replace(patterns[which], (match: string, ...rest: unknown[]) => {
      if (keep?.(match, rest[0] as number, before)) return match;
      count += 1;
      return '';
    });
    if (count > 0) found(which, count);
  }
  return clean;
}

/** The first class of characters that stands in a text. */
export function findCharacters(
  text: string,
  classes: ReadonlySet<CharacterClass>,
): CharacterClass | undefined {
  let first: CharacterClass | undefined;
  stripCharacters(text, classes, (which) => {
    first ??= which;
  });
  return first;
}

const pictographBefore = /(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)$/u;
const pictographAfter = /^\p{Extended_Pictographic}/u;
const joiningScript =
  /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Mongolian}]$/u;
const visible = /(?:[\p{L}\p{N}\p{P}\p{S}]|\u20e3)$/u;
const selector = /^[\ufe00-\ufe0f]/;

/**
 * A joiner between the parts of an emoji or after a letter of a script that needs it, and one selector after a visible
 * character, are how these are written. A row of selectors carries bytes.
 */
function isHonestInvisible(match: string, offset: number, text: string): boolean {
  const before = text.slice(Math.max(0, offset - 2), offset);
  const after = text.slice(offset + match.length, offset + match.length + 2);
  if (selector.test(match)) return visible.test(before) && !selector.test(after);
  if (match === '\u200d' && pictographBefore.test(before) && pictographAfter.test(after)) return true;
  return /^(?:\u200c|\u200d|[\u180b-\u180d])$/.test(match) && joiningScript.test(before);
}
