/** What a path of a URL is compared with: `/v1/items`, `/v1/*`, `/img/*.png`, `/public/**`. */
type Segment = { readonly before: string; readonly after: string | undefined };

interface PathPattern {
  readonly segments: readonly Segment[];
  /** `/**` at the end: whatever follows, or nothing. */
  readonly open: boolean;
}

/** Says what is wrong with the pattern of a path; undefined where nothing is. */
export function pathPatternFault(text: string): string | undefined {
  if (!text.startsWith('/')) return 'a path begins with /';
  if (/[\\%?#\s\p{Cc}]/u.test(text) || !text.isWellFormed()) {
    return 'a path is written decoded, without query, backslash or white space';
  }
  const segments = (text.endsWith('/**') ? text.slice(0, -3) : text).split('/').slice(1);
  if (segments.some((segment) => (segment.match(/\*/g)?.length ?? 0) > 1)) {
    return 'a segment has at most one `*`; `**` stands alone at the end';
  }
  if (segments.some((segment, i) => isDots(segment) || (segment === '' && i < segments.length - 1))) {
    return 'a path has no empty segments and no `.` or `..`';
  }
  return undefined;
}

/** Compiles what {@link pathPatternFault} finds nothing wrong with. */
export function compilePaths(texts: readonly string[]): (segments: readonly string[]) => boolean {
  const patterns = texts.map(compilePath);
  return (segments) => patterns.some((pattern) => matches(pattern, segments));
}

/** Whether a raw path has a segment that readers resolve: `.`, `..`, percent-encoded, or with parameters behind. */
export function hasDotSegments(rawPath: string): boolean {
  return (
    /\.|%2e/i.test(rawPath) &&
    rawPath.split('/').some((segment) => isDots(segment.replace(/%2e/gi, '.').replace(/(?:;|%3b).*$/i, '')))
  );
}

/**
 * The segments of a raw path, decoded; undefined where a server might see other segments than these: encoded
 * separators, NUL, what decodes twice, empty segments.
 */
export function pathSegments(rawPath: string): readonly string[] | undefined {
  if (/%(?:2f|5c|00|25)|%(?![0-9a-f]{2})|\/\/|;/i.test(rawPath)) return undefined;
  try {
    return (rawPath === '' ? '/' : rawPath).split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..';
}

function compilePath(text: string): PathPattern {
  const open = text.endsWith('/**');
  const segments = (open ? text.slice(0, -3) : text)
    .split('/')
    .slice(1)
    .map((segment) => {
      const star = segment.indexOf('*');
      return star < 0
        ? { before: segment, after: undefined }
        : { before: segment.slice(0, star), after: segment.slice(star + 1) };
    });
  return { segments, open };
}

function matches({ segments, open }: PathPattern, path: readonly string[]): boolean {
  if (open ? path.length < segments.length : path.length !== segments.length) return false;
  return segments.every(({ before, after }, i) => {
    const segment = path[i]!;
    if (after === undefined) return segment === before;
    return (
      segment.length >= before.length + after.length && segment.startsWith(before) && segment.endsWith(after)
    );
  });
}
