import { jsonUnescaped, percentDecoded } from '../redaction/encoded.ts';
import { type Needles, prepareNeedles } from '../redaction/needles.ts';
import { isExactNumber, isJsonObject, type JsonValue, own } from '../values/json.ts';

/** A value that must never leave. */
export interface Canary {
  readonly name: string;
  readonly value: string;
  /** What is done where an upstream returns it. */
  readonly results: 'alert' | 'refuse';
}

/** Where a canary was found. Never the value. */
export interface Sighting {
  readonly canary: Canary;
  /** Such as `params.arguments.body`; at most 256 characters. */
  readonly path: string;
}

/** Shorter values stand in ordinary texts. */
export const shortestCanary = 8;

/** Searching costs the product of their number and the length of a message. */
export const mostCanaries = 100;

interface Sought {
  readonly canary: Canary;
  readonly needles: Needles;
  /** UTF-8 in lower-case hexadecimal. */
  readonly hex: string;
}

/**
 * Looks for exact values in messages: as they are, JSON-escaped, in base64 of either alphabet and any alignment,
 * URL-encoded once, in hexadecimal, and as a number. Not in other case, other encodings, or two of these over one another, and not where
 * a value is split between two strings.
 */
export class CanaryBook {
  readonly #sought: readonly Sought[];

  /** @throws TypeError where a value is too short to be told from ordinary text, or there are too many */
  constructor(canaries: readonly Canary[]) {
    if (canaries.length > mostCanaries) throw new TypeError(`at most ${mostCanaries} canary values`);
    this.#sought = canaries.map((canary) => {
      const value = canary.value.trim();
      if (value.length < shortestCanary) {
        throw new TypeError(`canary ${canary.name}: a value has at least ${shortestCanary} characters`);
      }
      return {
        canary,
        needles: prepareNeedles([value]),
        hex: Buffer.from(value, 'utf8').toString('hex'),
      };
    });
  }

  get size(): number {
    return this.#sought.length;
  }

  /** The first canary in any key, text or number of a message. */
  findIn(message: JsonValue): Sighting | undefined {
    return this.#sought.length === 0 ? undefined : this.#search(message, '');
  }

  #search(value: JsonValue, path: string): Sighting | undefined {
    switch (typeof value) {
      case 'string':
        return this.#inText(value, path);
      case 'number':
        return this.#inText(String(value), path);
      case 'object':
        break;
      default:
        return undefined;
    }
    if (value === null) return undefined;
    if (isExactNumber(value)) return this.#inText(value.rawJSON, path);
    if (Array.isArray(value)) {
      for (const [index, element] of (value as readonly JsonValue[]).entries()) {
        const found = this.#search(element, `${path}[${index}]`);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    if (!isJsonObject(value)) return undefined;
    for (const key of Object.keys(value)) {
      // A key that is a canary must not stand in the path.
      const inKey = this.#inText(key, path === '' ? '(key)' : `${path}.(key)`);
      if (inKey !== undefined) return inKey;
      const found = this.#search(own(value, key) ?? null, path === '' ? key : `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #inText(text: string, path: string): Sighting | undefined {
    if (text.length < shortestCanary) return undefined;
    const bytes = text.includes('%') ? percentDecoded(text) : undefined;
    const unescaped = text.includes('\\') ? jsonUnescaped(text) : undefined;
    const lower = text.toLowerCase();
    for (const { canary, needles, hex } of this.#sought) {
      if (
        needles.texts.some((needle) => text.includes(needle.text) || unescaped?.includes(needle.text)) ||
        lower.includes(hex) ||
        (bytes !== undefined && needles.bytes.some((needle) => bytes.includes(needle.text)))
      ) {
        return { canary, path: path.slice(0, 256) };
      }
    }
    return undefined;
  }
}
