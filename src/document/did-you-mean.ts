/** Longer words are not compared: a suggestion for them helps nobody and the table would grow with their product. */
const longestWord = 64;

/**
 * The known word nearest to what was written, or undefined where none is near: at most one edit for words of up to
 * five letters, two for up to eight, three beyond. An edit adds, drops or changes one character, or swaps two
 * neighbours.
 */
export function didYouMean(written: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = allowedEdits(written) + 1;
  for (const word of known) {
    if (word === written) continue;
    const distance = editDistance(written.toLowerCase(), word.toLowerCase());
    if (distance < bestDistance) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean "tools"?`, or nothing. Appended to a message. */
export function suggestion(written: string, known: Iterable<string>): string {
  const word = didYouMean(written, known);
  return word === undefined ? '' : `; did you mean "${word}"?`;
}

/** How many edits still count as a slip of the finger for a word of this length. */
export function allowedEdits(word: string): number {
  return word.length <= 5 ? 1 : word.length <= 8 ? 2 : 3;
}

/** Optimal string alignment distance; Infinity where either word is longer than 64 code units. */
export function editDistance(a: string, b: string): number {
  if (a.length > longestWord || b.length > longestWord) return Number.POSITIVE_INFINITY;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
