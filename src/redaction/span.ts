/** What can be redacted, by choice. */
export const redactionClasses = [
  'secrets',
  'keys',
  'cards',
  'ibans',
  'emails',
  'phones',
  'nationalNumbers',
] as const;

export type RedactionClass = (typeof redactionClasses)[number];

/** Something sensitive in a text. */
export interface Span {
  /** `[start, end)` in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly class: RedactionClass;
  /** The thing itself, in its plain form whatever it was written in: equal values get equal tags. */
  readonly value: string;
  /** Whether it is one of the gateway's own secrets. */
  readonly held?: boolean;
  /** Runs to the end of the text and is not complete there: the rest may come with the next text. */
  readonly open?: boolean;
  /** What stands in its place instead of the tag: base64 of a redacted text stays base64. */
  readonly instead?: string;
}

/** Spans that overlap are one: hiding one alone would leave the rest of the other. In turn. */
export function mergeSpans(spans: readonly Span[]): readonly Span[] {
  if (spans.length < 2) return spans;
  const sorted = [...spans].sort((a, b) => a.start - b.start || b.end - a.end);
  const merged: Span[] = [];
  for (const span of sorted) {
    const last = merged.at(-1);
    if (last === undefined || span.start >= last.end) merged.push(span);
    else if (span.end > last.end || span.held) merged[merged.length - 1] = join(last, span);
  }
  return merged;
}

function join(first: Span, second: Span): Span {
  const { instead: _first, ...rest } = first;
  const held = first.held === true || second.held === true;
  const covers = second.end <= first.end;
  return {
    ...(covers ? first : rest),
    end: Math.max(first.end, second.end),
    // The longer one says more; which of the two it is must depend on nothing but the text.
    value: second.value.length > first.value.length ? second.value : first.value,
    ...(held ? { held } : {}),
    ...(first.open || second.open ? { open: true } : {}),
  };
}
