/** Characters that a reader does not see, or that do something else than be seen: the one table of them. */
export const characterClasses = ['control', 'ansi', 'bidi', 'tags', 'invisible'] as const;

export type CharacterClass = (typeof characterClasses)[number];

const bidiMarks = String.raw`\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069`;
const tagLetters = String.raw`\u{e0000}-\u{e007f}`;

export const patterns: Readonly<Record<CharacterClass, RegExp>> = {
  /** C0, DEL and C1, but for tab and line ends. */
  control: /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/gu,
  /**
   * ECMA-48: control sequences, strings (OSC, DCS and their like) up to their end, and what remains of an escape. A
   * string without an end loses what begins it only: its text is then seen. Payloads hold no C1, so that each is read
   * once.
   */
  ansi: /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])(?:[^\u0007\u001b\u0080-\u009f]*(?:\u0007|\u001b\\|\u009c))?|\u001b[ -/]*[0-~]?|[\u0080-\u009f]/g,
  /** Unicode 16, Bidi_Control. */
  bidi: new RegExp(`[${bidiMarks}]`, 'gu'),
  tags: new RegExp(`[${tagLetters}]`, 'gu'),
  /** All other Default_Ignorable_Code_Point, and the interlinear annotations, which are not shown either. */
  invisible: new RegExp(
    String.raw`[[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[${bidiMarks}${tagLetters}]]`,
    'gv',
  ),
};

/** Whole sequences before the character that begins them. */
export const order: readonly CharacterClass[] = ['ansi', 'control', 'bidi', 'tags', 'invisible'];

/**
 * Where characters that are not seen have a meaning: inside emoji, in the three flags that Unicode recommends, and a
 * single joiner, non-joiner or space without width inside words of scripts that need them. What stands there cannot
 * carry a hidden text: one selector after each visible character could, and stays only after what can be an emoji.
 */
export const meant = new RegExp(
  [
    // Emoji: variation selectors 15 and 16 after what can be an emoji, keycaps, and joiners between two of them.
    String.raw`(?<=[\p{Emoji}--[0-9#*]])[\ufe0e\ufe0f]`,
    String.raw`(?<=[0-9#*])\ufe0f(?=\u20e3)`,
    String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?)\u200d(?=\p{Extended_Pictographic})`,
    // England, Scotland, Wales: RGI_Emoji_Tag_Sequence.
    ...['gbeng', 'gbsct', 'gbwls'].map((region) => `(?<=\u{1f3f4})${toTags(region)}\u{e007f}`),
    // Mongolian letters choose their shape by a selector.
    String.raw`(?<=[\p{Script=Mong}&&\p{L}])[\u180b-\u180d\u180f]`,
    String.raw`(?<=[[${scripts('Arab Syrc Mong Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr')}]&&[\p{L}\p{M}]])(?<!\p{Default_Ignorable_Code_Point})[\u200c\u200d](?![\u200b-\u200d])`,
    // Words without blanks between them, which may break here.
    String.raw`(?<=[[${scripts('Thai Laoo Khmr Mymr')}]&&[\p{L}\p{M}]])\u200b(?=[[${scripts('Thai Laoo Khmr Mymr')}]&&\p{L}])`,
  ].join('|'),
  'gv',
);

/** Scripts by their short names: The Unicode Standard, chapters 9, 12, 13 and 16. */
function scripts(names: string): string {
  return names
    .split(' ')
    .map((script) => `\\p{Script_Extensions=${script}}`)
    .join('');
}

function toTags(text: string): string {
  return [...text].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('');
}

const plain = /^[\t\n\r\x20-\x7e]*$/;

/** Whether a text has nothing but ASCII that is seen, blanks and line ends: none of the classes stands in it. */
export function isPlain(text: string): boolean {
  return plain.test(text);
}

/**
 * Takes characters out. Asked twice, it finds nothing more.
 *
 * @param found called for each class that stood in the text, with how often
 * @returns the same text where none did
 */
export function stripCharacters(
  text: string,
  classes: ReadonlySet<CharacterClass>,
  found?: (which: CharacterClass, count: number) => void,
): string {
  if (plain.test(text)) return text;
  let clean = text;
  for (const which of order) {
    if (!classes.has(which)) continue;
    const before = clean;
    let sequences = 0;
    const count = (): string => {
      sequences += 1;
      return '';
    };
    clean = strip(clean, which, which === 'ansi' ? count : '');
    if (clean !== before) found?.(which, which === 'ansi' ? sequences : countLost(before, clean));
  }
  return clean;
}

/** Code points that are gone. Counted by length: a call for each of a million would cost ten times what taking them out does. */
export function countLost(before: string, after: string): number {
  return before.length - after.length - (countPairs(before) - countPairs(after));
}

function countPairs(text: string): number {
  let pairs = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (isHighSurrogate(text.charCodeAt(at)) && isLowSurrogate(text.charCodeAt(at + 1))) pairs += 1;
  }
  return pairs;
}

export function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

export function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** The first class of characters that stands in a text, in the order in which they are stripped. */
export function findCharacters(
  text: string,
  classes: ReadonlySet<CharacterClass>,
): CharacterClass | undefined {
  if (plain.test(text)) return undefined;
  return order.find((which) => {
    if (!classes.has(which)) return false;
    return strip(text, which, '') !== text;
  });
}

/** @param take what comes in place of each: nothing, told by a text or by a function that counts */
function strip(text: string, which: CharacterClass, take: '' | (() => string)): string {
  const pattern = patterns[which];
  if (which !== 'tags' && which !== 'invisible') return replaceAll(text, pattern, take);
  if (text.search(pattern) === -1) return text;
  let left = '';
  let end = 0;
  for (const { 0: kept, index } of text.matchAll(meant)) {
    left += replaceAll(text.slice(end, index), pattern, take) + kept;
    end = index + kept.length;
  }
  return left + replaceAll(text.slice(end), pattern, take);
}

function replaceAll(text: string, pattern: RegExp, take: '' | (() => string)): string {
  return typeof take === 'string' ? text.replace(pattern, take) : text.replace(pattern, take);
}
