/** Control characters and line separators: they forge log lines, cut names short and split headers. */
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Longest method, tool or prompt name. The official SDKs warn beyond 128; nothing honest is near twice that. */
export const maxNameLength = 256;

/** Whether a text has a control character, which no name, URI or id may have. */
export function hasControls(text: string): boolean {
  return controls.test(text);
}

/** What every honest name seen so far consists of. */
const ordinary = /^[\x21-\x7e]+$/;

const hidden = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/u;

/** Whether a text has characters that are not seen, or that change the order in which others are seen. */
export function hasHidden(text: string): boolean {
  return hidden.test(text);
}

/**
 * Whether a text can be a method, tool or prompt name. Says nothing about whether policy knows it.
 *
 * A rule names exact code points, and a server may be lenient: with everything allowed but `drop`, a call of `drop `,
 * of `d<U+200B>rop` or of full-width letters would pass and might still run it. So a name has no white space around
 * it, nothing invisible or reordering in it, and no other compatibility form (NFKC).
 */
export function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > maxNameLength) return false;
  return ordinary.test(value) || (value !== '' && isPlain(value));
}

function isPlain(text: string): boolean {
  return !hasControls(text) && !hasHidden(text) && text.trim() === text && text.normalize('NFKC') === text;
}

/** Longest handle. A sealed task id carries the server's id and the name of its tool, each at most 256 characters. */
export const maxHandleLength = 2048;

const handle = /^[\x21-\x7e]+$/;

/** Whether a text can be a handle that the other side must give back as it got it: visible ASCII, as a header carries it. */
export function isHandle(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxHandleLength && handle.test(value);
}
