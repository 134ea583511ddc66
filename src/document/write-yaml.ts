import { isExactNumber, type JsonObject, type JsonValue } from '../values/json.ts';

/**
 * Writes a JSON value as YAML 1.2 that a person reviews and git compares: one value a line, long text in literal
 * blocks, two spaces a level, no aliases, no folding. Equal values give equal bytes.
 *
 * Keys stand in the order in which the object has them. Everything that is not seen, or that reorders what is seen, is
 * escaped: a reviewer must not approve what the screen does not show. What `parseDocument` reads back with
 * `exactNumbers` is the same value.
 */
export function writeYaml(value: JsonObject): string {
  return Object.keys(value).length === 0 ? '{}\n' : mapping(value, '');
}

function mapping(object: JsonObject, indent: string): string {
  let text = '';
  for (const [key, value] of Object.entries(object)) {
    if (value !== undefined) text += `${indent}${keyText(key, indent)}:${afterKey(value, indent)}`;
  }
  return text;
}

function sequence(items: readonly JsonValue[], indent: string): string {
  return items.map((item) => `${indent}-${afterDash(item, indent)}`).join('');
}

/** What follows a key, to the end of its last line. */
function afterKey(value: JsonValue, indent: string): string {
  const inner = `${indent}  `;
  if (isList(value)) return value.length === 0 ? ' []\n' : `\n${sequence(value, inner)}`;
  if (isMapping(value)) return isEmpty(value) ? ' {}\n' : `\n${mapping(value, inner)}`;
  return typeof value === 'string' && fitsBlock(value) ? block(value, inner) : ` ${scalar(value)}\n`;
}

/** What follows the dash of a list's item: the first key of a mapping stands on its line. */
function afterDash(value: JsonValue, indent: string): string {
  const inner = `${indent}  `;
  if (isList(value)) return value.length === 0 ? ' []\n' : `\n${sequence(value, inner)}`;
  if (isMapping(value)) return isEmpty(value) ? ' {}\n' : ` ${mapping(value, inner).slice(inner.length)}`;
  return typeof value === 'string' && fitsBlock(value) ? block(value, inner) : ` ${scalar(value)}\n`;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isMapping(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !isExactNumber(value);
}

function isEmpty(value: JsonObject): boolean {
  return Object.values(value).every((member) => member === undefined);
}

function scalar(value: JsonValue): string {
  if (typeof value === 'string') return isPlain(value) ? value : quoted(value);
  if (isExactNumber(value)) return value.rawJSON;
  // Digits alone read back as an exact integer; a double of that size is not one.
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return value.toExponential();
  }
  return JSON.stringify(value);
}

function keyText(key: string, indent: string): string {
  if (isPlain(key)) return key;
  const text = quoted(key);
  // A simple key has at most 1024 characters (YAML 1.2.2, 7.4.2); a longer one must be marked.
  return text.length < 1000 ? text : `? ${text}\n${indent}`;
}

/** Words that YAML, or a reader of an older YAML, takes for something else than text. */
const reserved = /^(?:true|false|null|yes|no|on|off|y|n|inf|nan)$/i;

function isPlain(text: string): boolean {
  return (
    /^[A-Za-z_$](?:[A-Za-z0-9_/.()+ -]*[A-Za-z0-9_/.()])?$/.test(text) &&
    !reserved.test(text) &&
    text.length <= 100
  );
}

/** Printable and in order: nothing in it has to be escaped. */
const seen =
  /^(?:[^\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Z}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]|[ \n])+$/u;

/**
 * Text of several lines whose block reads back as the same text: it neither begins with white space, from which a
 * reader would guess the indentation, nor has lines of spaces or spaces at the end of a line, which editors cut.
 */
function fitsBlock(text: string): boolean {
  return /[^\n]\n./.test(text) && seen.test(text) && !/^[ \n]|[ ]\n|[ ]$/.test(text);
}

function block(text: string, indent: string): string {
  const ends = /\n*$/.exec(text)![0].length;
  const chomping = ends === 0 ? '-' : ends === 1 ? '' : '+';
  const lines = (ends === 0 ? text : text.slice(0, -1)).split('\n');
  return ` |${chomping}\n${lines.map((line) => (line === '' ? '\n' : `${indent}${line}\n`)).join('')}`;
}

const unseen =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]|(?! )\p{Zs}/gu;

/** Double quoted: YAML reads JSON's escapes, but knows no halves of surrogate pairs. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(unseen, (character) => {
    const code = character.codePointAt(0)!;
    return code > 0xffff
      ? `\\U${code.toString(16).padStart(8, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
