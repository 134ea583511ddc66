/**
 * The one grammar for names everywhere in policy: exact (`echo`), prefix (`describe_*`) and glob.
 *
 * Where names have segments (URIs: `/`, DNS names: `.`), `*` stays within one and `**` crosses them. Where they have
 * none (tools, prompts, methods, upstreams), both match any characters. Either may match nothing. All other
 * characters stand for themselves, code unit by code unit: no escapes, no case folding, no normalisation, since a
 * lenient matcher and a strict server disagree about what was asked for.
 *
 * Matching takes time proportional to pattern times name, whatever the name: there is no backtracking.
 */
export interface NamePattern {
  readonly text: string;
  /** The characters before the first wildcard; all of them for an exact name. */
  readonly literal: string;
  readonly exact: boolean;
  matches(name: string): boolean;
}

/** What separates the segments of a name; undefined where it has none. */
export type Separator = '/' | '.' | undefined;

/** Longer patterns help nobody, and matching costs pattern times name. */
const longestPattern = 1024;

/** Says what is wrong with a pattern's text; undefined where nothing is. */
export function patternFault(text: string): string | undefined {
  if (text === '') return 'a pattern must not be empty';
  if (text.length > longestPattern) return `a pattern must not be longer than ${longestPattern} characters`;
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'a pattern must not contain control characters';
  if (!text.isWellFormed()) return 'a pattern must not contain half a surrogate pair';
  if (text.trim() !== text) return 'a pattern must not begin or end with white space';
  return undefined;
}

/**
 * Says why a pattern of resource URIs can never match; undefined where it can. Resource names arrive in one normal
 * spelling: a deny or an ACL whose pattern has another one would be a hole that nobody sees.
 */
export function resourcePatternFault(text: string): string | undefined {
  const reason = spellingFault(text);
  return reason === undefined ? undefined : `the pattern "${text}" can never match: ${reason}`;
}

function spellingFault(text: string): string | undefined {
  if (/^[^:/?#*]*[A-Z][^:/?#*]*:/.test(text)) return 'schemes are in lower case';
  if (/(^|\/)\.\.?(\/|$)/.test(text)) return 'names have no dot segments';
  if (/:\/\/[^/]*\/.*\/\//.test(text)) return 'names have no empty segments';
  if (/[^\x21-\x7e]/.test(text)) return 'other than ASCII characters are percent-encoded as UTF-8';
  if (/%(?![0-9A-F]{2})/.test(text)) return 'percent-encoding is in upper case';
  return undefined;
}

export function compilePattern(text: string, separator: Separator): NamePattern {
  const star = text.indexOf('*');
  if (star < 0) return { text, literal: text, exact: true, matches: (name) => name === text };
  const literal = text.slice(0, star);
  const rest = parse(text.slice(star), separator);
  const matchesRest = compileRest(rest, separator);
  return {
    text,
    literal,
    exact: false,
    matches: (name) => name.startsWith(literal) && matchesRest(name, literal.length),
  };
}

type Piece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'segment' | 'across' };

function parse(text: string, separator: Separator): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const [run] of text.matchAll(/\*+|[^*]+/g)) {
    if (run[0] !== '*') pieces.push({ kind: 'text', text: run });
    else pieces.push({ kind: run.length > 1 || separator === undefined ? 'across' : 'segment' });
  }
  return pieces;
}

type RestMatcher = (name: string, from: number) => boolean;

function compileRest(pieces: readonly Piece[], separator: Separator): RestMatcher {
  if (pieces.length === 1) {
    if (pieces[0]!.kind === 'across') return () => true;
    return (name, from) => !name.includes(separator!, from);
  }
  if (pieces.every((piece) => piece.kind !== 'segment')) return compileChunks(pieces);
  return compileStates(pieces, separator!);
}

/** Wildcards that match anything: each text in turn at its first place, the last one at the end. */
function compileChunks(pieces: readonly Piece[]): RestMatcher {
  const texts = pieces.flatMap((piece) => (piece.kind === 'text' ? [piece.text] : []));
  const last = pieces.at(-1)!.kind === 'text' ? texts.pop()! : '';
  return (name, from) => {
    let at = from;
    for (const text of texts) {
      const found = name.indexOf(text, at);
      if (found < 0) return false;
      at = found + text.length;
    }
    return name.length - last.length >= at && name.endsWith(last);
  };
}

const segment = -1;
const across = -2;

/** All positions in the pattern that the name so far can have reached, advanced one character at a time. */
function compileStates(pieces: readonly Piece[], separator: string): RestMatcher {
  const program = pieces.flatMap((piece) =>
    piece.kind === 'text'
      ? Array.from({ length: piece.text.length }, (_, i) => piece.text.charCodeAt(i))
      : [piece.kind === 'segment' ? segment : across],
  );
  const end = program.length;
  const tail = pieces.at(-1)!;
  const barrier = separator.charCodeAt(0);
  return (name, from) => {
    if (tail.kind === 'text' && !name.endsWith(tail.text)) return false;
    let now = new Uint8Array(end + 1);
    let next = new Uint8Array(end + 1);
    now[0] = 1;
    skipWildcards(program, now);
    for (let i = from; i < name.length; i++) {
      const unit = name.charCodeAt(i);
      let alive = false;
      next.fill(0);
      for (let state = 0; state < end; state++) {
        if (now[state] === 0) continue;
        const expected = program[state]!;
        if (expected === across || (expected === segment && unit !== barrier)) next[state] = 1;
        else if (expected === unit) next[state + 1] = 1;
        else continue;
        alive = true;
      }
      if (!alive) return false;
      skipWildcards(program, next);
      [now, next] = [next, now];
    }
    return now[end] === 1;
  };
}

/** A wildcard may match nothing: who stands before it stands behind it too. */
function skipWildcards(program: readonly number[], states: Uint8Array): void {
  for (let state = 0; state < program.length; state++) {
    if (states[state] === 1 && program[state]! < 0) states[state + 1] = 1;
  }
}
