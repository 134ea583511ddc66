/** What the reference pages read of a JSON Schema. */
export interface JsonSchema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly additionalProperties?: boolean | JsonSchema;
}

/** One key of a file, as its reference tells it. */
export interface KeyRow {
  /** `listeners[].tls.key`; `[]` stands for each entry of a list, `*` for any name. */
  readonly path: string;
  /** What may be written there, in words. */
  readonly takes: string;
  readonly required: boolean;
  readonly default: unknown;
  readonly description: string;
}

/**
 * Every key below a schema, in the order of the schema, each once.
 *
 * @param stops paths whose insides are told elsewhere: the key itself is in the answer, what is below is not
 */
export function keyRows(
  schema: JsonSchema,
  path: string,
  stops: ReadonlySet<string> = new Set(),
): readonly KeyRow[] {
  const rows = new Map<string, KeyRow>();
  collect(schema, path, stops, rows);
  return [...rows.values()];
}

function collect(
  schema: JsonSchema,
  path: string,
  stops: ReadonlySet<string>,
  rows: Map<string, KeyRow>,
  isChoice = false,
): void {
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const at = path === '' ? key : `${path}.${key}`;
    // A choice of shapes may offer the same key twice.
    if (!rows.has(at)) {
      rows.set(at, {
        path: at,
        takes: takes(child),
        // What one of several shapes requires is not required.
        required: !isChoice && (schema.required?.includes(key) ?? false),
        default: child.default,
        description: child.description ?? '',
      });
    }
    if (!stops.has(at)) collect(child, at, stops, rows);
  }
  const shapes = (schema.anyOf ?? []).filter(({ properties }) => properties !== undefined).length;
  for (const choice of schema.anyOf ?? []) collect(choice, path, stops, rows, shapes > 1);
  if (schema.items !== undefined && !stops.has(`${path}[]`)) collect(schema.items, `${path}[]`, stops, rows);
  if (typeof schema.additionalProperties === 'object' && !stops.has(`${path}.*`)) {
    collect(schema.additionalProperties, `${path}.*`, stops, rows);
  }
}

/** The schema at a path as `keyRows` writes it. @throws Error where there is none */
export function schemaAt(schema: JsonSchema, path: string): JsonSchema {
  let at = schema;
  for (const step of path.match(/[^.[\]]+|\[\]/g) ?? []) {
    const next = [at, ...(at.anyOf ?? [])]
      .map((choice) => stepInto(choice, step))
      .find((found) => found !== undefined);
    if (next === undefined) throw new Error(`the schema has nothing at ${path}`);
    at = next;
  }
  return at;
}

function stepInto(schema: JsonSchema, step: string): JsonSchema | undefined {
  if (step === '[]') return schema.items;
  if (step !== '*') return schema.properties?.[step];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** What may be written at a place, in words. */
export function takes(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema.anyOf !== undefined) return choices(schema.anyOf);
  if (schema.properties !== undefined) return 'section';
  switch (schema.type) {
    case 'array':
      if (schema.prefixItems !== undefined) return `list of ${schema.prefixItems.length}`;
      return schema.items === undefined ? 'list' : listOf(takes(schema.items));
    case 'object':
      return 'names and values';
    case 'boolean':
      return '`true`, `false`';
    case 'integer':
      return numberIn(schema);
    case 'string':
      return 'text';
    case 'number':
      return 'number';
    case 'null':
      return '`null`';
    default:
      return 'any value';
  }
}

function choices(schemas: readonly JsonSchema[]): string {
  const words = [...new Set(schemas.map(takes))];
  const [first, second] = words;
  // One, or several of the same.
  if (words.length === 2 && second === listOf(first!)) return `${first}, or a list`;
  return words.join(' or ');
}

function listOf(item: string): string {
  return item === 'section' ? 'list of sections' : `list of ${item}`;
}

/** Bounds that only say what a double can hold say nothing. */
function numberIn({ minimum, maximum }: JsonSchema): string {
  const from = minimum !== undefined && Number.isSafeInteger(minimum - 1) ? minimum : undefined;
  const to = maximum !== undefined && Number.isSafeInteger(maximum + 1) ? maximum : undefined;
  if (from !== undefined && to !== undefined) return `number, ${from} to ${to}`;
  if (from !== undefined) return `number, at least ${from}`;
  return to === undefined ? 'number' : `number, at most ${to}`;
}

function code(value: unknown): string {
  return `\`${String(value)}\``;
}
