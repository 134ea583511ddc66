/** Whether a text has more code points than so many. Reads no more of it than it must. */
export function isLongerThan(text: string, codePoints: number): boolean {
  if (text.length <= codePoints) return false;
  if (text.length > 2 * codePoints) return true;
  return countCodePoints(text) > codePoints;
}

export function isShorterThan(text: string, codePoints: number): boolean {
  if (text.length < codePoints) return true;
  if (text.length >= 2 * codePoints) return false;
  return countCodePoints(text) < codePoints;
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
