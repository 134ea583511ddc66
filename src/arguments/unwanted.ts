/** Characters that most text has no use for, and that show a reader something else than what a program reads. */
export const unwantedKinds = ['control', 'bidi', 'invisible'] as const;

export type UnwantedKind = (typeof unwantedKinds)[number];

/** C0, DEL and C1, but for tab and line ends. */
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/u;
/** Unicode 16, Bidi_Control. */
const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
/** Default_Ignorable_Code_Point without the marks of `bidi`, and the interlinear annotations, which are not shown either. */
const invisible =
  /[[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]]/v;

/**
 * Where characters that are not seen have a meaning: inside emoji, in the three flags that Unicode recommends, and a
 * single joiner or non-joiner inside words of scripts that need them. What stands there cannot carry a hidden text.
 */
const meant = new RegExp(
  [
    // Emoji: variation selectors 15 and 16 after what can be an emoji, keycaps, and joiners between two of them.
    String.raw`(?<=[\p{Emoji}--[0-9#*]])[\ufe0e\ufe0f]`,
    String.raw`(?<=[0-9#*])\ufe0f(?=\u20e3)`,
    String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?)\u200d(?=\p{Extended_Pictographic})`,
    // England, Scotland, Wales: RGI_Emoji_Tag_Sequence.
    ...['gbeng', 'gbsct', 'gbwls'].map((region) => `(?<=\u{1f3f4})${toTags(region)}\u{e007f}`),
    // Mongolian letters choose their shape by a selector.
    String.raw`(?<=[\p{Script=Mong}&&\p{L}])[\u180b-\u180d\u180f]`,
    String.raw`(?<=[[${joiningScripts()}]&&[\p{L}\p{M}]])(?<!\p{Default_Ignorable_Code_Point})[\u200c\u200d](?![\u200b-\u200d])`,
  ].join('|'),
  'gv',
);

/** Scripts whose words need the zero-width joiner or non-joiner (The Unicode Standard, chapters 9, 12, 13 and 16). */
function joiningScripts(): string {
  const scripts = 'Arab Syrc Mong Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr'.split(' ');
  return scripts.map((script) => `\\p{Script_Extensions=${script}}`).join('');
}

/** The unwanted kind that stands in the text, in the order of {@link unwantedKinds}; undefined where none of those banned does. */
export function findUnwanted(text: string, banned: ReadonlySet<UnwantedKind>): UnwantedKind | undefined {
  if (banned.has('control') && control.test(text)) return 'control';
  if (isAscii(text)) return undefined;
  if (banned.has('bidi') && bidi.test(text)) return 'bidi';
  if (banned.has('invisible') && invisible.test(text) && invisible.test(text.replace(meant, '')))
    return 'invisible';
  return undefined;
}

/** Takes out what of these kinds has no meaning where it stands. Asked twice, it finds nothing more. */
export function stripUnwanted(text: string, kinds: ReadonlySet<UnwantedKind>): string {
  let left = text;
  if (kinds.has('control')) left = left.replace(everyControl, '');
  if (isAscii(left)) return left;
  if (kinds.has('bidi')) left = left.replace(everyBidi, '');
  return kinds.has('invisible') ? stripInvisible(left) : left;
}

const everyControl = new RegExp(control.source, 'gu');
const everyBidi = new RegExp(bidi.source, 'gu');
const everyInvisible = new RegExp(invisible.source, 'gv');

function stripInvisible(text: string): string {
  if (!invisible.test(text)) return text;
  let end = 0;
  let left = '';
  const kept: (readonly [start: number, end: number])[] = [];
  for (const match of text.matchAll(meant)) kept.push([match.index, match.index + match[0].length]);
  for (const [from, to] of kept) {
    left += text.slice(end, from).replace(everyInvisible, '') + text.slice(from, to);
    end = to;
  }
  return left + text.slice(end).replace(everyInvisible, '');
}

/** ECMA-48: control sequences, strings (OSC, DCS and their like) with their end, and what remains of an escape. */
const ansi =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?|[\u0080-\u009f]/g;

/** Takes out what terminals take for orders: no escape character and no C1 control remains. */
export function stripAnsi(text: string): string {
  return /[\u001b\u0080-\u009f]/.test(text) ? text.replace(ansi, '') : text;
}

function isAscii(text: string): boolean {
  return /^[\u0000-\u007f]*$/.test(text);
}

function toTags(text: string): string {
  return [...text].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('');
}
