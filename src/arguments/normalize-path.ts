import { type Steps, stepSize } from '../values/steps.ts';

/** Segments between two places to stop: a millisecond. */
const segmentsPerStep = 8192;

/**
 * The shortest spelling of a POSIX path: one slash where there are several, no `.` segments, no slash at the end, and
 * `..` taken together with the segment before it. Nothing is decoded.
 *
 * What could be more than a POSIX path is left as it is, for the role to judge: text with a backslash or a scheme, two
 * slashes in front, and `..` that would leave the root. With places to stop.
 */
export function* normalizePath(text: string): Steps<string> {
  if (text === '' || text.includes('\\') || text.startsWith('//') || /^[a-z][a-z0-9+.-]*:/i.test(text))
    return text;
  const absolute = text.startsWith('/');
  const kept: string[] = [];
  let read = 0;
  for (const segment of segments(text)) {
    read += 1;
    if (read % segmentsPerStep === 0) yield;
    if (segment === '' || segment === '.') continue;
    const last = kept.at(-1);
    if (segment === '..' && last !== undefined && last !== '..') kept.pop();
    else kept.push(segment);
  }
  if (absolute) return `/${yield* joined(kept)}`;
  // Without its `./` this would be a scheme or a drive.
  if (/^[a-z][a-z0-9+.-]*:/i.test(kept[0] ?? '')) return text;
  return kept.length === 0 ? '.' : yield* joined(kept);
}

function* segments(text: string): Generator<string, void, void> {
  for (let start = 0; start <= text.length; ) {
    const slash = text.indexOf('/', start);
    const end = slash === -1 ? text.length : slash;
    yield text.slice(start, end);
    start = end + 1;
  }
}

function* joined(kept: readonly string[]): Steps<string> {
  if (kept.length <= stepSize) return kept.join('/');
  const parts: string[] = [];
  for (let start = 0; start < kept.length; start += segmentsPerStep) {
    parts.push(kept.slice(start, start + segmentsPerStep).join('/'));
    yield;
  }
  return parts.join('/');
}
