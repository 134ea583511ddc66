/**
 * What a text has at all, found in one pass: most texts have nothing that could be sensitive, and each search that
 * need not be made is most of what a result costs.
 */
export interface Features {
  readonly digits: number;
  readonly hasAt: boolean;
  readonly hasPercent: boolean;
  readonly hasBackslash: boolean;
  readonly hasDivider: boolean;
  /** `[start, end)` pairs of runs of {@link shortestRun} or more characters that tokens and base64 consist of. */
  readonly runs: readonly number[];
}

/** No token of a known form and no base64 of one is shorter. */
export const shortestRun = 16;

const inRun = 1;
const digit = 2;
const classes = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+/=:') {
  classes[character.charCodeAt(0)] = inRun;
}
for (const character of '0123456789') classes[character.charCodeAt(0)]! |= digit;

/** Whether tokens and base64 consist of such characters. */
export function isRunCharacter(code: number): boolean {
  return code < 128 && classes[code] !== 0;
}

export function featuresOf(text: string): Features {
  let digits = 0;
  let hasAt = false;
  let hasPercent = false;
  let hasBackslash = false;
  let hasDivider = false;
  const runs: number[] = [];
  let start = -1;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const kind = code < 128 ? classes[code]! : 0;
    if (kind !== 0) {
      if (start === -1) start = i;
      if (kind > inRun) digits += 1;
      else if (code === 0x3d || code === 0x3a) hasDivider = true;
      continue;
    }
    if (code === 0x40) hasAt = true;
    else if (code === 0x25) hasPercent = true;
    else if (code === 0x5c) hasBackslash = true;
    if (start !== -1) {
      if (i - start >= shortestRun) runs.push(start, i);
      start = -1;
    }
  }
  if (start !== -1 && text.length - start >= shortestRun) runs.push(start, text.length);
  return { digits, hasAt, hasPercent, hasBackslash, hasDivider, runs };
}
