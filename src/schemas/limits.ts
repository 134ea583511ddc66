/** Bounds on what an upstream may ask of the gateway with one schema. */
export interface SchemaLimits {
  /** Bytes of the schema as JSON. */
  readonly maxBytes: number;
  /** Nesting of the schema's JSON. */
  readonly maxDepth: number;
  /** Subschemas that can apply; definitions that nothing refers to do not count. */
  readonly maxSubschemas: number;
  /** Subschemas that apply to one value, each inside the one before, through `allOf`, `$ref` and the like. */
  readonly maxChain: number;
  /** Regular expressions. */
  readonly maxPatterns: number;
  /** UTF-16 units of one regular expression. */
  readonly maxPatternLength: number;
  /** Instructions of one compiled regular expression. */
  readonly maxPatternSize: number;
  /** Values of all `enum` together. */
  readonly maxEnumValues: number;
  /** What judging one value may cost: one for each subschema that looks at one value, more for long texts. */
  readonly maxSteps: number;
}

/** Each bound with its because. */
export const defaultSchemaLimits: SchemaLimits = Object.freeze({
  // 256 KiB: the largest schemas of public servers, made from whole API descriptions, are a tenth of it.
  maxBytes: 256 * 1024,
  // The decoder's own default: deeper JSON does not arrive.
  maxDepth: 64,
  // Some 30 ms to compile, in which nothing else runs; honest schemas stay below 1,000.
  maxSubschemas: 4096,
  // Deeper than any real one; chain times depth of the value is what the stack must hold.
  maxChain: 64,
  // Each is a program of its own that lives as long as the schema.
  maxPatterns: 256,
  // Generated date and address patterns have a few hundred characters.
  maxPatternLength: 2048,
  // RE2 writes repetitions out: ten characters can become a program of a thousand steps.
  maxPatternSize: 4096,
  // Time zones and currencies have a few hundred.
  maxEnumValues: 4096,
  // A body of 100,000 values, the decoder's bound, under a plain schema takes about one each.
  maxSteps: 250_000,
});
