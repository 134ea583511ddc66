import { type JsonObject, type JsonValue, own } from '../../src/values/json.ts';

/** Names of members, whatever case and separators a file writes them in: `toolName`, `tool_name`, `Tool Name`. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** The members of an object of unknown make, by folded name. Of two that fold alike the first counts. */
export class Members {
  readonly #byName = new Map<string, JsonValue>();

  constructor(object: JsonObject) {
    for (const name of Object.keys(object)) {
      const value = own(object, name);
      const folded = foldName(name);
      if (value !== undefined && value !== null && !this.#byName.has(folded)) this.#byName.set(folded, value);
    }
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  get(name: string): JsonValue | undefined {
    return this.#byName.get(name);
  }

  /** The first of the names whose value fits. */
  first<T extends JsonValue>(
    names: readonly string[],
    fits: (value: JsonValue) => value is T,
  ): { readonly name: string; readonly value: T } | undefined {
    for (const name of names) {
      const value = this.#byName.get(name);
      if (value !== undefined && fits(value)) return { name, value };
    }
    return undefined;
  }
}

export function isText(value: JsonValue): value is string {
  return typeof value === 'string';
}
