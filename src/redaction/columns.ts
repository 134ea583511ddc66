/**
 * Whether digits in one piece, which a comma and a digit before it precede, are the fraction of a decimal number
 * rather than a column: only columns go on with another.
 */
export function isFraction(text: string, start: number, end: number): boolean {
  return (
    text[start - 1] === ',' &&
    /[0-9]/.test(text[start - 2] ?? '') &&
    text[end] !== ',' &&
    /^[0-9]+$/.test(text.slice(start, end))
  );
}
