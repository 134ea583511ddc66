import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { readAuditLines } from './audit-lines.ts';

/** Calls looked at for one tool: more would not change what is proposed. */
const mostCalls = 1000;
/** Tools looked at in all files together. */
const mostTools = 10_000;

/**
 * Arguments of past calls, from audit files, by upstream and tool. Only calls that were let through count, and only
 * records of rules that say `audit: arguments` have any. What redaction hid is left out: it says nothing of the shape.
 */
export class AuditArguments {
  readonly #calls = new Map<string, JsonObject[]>();

  async read(file: string): Promise<void> {
    for await (const record of readAuditLines(file)) this.#add(record);
  }

  /** Undefined where no record has arguments of this tool. */
  of(upstream: string, tool: string): readonly JsonObject[] | undefined {
    return this.#calls.get(JSON.stringify([upstream, tool]));
  }

  #add(record: JsonObject): void {
    const target = own(record, 'target');
    if (!isJsonObject(target) || own(target, 'kind') !== 'tool') return;
    const code = own(record, 'code');
    const args = own(record, 'arguments');
    if ((code !== 'ok' && code !== 'tool-error') || !isJsonObject(args)) return;
    const key = JSON.stringify([own(record, 'upstream'), own(target, 'name')]);
    const calls = this.#calls.get(key) ?? [];
    if (calls.length >= mostCalls || (calls.length === 0 && this.#calls.size >= mostTools)) return;
    calls.push(withoutRedacted(args) as JsonObject);
    this.#calls.set(key, calls);
  }
}

const hidden = /\[(?:redacted|truncated)[\]:]/;

function withoutRedacted(value: JsonValue): JsonValue | undefined {
  if (typeof value === 'string') return hidden.test(value) ? undefined : value;
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).map(withoutRedacted).filter((item) => item !== undefined);
  }
  if (!isJsonObject(value)) return value;
  const copy: Record<string, JsonValue> = {};
  for (const [key, member] of Object.entries(value)) {
    const clean = member === undefined || hidden.test(key) ? undefined : withoutRedacted(member);
    if (clean !== undefined) copy[key] = clean;
  }
  return copy;
}
