/** A JSON value as the decoder gives it out. An integer beyond 2^53 is an {@link ExactNumber}, never rounded. */
export type JsonValue = null | boolean | number | string | ExactNumber | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** A number that a double cannot hold, kept as its source text (`JSON.rawJSON`), so that encoding restores its digits. */
export interface ExactNumber {
  readonly rawJSON: string;
}

declare global {
  // Node 24 has these; TypeScript's es2024 library does not declare them yet.
  interface JSON {
    rawJSON(text: string): ExactNumber;
    isRawJSON(value: unknown): value is ExactNumber;
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): JsonValue;
  }
}

/**
 * Keeps a number as its source text.
 *
 * @param text a JSON number; anything else is a programmer's error and throws `SyntaxError`
 */
export function toExactNumber(text: string): ExactNumber {
  return JSON.rawJSON(text);
}

/**
 * Whether a value is a number kept as text. Asks the engine, not the shape: a peer can send
 * `{"rawJSON": "1"}`, and that is an ordinary object.
 */
export function isExactNumber(value: unknown): value is ExactNumber {
  return JSON.isRawJSON(value);
}

/** Whether a value is a JSON object: neither array, nor null, nor a number kept as text. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}

/**
 * The value of an own key, or undefined.
 *
 * Decoded objects have `Object.prototype`. A plain `object[key]` with a key such as `constructor` or `toString` would
 * answer with a function that nobody sent; keys that a stranger chose must be read through this.
 */
export function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
