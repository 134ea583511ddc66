import { findBase64 } from '../redaction/base64.ts';
import { findJsonEscaped } from '../redaction/encoded.ts';
import { featuresOf } from '../redaction/features.ts';
import {
  findNeedleBytes,
  findNeedles,
  longestSecret,
  type Needles,
  prepareNeedles,
} from '../redaction/needles.ts';
import { isSecretName } from '../redaction/secret-names.ts';
import { findFormats, type Spans } from '../redaction/secret-spans.ts';
import type { Span } from '../redaction/span.ts';

/** Bounds of one redacted value. Beyond any of them stands `[truncated]`. */
export interface RedactLimits {
  readonly maxDepth: number;
  readonly maxNodes: number;
  /** UTF-16 units of all texts and keys together. */
  readonly maxText: number;
}

export const defaultRedactLimits: RedactLimits = {
  // Deep enough for real arguments; the walk is recursive, so the stack must not depend on the caller.
  maxDepth: 32,
  // A record is for reading: more values than this help nobody and cost time on the path of the call.
  maxNodes: 5000,
  // Half of the default record, as escaping can double a text.
  maxText: 32_768,
};

/**
 * Removes secrets from what is written down. By key name, by known secret format, and by exact match of the secrets
 * that the gateway holds, at any depth and in any part of any text: never by a list of paths, which misses the
 * argument that nobody listed.
 *
 * It cannot know a secret that has no form, no telling name, and is not held here.
 */
export interface Redactor {
  /**
   * A copy without secrets. Plain data in, plain data out; never throws for what JSON can hold.
   *
   * @param hidden what is secret here beside what is held
   */
  value(value: unknown, limits?: RedactLimits, hidden?: Hidden): unknown;
  /** The text without secrets, at most `max` UTF-16 units of the original. */
  text(text: string, max?: number, hidden?: Hidden): string;
  /** Replaces the held secrets, after a reload. */
  hold(secrets: readonly string[]): void;
}

/** Secrets of one exchange: nothing that is written about it may show them. */
export interface Hidden {
  readonly needles: Needles;
  /** As whole values even the shortest of them are recognised. */
  readonly whole: ReadonlySet<string>;
  /** More, or longer ones, than are looked for: no text that may hold one is written at all. */
  readonly beyond: boolean;
}

/** Inside of other texts a secret of fewer characters would be found in ordinary words and numbers. */
const shortestHidden = 4;

/** Each is looked for in some ten forms in every text of the record: more would cost milliseconds for one call. */
const mostHidden = 64;

/** Prepares the secrets of one exchange; undefined where it has none. */
export function hiddenOf(secrets: readonly string[]): Hidden | undefined {
  if (secrets.length === 0) return undefined;
  const whole = new Set(secrets);
  const beyond = whole.size > mostHidden || secrets.some(({ length }) => length > longestSecret);
  return { needles: prepareNeedles(beyond ? [] : [...whole], shortestHidden), whole, beyond };
}

/** The secrets of one exchange: secret arguments, and what was made for it to show to the upstream. */
export function hiddenIn(facts: {
  readonly secrets: readonly string[];
  readonly minted: readonly string[];
}): Hidden | undefined {
  return hiddenOf(facts.minted.length === 0 ? facts.secrets : [...facts.secrets, ...facts.minted]);
}

const redacted = '[redacted]';
const truncated = '[truncated]';
/** How far beyond a cut a secret may reach and still be recognised before the cut: the longest held one, percent-encoded. */
const lookahead = 3 * longestSecret;

/** @param secrets what the gateway holds: credentials for upstreams, keys, passwords. Shorter than six characters is ignored. */
export function createRedactor(secrets: readonly string[] = []): Redactor {
  let needles = prepareNeedles(secrets);

  function text(input: string, max: number = defaultRedactLimits.maxText, hidden?: Hidden): string {
    if (hidden !== undefined && (hidden.beyond || hidden.whole.has(input))) return redacted;
    const cut = input.length > max;
    const seen = cut ? input.slice(0, max + lookahead) : input;
    const spans: Spans = [];
    findNeedles(seen, needles, spans);
    if (hidden !== undefined) findNeedles(seen, hidden.needles, spans);
    findFormats(seen, spans);
    if (seen.includes('%')) findEscaped(seen, spans, hidden);
    findEncoded(seen, spans, hidden);
    // Cut in the original, not in the result: hiding a long secret must not pull unseen text into view.
    return hide(seen, spans, Math.min(seen.length, max)) + (cut ? truncated : '');
  }

  /** What stands behind the escapes of JSON, and in base64. */
  function findEncoded(seen: string, spans: Spans, hidden: Hidden | undefined): void {
    const { hasBackslash, runs } = featuresOf(seen);
    if (!hasBackslash && runs.length === 0) return;
    const find = (plain: string): readonly Span[] => {
      const found: Spans = [];
      findNeedles(plain, needles, found);
      if (hidden !== undefined) findNeedles(plain, hidden.needles, found);
      findFormats(plain, found);
      return toSpans(found);
    };
    const found: Span[] = [];
    if (hasBackslash) findJsonEscaped(seen, find, found);
    findBase64(seen, runs, find, (plain) => plain, found);
    for (const { start, end } of found) spans.push(start, end);
  }

  /** Percent escapes can spell any character in any mixture, so the text is looked at once more without them. */
  function findEscaped(seen: string, spans: Spans, hidden: Hidden | undefined): void {
    const { bytes, origin } = unescapePercent(seen);
    const found: Spans = [];
    findNeedleBytes(bytes, needles, found);
    if (hidden !== undefined) findNeedleBytes(bytes, hidden.needles, found);
    findFormats(bytes, found);
    for (const position of found) spans.push(origin[position] ?? seen.length);
  }

  function value(input: unknown, limits: RedactLimits = defaultRedactLimits, hidden?: Hidden): unknown {
    if (hidden?.beyond) return redacted;
    let nodes = limits.maxNodes;
    let room = limits.maxText;
    const cleanText = (raw: string): string => {
      const clean = text(raw, room, hidden);
      room = Math.max(0, room - Math.min(raw.length, room));
      return clean;
    };
    const walk = (node: unknown, depth: number): unknown => {
      nodes -= 1;
      if (nodes < 0 || room <= 0) return truncated;
      if (typeof node === 'string') return cleanText(node);
      if (typeof node === 'number' || typeof node === 'bigint') return cleanNumber(node);
      if (typeof node !== 'object' || node === null) return typeof node === 'boolean' ? node : null;
      if (isRawJson(node)) return cleanRawNumber(node);
      if (depth >= limits.maxDepth) return truncated;
      if (Array.isArray(node)) {
        const items: unknown[] = [];
        for (const item of node) {
          items.push(walk(item, depth + 1));
          if (nodes < 0 || room <= 0) break;
        }
        return items;
      }
      return walkObject(node as Record<string, unknown>, depth);
    };
    const walkObject = (node: Record<string, unknown>, depth: number): unknown => {
      const copy: Record<string, unknown> = Object.create(null);
      const named = namesSecret(node);
      for (const key of Object.keys(node)) {
        if (nodes < 0 || room <= 0) {
          copy[truncated] = true;
          break;
        }
        const secret = isSecretName(key, node[key]) || (named && valueKeys.has(key.toLowerCase()));
        const clean = freeKey(copy, cleanText(key));
        copy[clean] = secret ? redacted : walk(node[key], depth + 1);
      }
      return copy;
    };
    const cleanNumber = (node: number | bigint): unknown => {
      const digits = String(node);
      if (text(digits, undefined, hidden) !== digits) return redacted;
      return typeof node === 'bigint' ? digits : node;
    };
    const cleanRawNumber = (node: { readonly rawJSON: string }): unknown =>
      text(node.rawJSON, undefined, hidden) === node.rawJSON ? node : redacted;
    return walk(input, 0);
  }

  return {
    value,
    text,
    hold(held) {
      needles = prepareNeedles(held);
    },
  };
}

/** Members that carry the value where another member carries its name: header lists, form fields, environment lists. */
const nameKeys = ['name', 'key', 'header', 'field', 'variable'];
const valueKeys: ReadonlySet<string> = new Set(['value', 'values', 'content', 'default', 'text', 'data']);

function namesSecret(node: Record<string, unknown>): boolean {
  return nameKeys.some((key) => {
    const name = Object.hasOwn(node, key) ? node[key] : undefined;
    return typeof name === 'string' && isSecretName(name, '');
  });
}

/** Two keys that were both hidden must not overwrite one another. */
function freeKey(copy: Record<string, unknown>, key: string): string {
  let free = key;
  for (let count = 2; Object.hasOwn(copy, free); count += 1) free = `${key}~${count}`;
  return free;
}

function toSpans(pairs: Spans): readonly Span[] {
  const spans: Span[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    spans.push({ start: pairs[i]!, end: pairs[i + 1]!, class: 'secrets', value: '' });
  }
  return spans;
}

function hide(text: string, spans: Spans, end: number): string {
  if (spans.length === 0) return text.slice(0, end);
  const pairs: [number, number][] = [];
  for (let i = 0; i < spans.length; i += 2) pairs.push([spans[i] ?? 0, spans[i + 1] ?? 0]);
  pairs.sort((a, b) => a[0] - b[0]);
  let output = '';
  let at = 0;
  for (const [from, to] of pairs) {
    if (from >= end) break;
    if (to <= at) continue;
    // Overlapping finds are one secret: hiding one alone would leave the rest of the other.
    if (from > at || at === 0) output += text.slice(at, from) + redacted;
    at = to;
  }
  return at < end ? output + text.slice(at, end) : output;
}

const percentEscape = /%[0-9A-Fa-f]{2}/y;

/** The text as bytes, one character each, with percent escapes resolved; `origin[i]` is where byte `i` came from, with one entry more for the end. */
function unescapePercent(text: string): { bytes: string; origin: number[] } {
  const parts: string[] = [];
  const origin: number[] = [];
  let at = 0;
  while (at < text.length) {
    percentEscape.lastIndex = at;
    if (text[at] === '%' && percentEscape.test(text)) {
      parts.push(String.fromCharCode(Number.parseInt(text.slice(at + 1, at + 3), 16)));
      origin.push(at);
      at += 3;
      continue;
    }
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    const encoded =
      character.charCodeAt(0) < 0x80 ? character : Buffer.from(character, 'utf8').toString('latin1');
    parts.push(encoded);
    for (let i = 0; i < encoded.length; i += 1) origin.push(at);
    at += character.length;
  }
  origin.push(text.length);
  return { bytes: parts.join(''), origin };
}

/** TypeScript's library does not know `JSON.isRawJSON` yet. */
const isRawJson: (value: unknown) => value is { readonly rawJSON: string } = (
  JSON as unknown as { isRawJSON(value: unknown): value is { readonly rawJSON: string } }
).isRawJSON;
