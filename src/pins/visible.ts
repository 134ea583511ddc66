/** What a terminal, an editor or a model may not show as what it is. */
const unseen =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]|(?! )\p{Zs}/gu;

/**
 * A text with everything that is not seen, or that reorders what is seen, written as an escape: `\u202e`,
 * `\u{e0041}`. A backslash that would read as such an escape is doubled.
 *
 * @param longest characters that are kept; what is cut off is said
 */
export function visible(text: string, longest = 200): string {
  const shown = text
    .slice(0, longest * 2)
    .replace(/\\(?=u)/g, '\\\\')
    .replace(unseen, (character) => escapeOf(character));
  if (shown.length <= longest && text.length <= longest * 2) return shown;
  return `${shown.slice(0, longest)}\u2026 (${text.length} characters)`;
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
