/**
 * The shortest spelling of a POSIX path: one slash where there are several, no `.` segments, no slash at the end, and
 * `..` taken together with the segment before it. Nothing is decoded.
 *
 * What could be more than a POSIX path is left as it is, for the role to judge: text with a backslash or a scheme, two
 * slashes in front, and `..` that would leave the root.
 */
export function normalizePath(text: string): string {
  if (text === '' || text.includes('\\') || text.startsWith('//') || /^[a-z][a-z0-9+.-]*:/i.test(text))
    return text;
  const absolute = text.startsWith('/');
  const kept: string[] = [];
  for (const segment of text.split('/')) {
    if (segment === '' || segment === '.') continue;
    const last = kept.at(-1);
    if (segment === '..' && last !== undefined && last !== '..') kept.pop();
    else kept.push(segment);
  }
  if (absolute) return `/${kept.join('/')}`;
  // Without its `./` this would be a scheme or a drive.
  if (/^[a-z][a-z0-9+.-]*:/i.test(kept[0] ?? '')) return text;
  return kept.length === 0 ? '.' : kept.join('/');
}
