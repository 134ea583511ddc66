import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../values/json.ts';
import { compileSchema, type SchemaCompilation } from './compile-schema.ts';
import { defaultSchemaLimits, type SchemaLimits } from './limits.ts';

/** What a tool's own schemas check. */
export interface ToolChecks {
  readonly input: SchemaCompilation;
  /** Undefined where the tool declares no output. */
  readonly output: SchemaCompilation | undefined;
}

/** A definition as its server lists it. */
export interface DefinedTool {
  readonly definition: JsonObject;
}

/** Compiled schemas of all upstreams, made off the path of calls. */
export interface SchemaBook {
  /** Compiles the tool's schemas soon, one at a time. A full queue forgets the oldest wish: a call will ask again. */
  learn(tool: DefinedTool): void;
  /** The checks of a tool: at once where they stand, else as soon as they are compiled. Never rejects. */
  checksOf(tool: DefinedTool): ToolChecks | Promise<ToolChecks>;
}

export interface SchemaBookOptions {
  readonly limits?: SchemaLimits;
  /** Compiled schemas that are kept. Two tools with the same schema share one. When full, the one used longest ago goes. */
  readonly maximum?: number;
  /** Runs something when nothing else waits (`setImmediate`). */
  schedule(work: () => void): void;
}

/** 4,096 schemas: the tools of some twenty busy servers; a compiled one takes about as much memory as its text. */
const defaultMaximum = 4096;

/** Schemas that wait for their turn: one full catalog. */
const longestQueue = 4096;

export function createSchemaBook(options: SchemaBookOptions): SchemaBook {
  const { limits = defaultSchemaLimits, maximum = defaultMaximum, schedule } = options;
  /** In the order of their last use. */
  const compiled = new Map<string, SchemaCompilation>();
  const waiting = new Map<string, { readonly schema: JsonValue; readonly waiters: Settle[] }>();
  /** Definitions are immutable: a changed one is another object. */
  const keys = new WeakMap<JsonObject, ToolKeys>();
  const checks = new WeakMap<JsonObject, ToolChecks>();
  let scheduled = false;

  const keysOf = (definition: JsonObject): ToolKeys => {
    const known = keys.get(definition);
    if (known !== undefined) return known;
    const found = {
      input: keyOf(memberOf(definition, 'inputSchema')),
      output: keyOf(memberOf(definition, 'outputSchema')),
    };
    keys.set(definition, found);
    return found;
  };
  const keep = (key: string, compilation: SchemaCompilation): void => {
    compiled.delete(key);
    compiled.set(key, compilation);
    if (compiled.size <= maximum) return;
    const [oldest] = compiled.keys();
    compiled.delete(oldest!);
  };
  const work = (): void => {
    scheduled = false;
    const [next] = waiting;
    if (next === undefined) return;
    const [key, { schema, waiters }] = next;
    waiting.delete(key);
    const compilation = compileSafely(schema, limits);
    keep(key, compilation);
    // Before those who waited go on: they must not be able to hold up the others.
    if (waiting.size > 0) start();
    for (const settle of waiters) settle(compilation);
  };
  const start = (): void => {
    if (scheduled) return;
    scheduled = true;
    schedule(work);
  };
  const request = (key: string, schema: JsonValue, settle?: Settle): void => {
    const known = waiting.get(key);
    if (known !== undefined) {
      if (settle !== undefined) known.waiters.push(settle);
      return;
    }
    if (waiting.size >= longestQueue) makeRoom();
    waiting.set(key, { schema, waiters: settle === undefined ? [] : [settle] });
    start();
  };
  /** A schema that a call waits for stays: calls are bounded by other means. */
  const makeRoom = (): void => {
    for (const [key, { waiters }] of waiting) {
      if (waiters.length > 0) continue;
      waiting.delete(key);
      return;
    }
  };
  const compilationOf = (key: string, schema: JsonValue): SchemaCompilation | Promise<SchemaCompilation> => {
    const known = compiled.get(key);
    if (known === undefined) return new Promise((resolve) => request(key, schema, resolve));
    keep(key, known);
    return known;
  };

  return {
    learn({ definition }) {
      const { input, output } = keysOf(definition);
      if (input !== undefined && !compiled.has(input)) request(input, memberOf(definition, 'inputSchema')!);
      if (output !== undefined && !compiled.has(output))
        request(output, memberOf(definition, 'outputSchema')!);
    },
    checksOf({ definition }) {
      const known = checks.get(definition);
      if (known !== undefined) return known;
      const { input, output } = keysOf(definition);
      const inputs =
        input === undefined ? noSchema : compilationOf(input, memberOf(definition, 'inputSchema')!);
      const outputs =
        output === undefined ? undefined : compilationOf(output, memberOf(definition, 'outputSchema')!);
      const settle = (made: SchemaCompilation, out: SchemaCompilation | undefined): ToolChecks => {
        const found = { input: made, output: out };
        checks.set(definition, found);
        return found;
      };
      if (inputs instanceof Promise || outputs instanceof Promise) {
        return Promise.all([inputs, outputs]).then(([made, out]) => settle(made, out));
      }
      return settle(inputs, outputs);
    },
  };
}

type Settle = (compilation: SchemaCompilation) => void;

interface ToolKeys {
  readonly input: string | undefined;
  readonly output: string | undefined;
}

/** Every tool must have an input schema (2026-07-28, server/tools): without one nothing can be enforced. */
const noSchema: SchemaCompilation = Object.freeze({ ok: false, reason: 'schema-missing', path: '' });

function memberOf(definition: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(definition, name) ? definition[name] : undefined;
}

function keyOf(schema: JsonValue | undefined): string | undefined {
  return schema === undefined
    ? undefined
    : createHash('sha256').update(JSON.stringify(schema)).digest('base64');
}

/** A compiler that breaks refuses, and the others in the queue still get their turn. */
function compileSafely(schema: JsonValue, limits: SchemaLimits): SchemaCompilation {
  try {
    return compileSchema(schema, limits);
  } catch {
    return { ok: false, reason: 'compiler-failed', path: '' };
  }
}
