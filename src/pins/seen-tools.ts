import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { SeenTool } from './standing.ts';

/** The tools on one page of a `tools/list` result, as the server wrote them. Entries without a name are none. */
export function seenTools(result: JsonObject): readonly SeenTool[] {
  const entries = own(result, 'tools');
  if (!Array.isArray(entries)) return [];
  return (entries as readonly JsonValue[]).flatMap((definition) => {
    const name = isJsonObject(definition) ? own(definition, 'name') : undefined;
    return isJsonObject(definition) && typeof name === 'string' ? [{ name, definition }] : [];
  });
}
