import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../../src/values/json.ts';

/** One line of a file of honest calls or of attacks. */
export interface Sample {
  readonly source: string;
  readonly class: string;
  readonly tool: string | undefined;
  /** Of a call: its arguments. */
  readonly arguments: JsonObject | undefined;
  /** Of a single value: the value. */
  readonly value: JsonValue | undefined;
  /** The role that the value, or each argument, is declared to have: a name, or `{name: {options}}`. */
  readonly role: JsonValue | undefined;
  readonly roles: JsonObject | undefined;
  /** The tool's input schema, where the line brings it. */
  readonly schema: JsonObject | undefined;
  readonly file: string;
  readonly line: number;
}

/** Words that others use for the same member. The first that is there counts. */
const words = {
  source: ['source', 'dataset', 'origin', 'server', 'corpus'],
  class: ['class', 'category', 'attack', 'attack_type', 'kind', 'type', 'label'],
  tool: ['tool', 'tool_name', 'toolName', 'name', 'function'],
  arguments: ['arguments', 'args', 'tool_input', 'parameters', 'params', 'input'],
  value: ['payload', 'value', 'text', 'input', 'url', 'path', 'query', 'sql', 'command', 'string'],
  role: ['role'],
  roles: ['roles'],
  schema: ['schema', 'inputSchema', 'input_schema'],
} as const;

/**
 * Reads JSON Lines. A line is a call (`tool` and `arguments`, or a whole `tools/call` message), or a single value
 * (`payload`). What is neither is counted, never silently left out.
 */
export async function* readSamples(file: string): AsyncGenerator<Sample | { readonly unread: string }> {
  let line = 0;
  for await (const text of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    line += 1;
    if (text.trim() === '') continue;
    yield toSample(text, file, line) ?? { unread: `${file}:${line}` };
  }
}

function toSample(text: string, file: string, line: number): Sample | undefined {
  const parsed = parse(text);
  if (typeof parsed === 'string') return { ...bare, value: parsed, file, line };
  if (!isJsonObject(parsed)) return undefined;
  const message = own(parsed, 'params');
  const from =
    own(parsed, 'method') === 'tools/call' && isJsonObject(message) ? { ...parsed, ...message } : parsed;
  const find = (member: keyof typeof words, fits: (value: JsonValue) => boolean): JsonValue | undefined => {
    for (const word of words[member]) {
      const value = own(from, word);
      if (value !== undefined && value !== null && fits(value)) return value;
    }
    return undefined;
  };
  const text_ = (member: keyof typeof words): string | undefined =>
    find(member, isText) as string | undefined;
  const object = (member: keyof typeof words): JsonObject | undefined =>
    find(member, isJsonObject) as JsonObject | undefined;
  const args = object('arguments') ?? textual(find('arguments', isText));
  const tool = text_('tool');
  const value = find('value', (candidate) => !isJsonObject(candidate));
  if (value === undefined && args === undefined) return undefined;
  return {
    source: text_('source') ?? 'unnamed',
    class: text_('class') ?? 'unclassified',
    tool,
    arguments: tool === undefined && value !== undefined ? undefined : args,
    value,
    role: find('role', () => true),
    roles: object('roles'),
    schema: object('schema'),
    file,
    line,
  };
}

const bare = {
  source: 'unnamed',
  class: 'unclassified',
  tool: undefined,
  arguments: undefined,
  role: undefined,
  roles: undefined,
  schema: undefined,
};

/** Some data sets keep arguments as JSON text. */
function textual(value: JsonValue | undefined): JsonObject | undefined {
  const parsed = typeof value === 'string' ? parse(value) : undefined;
  return isJsonObject(parsed) ? parsed : undefined;
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function isText(value: JsonValue): value is string {
  return typeof value === 'string';
}
