import { writeYaml } from '../document/write-yaml.ts';
import { isExactNumber, isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';
import type { PinLock, PinnedText, PinnedTool, PinnedUpstream } from './lock.ts';

const head = `# What the servers behind the gateway may say of themselves: definitions and instructions that were reviewed.
# Written by \`sallyport pin\`; what differs from it is hidden and refused. Review changes as you review code.
`;

/** Members of a definition that a reader looks for first, in this order; all others follow, sorted. */
const first = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'];

/** The text of a lock file. Equal locks give equal bytes, so that git shows what changed and nothing else. */
export function formatLock(lock: PinLock): string {
  const upstreams = Object.fromEntries(
    sorted(lock.upstreams).map(([name, pinned]) => [name, upstreamOf(pinned)]),
  );
  return head + writeYaml({ version: 1, upstreams });
}

function upstreamOf({ instructions, tools }: PinnedUpstream): JsonObject {
  return {
    instructions: instructions === undefined ? undefined : instructionsOf(instructions),
    tools: Object.fromEntries(sorted(tools).map(([name, tool]) => [name, toolOf(tool)])),
  };
}

function instructionsOf({ hash, approvedBy, note, text }: PinnedText): JsonObject {
  return { hash, approvedBy, note, text };
}

function toolOf({ hash, approvedBy, note, reviewed, definition }: PinnedTool): JsonObject {
  return {
    hash,
    approvedBy,
    note,
    reviewed:
      reviewed === undefined ? undefined : { title: reviewed.title, description: reviewed.description },
    definition: inOrder(definition, first),
  };
}

function inOrder(value: JsonValue, ahead: readonly string[] = []): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item) => inOrder(item));
  if (!isJsonObject(value) || isExactNumber(value)) return value;
  const keys = Object.keys(value).sort();
  const order = [...ahead.filter((key) => keys.includes(key)), ...keys.filter((key) => !ahead.includes(key))];
  return Object.fromEntries(order.map((key) => [key, inOrder(value[key] ?? null)]));
}

function sorted<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
